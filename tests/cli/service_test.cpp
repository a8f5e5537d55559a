// `nemo service` with a systemctl that only writes down what it is asked.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "tests/cli/nemo_with_daemon.h"

namespace nemo::test::service_test {

using namespace nemo;
using Json = nlohmann::ordered_json;
using nemo::test::Arguments;
using nemo::test::holds;
using nemo::test::run_nemo;
using nemo::test::Said;
namespace fs = std::filesystem;

namespace {

constexpr const char* k_tool =
    "#!/bin/sh\n"
    "dir=$(dirname \"$0\")\n"
    "echo \"$(basename \"$0\") $*\" >> \"$dir/asked\"\n"
    "if [ -f \"$dir/fails\" ]; then cat \"$dir/fails\" >&2; exit 1; fi\n"
    "case \"$*\" in\n"
    "  *'show nemod.service'*) cat \"$dir/state\" ;;\n"
    "  print*) cat \"$dir/printed\" 2>/dev/null || exit 113 ;;\n"
    "  *'-u nemod'*) echo 'nemod ready' ;;\n"
    "esac\n";

constexpr const char* k_running =
    "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=4711\n"
    "ActiveEnterTimestampMonotonic=1000000\nResult=success\n";
constexpr const char* k_stopped =
    "LoadState=loaded\nActiveState=inactive\nSubState=dead\nUnitFileState=enabled\nMainPID=0\nResult=success\n";

std::string read(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// A machine with tools of its own, and a home.
struct Machine {
  Machine() {
    fs::create_directories(home());
    fs::create_directories(bin());
    for (const char* name : {"systemctl", "journalctl", "launchctl"}) make_tool(name);
    make_tool("nemod");
    set_state(k_stopped);
  }
  void make_tool(const char* name) {
    std::ofstream(bin() / name) << k_tool;
    fs::permissions(bin() / name, fs::perms::owner_all);
  }
  void set_state(const std::string& state) { std::ofstream(bin() / "state") << state; }
  void fail_with(const std::string& why) { std::ofstream(bin() / "fails") << why; }
  fs::path home() const { return folder.path() / "home"; }
  fs::path bin() const { return folder.path() / "bin"; }
  fs::path unit() const { return home() / ".config" / "systemd" / "user" / "nemod.service"; }
  fs::path agent() const { return home() / "Library" / "LaunchAgents" / "ai.nemorouter.nemod.plist"; }

  Said run(const Arguments& words, std::map<std::string, std::string> environment = {}) const {
    Arguments all{"service"};
    all.insert(all.end(), words.begin(), words.end());
    environment.emplace("HOME", home().string());
    environment.emplace("PATH", bin().string() + ":/usr/bin:/bin");
    return run_nemo({all, {}, environment});
  }
  // What the tools were asked since the last time.
  std::vector<std::string> asked() const {
    std::vector<std::string> lines;
    std::ifstream in(bin() / "asked");
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    in.close();
    fs::remove(bin() / "asked");
    return lines;
  }

  test::TemporaryFolder folder;
};

using Lines = std::vector<std::string>;

// Without the questions that change nothing.
Lines changes(const Lines& asked) {
  Lines kept;
  for (const std::string& line : asked) {
    if (!holds(line, " show ") && !holds(line, "launchctl print")) kept.push_back(line);
  }
  return kept;
}

}  // namespace

TEST_CASE("install writes the unit, shows it, and has systemd start it now and at every login") {
  const Machine machine;
  const Said said = machine.run({"install"});
  CHECK(said.err == "");
  CHECK(said.status == 0);
  const std::string unit = read(machine.unit());
  CHECK(holds(unit, "ExecStart="));
  CHECK(holds(unit, "/nemod\n"));
  CHECK(holds(said.out, machine.unit().string()));
  CHECK(holds(said.out, "Type=notify"));
  CHECK(changes(machine.asked()) == Lines{"systemctl --user daemon-reload", "systemctl --user enable nemod.service",
                                          "systemctl --user start nemod.service"});
}

TEST_CASE("to install again writes nothing and restarts nothing") {
  Machine machine;
  REQUIRE(machine.run({"install"}).status == 0);
  machine.set_state(k_running);
  machine.asked();
  const auto before = fs::last_write_time(machine.unit());
  const Said said = machine.run({"install"});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "is as it should be"));
  CHECK(fs::last_write_time(machine.unit()) == before);
  for (const std::string& line : machine.asked()) CHECK_FALSE(holds(line, "restart"));
}

TEST_CASE("another config replaces the unit, and what runs is restarted with it") {
  Machine machine;
  REQUIRE(machine.run({"install"}).status == 0);
  machine.set_state(k_running);
  machine.asked();
  std::ofstream(machine.home() / "my own.toml") << "\n";
  const Said said = machine.run({"install", "--config", (machine.home() / "my own.toml").string()});
  CHECK(said.status == 0);
  CHECK(holds(read(machine.unit()), " --config \"" + (machine.home() / "my own.toml").string() + "\"\n"));
  CHECK(changes(machine.asked()).back() == "systemctl --user restart nemod.service");
  const Said refused = machine.run({"install", "--config", "/nowhere.toml"});
  CHECK(refused.status == 1);
  CHECK(holds(refused.err, "/nowhere.toml"));
}

TEST_CASE("--print prints the file of either system, writes nothing and asks nobody") {
  const Machine machine;
  const Said unit = machine.run({"install", "--print"});
  CHECK(unit.status == 0);
  CHECK(holds(unit.out, "[Service]"));
  const Said agent = machine.run({"install", "--print", "--platform", "launchd"});
  CHECK(agent.status == 0);
  CHECK(agent.out.starts_with("<?xml"));
  CHECK_FALSE(fs::exists(machine.unit()));
  CHECK_FALSE(fs::exists(machine.agent()));
  CHECK(machine.asked().empty());
  const Said json = machine.run({"install", "--print", "--json"});
  CHECK(Json::parse(json.out).at("text") == unit.out);
  CHECK(Json::parse(json.out).at("file") == machine.unit().string());
}

TEST_CASE("--no-start leaves the start to the next login") {
  const Machine machine;
  CHECK(machine.run({"install", "--no-start"}).status == 0);
  CHECK(changes(machine.asked()) == Lines{"systemctl --user daemon-reload", "systemctl --user enable nemod.service"});
}

TEST_CASE("where systemd does not answer nothing is written, and what to do instead is said") {
  Machine machine;
  machine.fail_with("Failed to connect to bus: No medium found\n");
  for (const Arguments& words : {Arguments{"install"}, Arguments{"status"}}) {
    const Said said = machine.run(words);
    CHECK(said.status == 1);
    CHECK(holds(said.err, "No medium found"));
    CHECK(holds(said.err, "loginctl enable-linger"));
    CHECK(holds(said.err, "/nemod"));
  }
  CHECK_FALSE(fs::exists(machine.unit()));
}

TEST_CASE("a unit that somebody else wrote stays") {
  const Machine machine;
  fs::create_directories(machine.unit().parent_path());
  std::ofstream(machine.unit()) << "[Service]\nExecStart=/bin/mine\n";
  for (const Arguments& words : {Arguments{"install"}, Arguments{"uninstall"}}) {
    const Said said = machine.run(words);
    CHECK(said.status == 1);
    CHECK(holds(said.err, "stays as it is"));
    CHECK(changes(machine.asked()).empty());
  }
  CHECK(holds(read(machine.unit()), "/bin/mine"));
}

TEST_CASE("uninstall stops the service and removes its file, and then there is nothing to do") {
  const Machine machine;
  REQUIRE(machine.run({"install"}).status == 0);
  machine.asked();
  CHECK(machine.run({"uninstall"}).status == 0);
  CHECK_FALSE(fs::exists(machine.unit()));
  CHECK(changes(machine.asked()) ==
        Lines{"systemctl --user disable --now nemod.service", "systemctl --user daemon-reload"});
  const Said again = machine.run({"uninstall"});
  CHECK(again.status == 0);
  CHECK(holds(again.out, "nothing was changed"));
  CHECK(machine.asked().empty());
}

TEST_CASE("start and stop tell systemd, and without an installed service how to install it") {
  const Machine machine;
  for (const char* verb : {"start", "stop"}) {
    const Said said = machine.run({verb});
    CHECK(said.status == 1);
    CHECK(holds(said.err, "nemo service install"));
  }
  REQUIRE(machine.run({"install", "--no-start"}).status == 0);
  machine.asked();
  CHECK(machine.run({"start"}).status == 0);
  CHECK(changes(machine.asked()) == Lines{"systemctl --user start nemod.service"});
  CHECK(machine.run({"stop"}).status == 0);
  CHECK(changes(machine.asked()) == Lines{"systemctl --user stop nemod.service"});
}

TEST_CASE("what systemd refuses is told in its own words") {
  Machine machine;
  REQUIRE(machine.run({"install", "--no-start"}).status == 0);
  std::ofstream(machine.bin() / "systemctl") << "#!/bin/sh\ncase \"$*\" in *Version*) ;; *'show nemod'*) echo "
                                                "ActiveState=inactive ;; *) echo 'Job failed.' >&2; exit 3 ;; esac\n";
  const Said said = machine.run({"start"});
  CHECK(said.status == 1);
  CHECK(holds(said.err, "Job failed."));
  CHECK(holds(said.err, "nemo service logs"));
}

TEST_CASE("a daemon that was started by hand keeps the service from starting, and is named as the reason") {
  const Machine machine;
  const test::NemoWithDaemon daemon;
  const Said said = machine.run({"install"}, {{"NEMO_SOCKET", daemon.socket.string()}});
  CHECK(said.status == 1);
  CHECK(holds(said.err, "in another way"));
  for (const std::string& line : machine.asked()) CHECK_FALSE(holds(line, "start nemod"));
}

TEST_CASE("status says whether the service runs and whether the daemon answers, and ends with 3 when it does not") {
  Machine machine;
  machine.set_state(k_running);
  const test::NemoWithDaemon daemon;
  const Said good = machine.run({"status", "--json"}, {{"NEMO_SOCKET", daemon.socket.string()}});
  CHECK(good.status == 0);
  const Json state = Json::parse(good.out);
  CHECK(state.at("platform") == "systemd");
  CHECK(state.at("installed") == true);
  CHECK(state.at("active") == "active");
  CHECK(state.at("enabled") == true);
  CHECK(state.at("pid") == 4711);
  CHECK(state.at("since").is_string());
  CHECK(state.at("answers") == true);
  CHECK(state.at("socket") == daemon.socket.string());

  machine.set_state(k_stopped);
  const Said bad = machine.run({"status"}, {{"NEMO_SOCKET", (machine.home() / "s").string()}});
  CHECK(bad.status == 3);
  CHECK(holds(bad.out, "inactive (dead)"));
  CHECK(holds(bad.out, "no, not at"));
  const Said json = machine.run({"status", "--json"}, {{"NEMO_SOCKET", (machine.home() / "s").string()}});
  CHECK(json.status == 3);
  CHECK(Json::parse(json.out).at("pid").is_null());
  CHECK(Json::parse(json.out).at("answers") == false);
}

TEST_CASE("logs are the journal's, as many lines as asked for") {
  const Machine machine;
  const Said said = machine.run({"logs", "-f", "-n", "7"});
  CHECK(said.status == 0);
  CHECK(said.out == "nemod ready\n");
  CHECK(machine.asked() == Lines{"journalctl --user -u nemod -n 7 -f"});
  machine.run({"logs"});
  CHECK(machine.asked() == Lines{"journalctl --user -u nemod -n 50"});
}

TEST_CASE("keys that only this shell has are pointed out, and not repeated") {
  const Machine machine;
  const Said said = machine.run({"install"}, {{"NEMOROUTER_API_KEY", "sk-upstream-5f3a9c1e7b2d"}});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "nemo login"));
  CHECK_FALSE(holds(said.out, "5f3a9c1e7b2d"));
  CHECK_FALSE(holds(read(machine.unit()), "5f3a9c1e7b2d"));
}

TEST_CASE("with launchd the agent is written, loaded, shown and taken out again") {
  const Machine machine;
  const Said installed = machine.run({"install", "--platform", "launchd"});
  CHECK(installed.err == "");
  CHECK(installed.status == 0);
  CHECK(holds(read(machine.agent()), "<string>ai.nemorouter.nemod</string>"));
  CHECK(fs::is_directory(machine.home() / "Library" / "Logs" / "nemo"));
  const Lines asked = changes(machine.asked());
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].starts_with("launchctl enable gui/"));
  CHECK(asked[1].starts_with("launchctl bootstrap gui/"));
  CHECK(holds(asked[1], machine.agent().string()));

  std::ofstream(machine.bin() / "printed") << "x = {\n\tstate = running\n\tpid = 512\n}\n";
  const Said status = machine.run({"status", "--json", "--platform", "launchd"});
  CHECK(Json::parse(status.out).at("pid") == 512);
  const Said no_log = machine.run({"logs", "--platform", "launchd"});
  CHECK(no_log.status == 1);
  std::ofstream(machine.home() / "Library" / "Logs" / "nemo" / "nemod.log") << "one\ntwo\n";
  CHECK(machine.run({"logs", "-n", "1", "--platform", "launchd"}).out == "two\n");
  machine.asked();
  CHECK(machine.run({"uninstall", "--platform", "launchd"}).status == 0);
  CHECK(changes(machine.asked()).front().starts_with("launchctl bootout gui/"));
  CHECK_FALSE(fs::exists(machine.agent()));
}

}  // namespace nemo::test::service_test
