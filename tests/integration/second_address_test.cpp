// The address for Ollama's clients as people see it: in the status, and in what a reload says of it.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "child_process.h"
#include "harness.h"
#include "raw_upstream.h"

namespace nemo::test::second_address_test {

using namespace nemo::test;

namespace {

std::string ollama_at(const std::string& address) {
  return "ollama_listen = \"" + address + "\"\n";
}

std::string free_address() {
  const std::string url = ClosedPort().base_url();
  return url.substr(7, url.rfind('/') - 7);
}

Json ollama_status(Rig& rig) {
  return rig.admin("GET", "/status")["ollama"];
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the status tells where Ollama's clients are served, and counts their connections") {
  const std::string address = free_address();
  Rig rig({ollama_at(address), "", {}, false});
  const Json ollama = ollama_status(rig);
  CHECK(ollama["state"] == "listening");
  CHECK(ollama["url"] == "http://" + address);
  CHECK(ollama["only_if_free"] == false);
  const int before = rig.admin("GET", "/status")["open_connections"];
  Client client(std::stoi(address.substr(address.rfind(':') + 1)));
  client.send(rig.request("GET", "/api/version", ""));
  CHECK(client.receive().status == 200);
  CHECK(rig.admin("GET", "/status")["open_connections"] == before + 1);
}

TEST_CASE("the status tells who has the address that was not had, and nothing when none is wanted") {
  CHECK([] {
    Rig rig;
    return ollama_status(rig)["state"] == "off";
  }());
  const RawUpstream other([](const RawCall&) {});
  const std::string url = other.base_url();
  const std::string taken = url.substr(7, url.rfind('/') - 7);
  Rig rig({ollama_at(taken), "", {}, false});
  const Json ollama = ollama_status(rig);
  CHECK(ollama["state"] == "not had");
  CHECK(ollama["url"] == "http://" + taken);
  CHECK(ollama["detail"].get<std::string>().find(taken + " is in use by ") != std::string::npos);
}

TEST_CASE("a reload applies what it can and names what waits for a restart, in its answer and in the status") {
  Rig rig;
  const std::string before = text_of(rig.config_file());
  CHECK(rig.admin("POST", "/config/reload") == Json{{"after_restart", Json::array()}});
  rig.write_config(ollama_at("auto") + "retention_days = 7\n" + before);
  const Json waiting = Json::array({"ollama_listen = \"auto\""});
  CHECK(rig.admin("POST", "/config/reload")["after_restart"] == waiting);
  const Json status = rig.admin("GET", "/status");
  CHECK(status["after_restart"] == waiting);
  CHECK(status["ollama"]["state"] == "off");
  CHECK(rig.admin("GET", "/config")["text"].get<std::string>().find("retention_days = 7") != std::string::npos);
  rig.write_config(before);
  CHECK(rig.admin("POST", "/config/reload")["after_restart"] == Json::array());
  CHECK(rig.admin("GET", "/status")["after_restart"] == Json::array());
}

TEST_CASE("nemod's log names what waits for a restart when its config file was changed") {
  const TempFolder folder;
  const auto file = folder.path() / "nemo.toml";
  const std::string listen = "listen = \"127.0.0.1:0\"\n";
  std::ofstream(file) << listen;
  ChildProcess nemod({nemod_path(), "--config", file.string(), "--data-dir", (folder.path() / "data").string()});
  REQUIRE_FALSE(nemod.wait_for_line("nemod ready on").empty());
  std::ofstream(file) << "listen = \"127.0.0.1:7\"\n" << ollama_at("auto");
  nemod.signal(SIGHUP);
  CHECK(nemod.wait_for_line("takes effect after a restart").find(R"(listen = "127.0.0.1:7", ollama_listen = "auto")") !=
        std::string::npos);
  nemod.signal(SIGTERM);
  CHECK(nemod.wait() == 0);
}

}  // namespace nemo::test::second_address_test
