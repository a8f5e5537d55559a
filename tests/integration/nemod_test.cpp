// The real nemod, as a service manager or a person runs it.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>

#include "child_process.h"
#include "daemon/lib/sqlite/connection.h"
#include "daemon/lib/sqlite/statement.h"
#include "error_shape.h"
#include "harness.h"
#include "shared/version.h"

namespace nemo::test::nemod_test {

using namespace nemo::test;

namespace {

namespace fs = std::filesystem;

const std::string k_hello = R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"hello there"}]})";
const std::string k_stream =
    R"({"model":"gemini-2.5-flash","stream":true,"messages":[{"role":"user","content":"hello there"}]})";

class Home {
 public:
  Home() { write("drain_timeout = \"20s\"\n"); }

  std::string config() const { return (m_folder.path() / "nemo.toml").string(); }
  std::string data() const { return (m_folder.path() / "data").string(); }
  const fs::path& folder() const { return m_folder.path(); }
  FakeUpstream& upstream() { return m_upstream; }
  void write(const std::string& more) const {
    std::ofstream(config()) << "listen = \"127.0.0.1:0\"\nrequire_key = false\n"
                            << more << "[[upstream]]\nname = \"fake\"\nkind = \"openai\"\nbase_url = \""
                            << m_upstream.base_url() << "\"\n";
  }
  std::vector<std::string> command(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{nemod_path(), "--config", config(), "--data-dir", data()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::int64_t rows() const {
    using namespace nemo::lib::sqlite;
    Connection connection(fs::path(data()) / "nemo.db", Access::read_only);
    Statement count(connection, "SELECT count(*) FROM call");
    return count.step() ? count.integer(0) : -1;
  }

 private:
  TempFolder m_folder;
  FakeUpstream m_upstream;
};

// The port of the line that says that calls are taken now.
int port_of(ChildProcess& nemod) {
  const std::string line = nemod.wait_for_line("nemod ready on http://127.0.0.1:");
  INFO(nemod.output());
  REQUIRE(!line.empty());
  CHECK(line.starts_with("nemod ready on http://127.0.0.1:"));
  return std::stoi(line.substr(line.rfind(':') + 1));
}

std::string post(const std::string& body) {
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

Reply call(int port) {
  Client client(port);
  client.send(post(k_hello));
  return client.receive();
}

std::string said(const std::vector<std::string>& command, int code) {
  ChildProcess nemod(command);
  CHECK(nemod.wait() == code);
  return nemod.output();
}

// Where a service manager listens.
class NotifySocket {
 public:
  explicit NotifySocket(const fs::path& path) : m_fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(m_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const timeval patience{60, 0};
    ::setsockopt(m_fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  std::string receive() const {
    std::array<char, 256> bytes{};
    const ssize_t got = ::recv(m_fd.get(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

 private:
  nemo::FileDescriptor m_fd;
};

}  // namespace

TEST_CASE("nemod says when it is ready, answers, and ends with 0 on SIGTERM") {
  const Home home;
  ChildProcess nemod(home.command());
  const int port = port_of(nemod);
  CHECK(call(port).status == 200);
  nemod.signal(SIGTERM);
  CHECK(nemod.wait() == 0);
  CHECK(home.rows() == 1);
}

TEST_CASE("SIGTERM and SIGINT let a running stream come to its end") {
  Home home;
  for (const int signal : {SIGTERM, SIGINT}) {
    home.upstream().script({{"tokens", 8}, {"hold_after_chunks", 4}});
    ChildProcess nemod(home.command());
    const int port = port_of(nemod);
    Client client(port);
    client.send(post(k_stream));
    std::string got;
    while (!contains(got, "\"content\"")) got += client.receive_some();
    nemod.signal(signal);
    CHECK(eventually([&] { return !takes_connections(port); }));
    home.upstream().release();
    for (std::string some = client.receive_some(); !some.empty(); some = client.receive_some()) got += some;
    CHECK(contains(got, "[DONE]"));
    CHECK(nemod.wait() == 0);
  }
  CHECK(home.rows() == 2);
}

TEST_CASE("rows that were written survive kill -9, and the next nemod starts where that one was") {
  const Home home;
  for (int before = 0; before < 2; ++before) {
    ChildProcess nemod(home.command());
    const int port = port_of(nemod);
    CHECK(home.rows() == 3 * before);
    for (int i = 0; i < 3; ++i) CHECK(call(port).status == 200);
    CHECK(eventually([&] { return home.rows() == 3 * (before + 1); }));
    nemod.signal(SIGKILL);
    CHECK(nemod.wait() == -SIGKILL);
    CHECK(fs::exists(fs::path(home.data()) / "nemod.sock"));
  }
  CHECK(home.rows() == 6);
}

TEST_CASE("SIGHUP takes a changed config up; a broken one is refused with line and reason and nemod goes on") {
  const Home home;
  ChildProcess nemod(home.command());
  const int port = port_of(nemod);
  home.write("drain_timeout = \"5s\"\n");
  nemod.signal(SIGHUP);
  CHECK(!nemod.wait_for_line("config reloaded").empty());
  home.write("drain_timeout = \"soon\"\n");
  nemod.signal(SIGHUP);
  CHECK(contains(nemod.wait_for_line("config is not used"), home.config() + ":3"));
  CHECK(call(port).status == 200);
  nemod.signal(SIGTERM);
  CHECK(nemod.wait() == 0);
}

TEST_CASE("a changed config is taken up without a signal") {
  const Home home;
  ChildProcess nemod(home.command());
  port_of(nemod);
  home.write("drain_timeout = \"5s\"\nretention_days = 7\n");
  CHECK(contains(nemod.wait_for_line("config reloaded"), home.config()));
}

TEST_CASE("--check-config says whether a config can be used") {
  const Home home;
  CHECK(contains(said({nemod_path(), "--config", home.config(), "--check-config"}, 0), home.config() + ": ok"));
  std::ofstream(home.config()) << "listen = \"127.0.0.1:0\"\n\nrequire_key = yes\n";
  const std::string broken = said({nemod_path(), "--config", home.config(), "--check-config"}, 1);
  CHECK(contains(broken, home.config() + ":3"));
  CHECK(!fs::exists(home.data()));
  const std::string missing = home.folder() / "missing.toml";
  CHECK(contains(said({nemod_path(), "--config", missing, "--check-config"}, 1), missing));
}

TEST_CASE("--version says the version") {
  CHECK(said({nemod_path(), "--version"}, 0) == "nemod " + std::string(nemo::version()) + "\n");
}

TEST_CASE("flags that make no sense are a usage error, and an address for other machines is refused") {
  const Home home;
  CHECK(!said({nemod_path(), "--frobnicate"}, 2).empty());
  CHECK(!said({nemod_path(), "--log-level", "loud"}, 2).empty());
  CHECK(!said({nemod_path(), "surplus"}, 2).empty());
  for (const char* listen : {"6366", "127.0.0.1:", "127.0.0.1:99999", ":6366", "127.0.0.1:http"}) {
    CAPTURE(listen);
    CHECK(contains(said(home.command({"--listen", listen}), 2), "HOST:PORT"));
  }
  CHECK(contains(said(home.command({"--listen", "0.0.0.0:0"}), 1), "allow_remote"));
}

TEST_CASE("a port in use is refused with the nemod that holds it") {
  const Home home;
  const Home other;
  ChildProcess first(home.command());
  const int port = port_of(first);
  const std::string message = said(other.command({"--listen", "127.0.0.1:" + std::to_string(port)}), 1);
  CHECK(contains(message, "127.0.0.1:" + std::to_string(port) + " is in use"));
  CHECK(contains(message, "nemod (process " + std::to_string(first.pid()) + ")"));
}

TEST_CASE("a second nemod on one data folder is refused and does not disturb the first") {
  const Home home;
  ChildProcess first(home.command());
  const int port = port_of(first);
  CHECK(contains(said(home.command(), 1), "another nemod"));
  CHECK(fs::exists(fs::path(home.data()) / "nemod.sock"));
  CHECK(call(port).status == 200);
}

TEST_CASE("the service manager hears when nemod is ready and when it stops") {
  const Home home;
  const fs::path path = home.folder() / "notify";
  const NotifySocket manager(path);
  ChildProcess nemod(home.command(), {{"NOTIFY_SOCKET", path.string()}});
  CHECK(manager.receive() == "READY=1");
  CHECK(call(port_of(nemod)).status == 200);
  nemod.signal(SIGTERM);
  CHECK(manager.receive() == "STOPPING=1");
  CHECK(nemod.wait() == 0);
}

TEST_CASE("config and data come from the environment, and nothing that nemod keeps is for others to read") {
  const Home home;
  ChildProcess nemod({nemod_path()},
                     {{"NEMO_CONFIG", home.config()}, {"NEMO_DATA_DIR", home.data()}, {"HOME", "/nowhere"}});
  CHECK(call(port_of(nemod)).status == 200);
  for (const auto& entry : fs::recursive_directory_iterator(home.data())) {
    CAPTURE(entry.path().string());
    CHECK((entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
  }
}

}  // namespace nemo::test::nemod_test
