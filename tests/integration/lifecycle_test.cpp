// A daemon's life: it stops without losing a call, takes changes up as it runs, and says why it cannot start.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "daemon/lib/sqlite/connection.h"
#include "daemon/lib/sqlite/statement.h"
#include "error_shape.h"
#include "harness.h"

namespace nemo::test::lifecycle_test {

using namespace nemo::test;
using nemo::Daemon;
using nemo::DaemonOptions;

namespace {

namespace fs = std::filesystem;

const std::string k_chat = "/v1/chat/completions";

std::string chat(const std::string& model, const std::string& more = "") {
  return R"({"model":")" + model + R"(","messages":[{"role":"user","content":"hello there"}])" + more + "}";
}

std::string streamed(const Json& script) {
  return chat("gemini-2.5-flash", R"(,"stream":true,"fake":)" + script.dump());
}

const std::string k_resting = streamed({{"tokens", 8}, {"hold_after_chunks", 4}});
const std::string k_stalled = streamed({{"tokens", 20}, {"stall_after_chunks", 4}});

void wait_for_content(Client& client, std::string& got) {
  while (!contains(got, "\"content\"")) {
    const std::string some = client.receive_some();
    REQUIRE(!some.empty());
    got += some;
  }
}

std::string rest_of(Client& client) {
  std::string all;
  for (std::string some = client.receive_some(); !some.empty(); some = client.receive_some()) all += some;
  return all;
}

struct Row {
  std::string outcome, usage_source;
  std::int64_t cost = 0;
};

// From the file itself: the daemon has ended.
std::vector<Row> rows_in(const fs::path& folder) {
  using namespace nemo::lib::sqlite;
  Connection connection(folder / "nemo.db", Access::read_write);
  Statement select(connection, "SELECT outcome, usage_source, cost FROM call ORDER BY row");
  std::vector<Row> rows;
  while (select.step()) rows.push_back({std::string(select.text(0)), std::string(select.text(1)), select.integer(2)});
  return rows;
}

std::string text_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

DaemonOptions options_of(const Rig& rig) {
  DaemonOptions options;
  options.config_file = rig.config_file();
  options.data_folder = rig.folder();
  options.socket = rig.folder() / "nemod.sock";
  options.env = [](const char* name) -> std::optional<std::string> {
    if (std::string_view(name) == "FAKE_KEY") return "sk-upstream-again-0123456789";
    return std::nullopt;
  };
  return options;
}

std::string why_not(DaemonOptions options) {
  const auto started = Daemon::start(std::move(options));
  REQUIRE(!started);
  return started.error().message;
}

// A daemon of its own that is not to start, beside `rig`'s.
DaemonOptions another(const Rig& rig, const fs::path& folder) {
  DaemonOptions options = options_of(rig);
  options.data_folder = folder;
  options.socket = folder / "nemod.sock";
  return options;
}

std::string lane_model(Rig& rig, const std::string& name) {
  const Json status = rig.admin("GET", "/status");
  for (const Json& lane : status["lanes"]) {
    if (lane["name"] == name) return lane["model"];
  }
  return {};
}

}  // namespace

TEST_CASE("stopping lets a running stream come to its end, takes no new connections, and keeps the row") {
  Rig rig;
  const int port = rig.port();
  Client client(port);
  client.send(rig.request("POST", k_chat, k_resting));
  std::string got;
  wait_for_content(client, got);
  std::atomic<bool> all_ended{false};
  std::thread stopper([&] { all_ended = rig.daemon().stop(); });
  CHECK(eventually([&] { return !takes_connections(port); }));
  rig.upstream.release();
  got += rest_of(client);
  stopper.join();
  CHECK(contains(got, "data: [DONE]"));
  CHECK(got.ends_with("0\r\n\r\n"));
  CHECK(all_ended);
  const auto rows = rows_in(rig.folder());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].outcome == "ok");
  CHECK(rows[0].usage_source == "provider");
}

TEST_CASE("stopping waits for no idle connection") {
  Rig::Options options;
  options.toml = "drain_timeout = \"10m\"";
  Rig rig(options);
  Client idle(rig.port());
  idle.send(rig.request("GET", "/health", ""));
  CHECK(idle.receive().status == 200);
  Client half(rig.port());
  half.send("GET /health HT");
  CHECK(rig.daemon().stop());
  CHECK(idle.receive_some().empty());
}

TEST_CASE("what does not end within drain_timeout is ended, and its row has what was streamed") {
  Rig::Options options;
  options.toml = "drain_timeout = \"100ms\"";
  Rig rig(options);
  Client client(rig.port());
  client.send(rig.request("POST", k_chat, k_stalled));
  std::string got;
  wait_for_content(client, got);
  CHECK(!rig.daemon().stop());
  got += rest_of(client);
  CHECK(!contains(got, "[DONE]"));
  CHECK(!got.ends_with("0\r\n\r\n"));
  CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));
  const auto rows = rows_in(rig.folder());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].outcome == "cancelled");
  CHECK(rows[0].usage_source == "partial");
  CHECK(rows[0].cost > 0);
}

TEST_CASE(
    "a changed config is taken up without dropping a running stream; a broken one is refused and changes nothing") {
  Rig rig;
  const std::string before = text_of(rig.config_file());
  Client client(rig.port());
  client.send(rig.request("POST", k_chat, k_resting));
  std::string got;
  wait_for_content(client, got);

  rig.write_config(before + "[lane.completion]\nmodel = \"gemini-2.5-pro\"\n");
  rig.daemon().tend();
  CHECK(lane_model(rig, "completion") == "gemini-2.5-pro");
  CHECK(rig.post(k_chat, chat("nemo/completion")).header("x-nemo-model") == "gemini-2.5-pro");

  rig.write_config(before + "[lane.completion]\nmodel = \"gemini-2.5-flash-lite\"\nstrategy = \"best\"\n");
  rig.daemon().tend();
  const std::string problem = rig.admin("GET", "/status")["config_error"];
  const auto line = std::count(before.begin(), before.end(), '\n') + 3;
  CHECK(contains(problem, rig.config_file().string() + ":" + std::to_string(line)));
  CHECK(contains(problem, "strategy"));
  CHECK(lane_model(rig, "completion") == "gemini-2.5-pro");
  CHECK(rig.post(k_chat, chat("nemo/completion")).header("x-nemo-model") == "gemini-2.5-pro");
  const auto reloaded = rig.daemon().reload();
  REQUIRE(!reloaded);
  CHECK(reloaded.error().message == problem);

  rig.write_config(before);
  rig.daemon().tend();
  CHECK(rig.admin("GET", "/status")["config_error"] == "");
  CHECK(lane_model(rig, "completion") == "gemini-2.5-flash");
  rig.upstream.release();
  while (!contains(got, "[DONE]")) {
    const std::string some = client.receive_some();
    REQUIRE(!some.empty());
    got += some;
  }
}

TEST_CASE("a config file that goes away leaves the defaults, and the daemon goes on") {
  Rig rig;
  fs::remove(rig.config_file());
  rig.daemon().tend();
  CHECK(rig.admin("GET", "/status")["upstreams"][0]["name"] == "nemo");
  expect_error(rig.post(k_chat, chat("gemini-2.5-flash")), 503, "no_deployment_available");
}

TEST_CASE("set-model acts on the next call, keeps the file's comments and survives a restart") {
  Rig::Options options;
  options.toml = "# my own words\nretention_days = 30  # a month";
  Rig rig(options);
  CHECK(rig.post(k_chat, chat("nemo/completion")).header("x-nemo-model") == "gemini-2.5-flash");
  CHECK(rig.admin("POST", "/lanes/completion", {{"model", "gemini-2.5-flash-lite"}}) == Json::object());
  CHECK(rig.post(k_chat, chat("nemo/completion")).header("x-nemo-model") == "gemini-2.5-flash-lite");
  const std::string text = text_of(rig.config_file());
  CHECK(contains(text, "# my own words\nretention_days = 30  # a month\n"));

  const Json refused = rig.admin("POST", "/lanes/completion", {{"model", "gemini-2.5-flsh"}});
  CHECK(contains(refused.dump(), "gemini-2.5-flash"));
  CHECK(text_of(rig.config_file()) == text);
  rig.daemon().tend();  // its own writing is no change
  CHECK(lane_model(rig, "completion") == "gemini-2.5-flash-lite");

  rig.restart();
  CHECK(lane_model(rig, "completion") == "gemini-2.5-flash-lite");
  // The key of before is still a key.
  CHECK(rig.post(k_chat, chat("nemo/completion")).header("x-nemo-model") == "gemini-2.5-flash-lite");
}

TEST_CASE("a key counts from the moment it is made until the moment it is revoked, on an open connection too") {
  Rig rig;
  rig.admin("POST", "/teams", {{"name", "growth"}});
  const Json made = rig.admin("POST", "/keys", {{"seat", "anna"}, {"team", "growth"}});
  const std::string header = "Authorization: Bearer " + made["key"].get<std::string>();
  Client client(rig.port());
  client.send(rig.request("POST", k_chat, chat("gemini-2.5-flash"), {header}));
  CHECK(client.receive().status == 200);
  rig.admin("DELETE", "/keys/" + made["id"].get<std::string>());
  client.send(rig.request("POST", k_chat, chat("gemini-2.5-flash"), {header}));
  expect_error(client.receive(), 401, "key_revoked");
  const auto rows = rig.rows(2);
  REQUIRE(rows.size() == 2);
  const auto ok = std::find_if(rows.begin(), rows.end(), [](const Json& row) { return row["status"] == "ok"; });
  REQUIRE(ok != rows.end());
  CHECK((*ok)["seat"] == "anna");
  CHECK((*ok)["team"] == "growth");
  CHECK((*ok)["key"] == made["id"]);
}

TEST_CASE("login stores the key for nobody else's eyes and acts on the next call, and so does logout") {
  FakeUpstream fake;
  Rig::Options options;
  options.own_upstream = true;
  options.toml =
      "[[upstream]]\nname = \"work\"\nkind = \"openai\"\nbase_url = \"" + fake.base_url() + "\"\nkey = \"secret:work\"";
  Rig rig(options);
  expect_error(rig.post(k_chat, chat("gemini-2.5-flash")), 503, "no_deployment_available");
  const std::string key = "sk-login-0123456789abcdef";
  CHECK(rig.admin("POST", "/upstreams/work/key", {{"key", key}}) == Json::object());
  CHECK(rig.post(k_chat, chat("gemini-2.5-flash")).status == 200);
  const fs::path file = rig.folder() / "secrets" / "work";
  CHECK(text_of(file) == key);
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0600U);
  REQUIRE(::stat(file.parent_path().c_str(), &found) == 0);
  CHECK((found.st_mode & 0777U) == 0700U);
  CHECK(!contains(rig.admin("GET", "/status").dump() + rig.admin("GET", "/config").dump(), key));
  CHECK(rig.admin("DELETE", "/upstreams/work/key") == Json::object());
  CHECK(!fs::exists(file));
  expect_error(rig.post(k_chat, chat("gemini-2.5-flash")), 503, "no_deployment_available");
}

TEST_CASE("a port in use is refused with the name of the program that holds it, and nothing is left behind") {
  Rig rig;
  const TempFolder folder;
  DaemonOptions options = another(rig, folder.path());
  options.listen = {"127.0.0.1", rig.port()};
  const std::string message = why_not(options);
  std::string own_name;
  std::ifstream("/proc/self/comm") >> own_name;
  CHECK(contains(message, "127.0.0.1:" + std::to_string(rig.port()) + " is in use by " + own_name + " (process " +
                              std::to_string(::getpid()) + ")"));
  CHECK(contains(message, "--listen"));
  CHECK(!fs::exists(options.socket));
  CHECK(rig.post(k_chat, chat("gemini-2.5-flash")).status == 200);
}

TEST_CASE("a data folder that cannot be used is refused with its name and what to do") {
  Rig rig;
  const TempFolder folder;
  std::ofstream(folder.path() / "file") << "in the way";
  const std::string under_a_file = why_not(another(rig, folder.path() / "file" / "data"));
  CHECK(contains(under_a_file, (folder.path() / "file").string()));
  CHECK(contains(under_a_file, "--data-dir"));
  if (::geteuid() == 0) return;  // who may write everywhere
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const std::string read_only = why_not(another(rig, folder.path() / "data"));
  fs::permissions(folder.path(), fs::perms::owner_all);
  CHECK(contains(read_only, (folder.path() / "data").string()));
  CHECK(contains(read_only, "--data-dir"));
}

TEST_CASE("a database of a newer version is refused and left as it is") {
  Rig rig;
  CHECK(rig.post(k_chat, chat("gemini-2.5-flash")).status == 200);
  rig.stop();
  {
    using namespace nemo::lib::sqlite;
    Connection connection(rig.folder() / "nemo.db", Access::read_write);
    connection.exec("INSERT INTO schema_migration VALUES (9999, '9999_from_the_future', 0, '99.1.0')");
  }
  const std::string message = why_not(options_of(rig));
  CHECK(contains(message, "99.1.0"));
  CHECK(contains(message, "nemo.db"));
  CHECK(rows_in(rig.folder()).size() == 1);
}

TEST_CASE("a second daemon on the same data folder is refused, and the first goes on") {
  Rig rig;
  CHECK(contains(why_not(options_of(rig)), "another nemod"));
  CHECK(rig.post(k_chat, chat("gemini-2.5-flash")).status == 200);
  CHECK(rig.admin("GET", "/status")["pid"] == ::getpid());
  CHECK(rig.rows(1).size() == 1);
}

TEST_CASE("a config that cannot be read keeps the daemon from starting on a guess") {
  Rig rig;
  const TempFolder folder;
  DaemonOptions options = another(rig, folder.path() / "data");
  options.config_file = folder.path() / "nemo.toml";
  std::ofstream(options.config_file) << "listen = \"127.0.0.1:0\"\nretention_days = \"long\"\n";
  CHECK(contains(why_not(options), options.config_file.string() + ":2"));
}

}  // namespace nemo::test::lifecycle_test
