// What `nemo status`, `doctor` and `config reload` say of the daemon beside its calls, and `usage` of what went to
// caches.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/nemo_with_daemon.h"

namespace nemo::test::status_test {

using namespace nemo;
using Json = nlohmann::ordered_json;
using nemo::test::holds;
using nemo::test::Said;
using Daemon = nemo::test::NemoWithDaemon;

namespace {

constexpr const char* k_ollama_url = "http://127.0.0.1:11434";
constexpr const char* k_taken = "127.0.0.1:11434 is in use by ollama (pid 12).";

}  // namespace

TEST_CASE("status shows the second address where there is one, and nothing of it where there is none") {
  Daemon daemon;
  CHECK_FALSE(holds(daemon.run({"status"}).out, "ollama"));
  CHECK(Json::parse(daemon.run({"status", "--json"}).out)["ollama"]["state"] == "off");
  daemon.control.the_status.ollama = {"listening", k_ollama_url, "", true};
  const Said shown = daemon.run({"status"});
  CHECK(holds(shown.out, std::string("ollama    ") + k_ollama_url));
  CHECK_FALSE(holds(shown.out, "!"));
  const Json json = Json::parse(daemon.run({"status", "--json"}).out)["ollama"];
  CHECK(json["state"] == "listening");
  CHECK(json["url"] == k_ollama_url);
  CHECK(holds(daemon.run({"doctor"}).out, std::string("✔ address for Ollama's clients: ") + k_ollama_url));
}

TEST_CASE("an address that was not had is a warning with who has it, unless the config leaves it to others") {
  Daemon daemon;
  daemon.control.the_status.ollama = {"not had", k_ollama_url, k_taken, false};
  CHECK(holds(daemon.run({"status"}).out, std::string(" was not had  ! ") + k_taken));
  const Said doctor = daemon.run({"doctor"});
  CHECK(doctor.status == 0);
  CHECK(holds(doctor.out, "! address for Ollama's clients"));
  CHECK(holds(doctor.out, k_taken));
  CHECK(holds(doctor.out, "write another ollama_listen"));

  daemon.control.the_status.ollama.only_if_free = true;
  CHECK(holds(daemon.run({"status"}).out, std::string(" was not had: ") + k_taken));
  CHECK_FALSE(holds(daemon.run({"status"}).out, "! "));
  CHECK(holds(daemon.run({"doctor"}).out, "✔ address for Ollama's clients"));
}

TEST_CASE("config reload, status and doctor say what takes effect after a restart only") {
  Daemon daemon;
  const Said quiet = daemon.run({"config", "reload"});
  CHECK(quiet.status == 0);
  CHECK_FALSE(holds(quiet.out, "restart"));
  CHECK(Json::parse(daemon.run({"config", "reload", "--json"}).out) ==
        Json{{"reloaded", true}, {"after_restart", Json::array()}});

  const std::vector<std::string> waiting{"listen = \"127.0.0.1:7000\"", "ollama_listen = \"auto\""};
  daemon.control.reload_outcome = waiting;
  daemon.control.the_status.after_restart = waiting;
  const std::string note = R"(takes effect after a restart: listen = "127.0.0.1:7000", ollama_listen = "auto")";
  const Said told = daemon.run({"config", "reload"});
  CHECK(told.status == 0);
  CHECK(holds(told.out, note));
  CHECK(Json::parse(daemon.run({"config", "reload", "--json"}).out)["after_restart"] == Json(waiting));
  CHECK(holds(daemon.run({"status"}).out, "! " + note));
  CHECK(Json::parse(daemon.run({"status", "--json"}).out)["after_restart"] == Json(waiting));
  const Said doctor = daemon.run({"doctor"});
  CHECK(doctor.status == 0);
  CHECK(holds(doctor.out, "! settings in force: " + note));

  daemon.control.the_status.config_error = "nemo.toml:3: no";
  CHECK(holds(daemon.run({"status"}).out, "the last reload was refused: nemo.toml:3: no; before it: takes effect"));
}

TEST_CASE("status and doctor tell of lost verdicts on completions, and only when some were lost") {
  Daemon daemon;
  CHECK_FALSE(holds(daemon.run({"status"}).out, "verdicts"));
  CHECK_FALSE(holds(daemon.run({"doctor"}).out, "verdicts"));
  CHECK(Json::parse(daemon.run({"status", "--json"}).out)["ledger"]["verdicts_dropped"] == 0);
  daemon.control.the_status.ledger.verdicts_dropped = 1'234;
  CHECK(holds(daemon.run({"status"}).out, "! 1,234 verdicts on completions were lost"));
  const Said doctor = daemon.run({"doctor"});
  CHECK(doctor.status == 0);
  CHECK(holds(doctor.out, "! ledger: 1,234 verdicts on completions were lost"));
  CHECK(Json::parse(daemon.run({"status", "--json"}).out)["ledger"]["verdicts_dropped"] == 1'234);
  daemon.control.the_status.ledger.dropped = 7;
  CHECK(holds(daemon.run({"status"}).out, "! 7 rows were lost; 1,234 verdicts"));
}

TEST_CASE("usage shows what was written to the providers' caches, and only where something was") {
  Daemon daemon;
  daemon.history.usage_rows = {{"flash", 3, 1, 10, 2, 5, NanoUsd{2'000'000'000}}};
  CHECK_FALSE(holds(daemon.show({"usage"}).out, "TO CACHE"));
  CHECK(Json::parse(daemon.run({"usage", "--json"}).out)[0]["cache_write_tokens"] == 0);
  daemon.history.usage_rows = {{"claude", 3, 1, 9'000, 2, 5, NanoUsd{2'000'000'000}, 4'321},
                               {"flash", 1, 0, 10, 2, 5, NanoUsd{1}},
                               {"opus", 1, 0, 9'000, 0, 5, NanoUsd{1}, 1'000}};
  const std::string table = daemon.run({"usage"}).out;
  CHECK(holds(table, "TO CACHE"));
  CHECK(holds(table, "4,321"));
  CHECK(holds(table, "5,321"));  // in the total
  const Json rows = Json::parse(daemon.run({"usage", "--json"}).out);
  CHECK(rows[0]["cache_write_tokens"] == 4'321);
  CHECK(rows[1]["cache_write_tokens"] == 0);
  CHECK(holds(daemon.run({"usage", "--csv"}).out, "claude,3,1,9000,2,5,2,4321\r\n"));
}

}  // namespace nemo::test::status_test
