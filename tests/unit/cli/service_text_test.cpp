#include "cli/service/service_text.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "cli/program.h"
#include "cli/service/launchd.h"
#include "cli/service/service_file.h"
#include "cli/service/systemd.h"
#include "temp_folder.h"

namespace nemo::test::service_text_test {

using namespace nemo;
using namespace nemo::cli::service;
namespace fs = std::filesystem;

namespace {

std::string text_of(const Result<std::string>& text) {
  REQUIRE_MESSAGE(text.ok(), (text.ok() ? "" : text.error().message));
  return *text;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

ServicePlan plan_with(const fs::path& nemod) {
  ServicePlan plan;
  plan.nemod = nemod;
  plan.log_file = "/home/anna/Library/Logs/nemo/nemod.log";
  return plan;
}

// The most awkward places that a plan can name.
ServicePlan awkward_plan(const fs::path& folder) {
  ServicePlan plan = plan_with(folder / "my <own> & best 100% $HOME bin" / "nemod");
  plan.config = folder / "a b$c%d'e\"f\\g.toml";
  plan.environment = {{"NEMO_DATA_DIR", "/data/50% & \"x\" $HOME"}, {"NEMO_SOCKET", "/run/nemo.sock"}};
  return plan;
}

void make_program(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "#!/bin/sh\n";
  fs::permissions(path, fs::perms::owner_all);
}

// What a program of this machine says of a file; nothing: there is no such program.
std::optional<cli::Outcome> ask(const std::string& program, std::vector<std::string> arguments) {
  const auto found = cli::find_program(process_environment, program);
  if (!found) return std::nullopt;
  auto outcome = cli::run_program(*found, arguments, cli::Output::capture);
  return outcome ? std::optional(*outcome) : std::nullopt;
}

struct FixedClocks final : Clock {
  WallTime wall() const override { return WallTime(Micros(1'000'000'000)); }
  SteadyTime steady() const override { return SteadyTime(std::chrono::seconds(100)); }
};

}  // namespace

TEST_CASE("a unit starts nemod where it is, and again when it has failed, and says when it is ready") {
  const std::string unit = text_of(systemd_unit(plan_with("/opt/nemo/bin/nemod")));
  CHECK(holds(unit, "\nExecStart=/opt/nemo/bin/nemod\n"));
  CHECK(holds(unit, "\nType=notify\n"));
  CHECK(holds(unit, "\nRestart=on-failure\n"));
  CHECK(holds(unit, "\nLimitCORE=0\n"));
  CHECK(holds(unit, "\nNoNewPrivileges=yes\n"));
  CHECK(holds(unit, "\nWantedBy=default.target\n"));
  CHECK_FALSE(holds(unit, "Environment="));
  CHECK_FALSE(holds(unit, "@"));
  CHECK(is_ours(unit));
}

TEST_CASE("a unit names a config and other places only when they are not the usual ones, quoted for systemd") {
  const std::string unit = text_of(systemd_unit(awkward_plan("/opt")));
  CHECK(
      holds(unit, R"(ExecStart="/opt/my <own> & best 100%% $HOME bin/nemod" --config "/opt/a b$$c%%d'e\"f\\g.toml")"));
  CHECK(holds(unit, "\nEnvironment=\"NEMO_DATA_DIR=/data/50%% & \\\"x\\\" $HOME\"\n"));
  CHECK(holds(unit, "\nEnvironment=NEMO_SOCKET=/run/nemo.sock\n"));
}

TEST_CASE("systemd itself finds nothing wrong with a unit, whatever its paths are") {
  const test::TempFolder folder;
  const ServicePlan awkward = awkward_plan(folder.path());
  ServicePlan plain = plan_with(folder.path() / "nemod");
  for (const ServicePlan& plan : {plain, awkward}) {
    make_program(plan.nemod);
    const fs::path unit = folder.path() / "nemod.service";
    std::ofstream(unit) << text_of(systemd_unit(plan));
    if (!cli::find_program(process_environment, "systemd-analyze")) {
      MESSAGE("systemd-analyze is not here (Debian's package systemd has it): the unit was not verified");
      return;
    }
    // It wants a user's session, of which it needs only the folder.
    const auto said =
        ask("env", {"XDG_RUNTIME_DIR=" + folder.path().string(), "systemd-analyze", "--user", "verify", unit.string()});
    REQUIRE(said.has_value());
    CHECK(said->exit_status == 0);
    CHECK(said->text == "");  // what it only warns of is wrong too
  }
}

TEST_CASE("a plist reader finds in an agent what was put there") {
  const test::TempFolder folder;
  const ServicePlan plan = awkward_plan("/opt");
  const fs::path agent = folder.path() / "nemod.plist";
  std::ofstream(agent) << text_of(launchd_agent(plan));
  const std::string program =
      "import plistlib, sys\n"
      "p = plistlib.load(open(sys.argv[1], 'rb'))\n"
      "print(p['Label'], p['RunAtLoad'], p['KeepAlive'], p['Umask'], p['HardResourceLimits'])\n"
      "print('\\n'.join(p['ProgramArguments']))\n"
      "print(p['EnvironmentVariables']['NEMO_DATA_DIR'])\n"
      "print(p['StandardErrorPath'])\n";
  const auto said = ask("python3", {"-c", program, agent.string()});
  if (!said) {
    MESSAGE("python3 is not here: the agent was not read");
    return;
  }
  CHECK(said->exit_status == 0);
  CHECK(said->text == "ai.nemorouter.nemod True {'SuccessfulExit': False} 63 {'Core': 0}\n" + plan.nemod.string() +
                          "\n--config\n" + plan.config->string() + "\n/data/50% & \"x\" $HOME\n" +
                          plan.log_file.string() + "\n");
}

TEST_CASE("an agent without anything unusual has no environment, and is ours") {
  const std::string agent = text_of(launchd_agent(plan_with("/opt/nemod")));
  CHECK(holds(agent, "<array>\n    <string>/opt/nemod</string>\n  </array>\n  <key>RunAtLoad</key>"));
  CHECK_FALSE(holds(agent, "@"));
  CHECK(is_ours(agent));
}

TEST_CASE("a path that such a file cannot hold is refused") {
  for (const char* path : {"/opt/a\nb/nemod", "/opt/\x01/nemod", "/opt/\xff/nemod"}) {
    CHECK_FALSE(systemd_unit(plan_with(path)).ok());
    CHECK_FALSE(launchd_agent(plan_with(path)).ok());
  }
  for (const char* path : {"/opt/a'b/nemod", "/opt/a\"b/nemod", "/opt/a\\b/nemod"}) {
    CHECK_FALSE(systemd_unit(plan_with(path)).ok());
    CHECK(launchd_agent(plan_with(path)).ok());
  }
  ServicePlan plan = plan_with("/opt/nemod");
  plan.environment = {{"NEMO_SOCKET", "/run/a\n[Service]\nExecStart=/bin/evil"}};
  CHECK_FALSE(systemd_unit(plan).ok());
}

TEST_CASE(
    "what systemd shows of a unit becomes a state, and its times, counted from the machine's start, times of day") {
  const FixedClocks clock;
  const ServiceState running = read_properties(
      "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=4711\n"
      "ActiveEnterTimestampMonotonic=40000000\nResult=success\n",
      clock);
  CHECK(running.installed);
  CHECK(running.enabled);
  CHECK(running.active == "active");
  CHECK(running.detail == "running");
  CHECK(running.pid == 4711);
  CHECK(running.since == WallTime(Micros(1'000'000'000 - 60'000'000)));
  const ServiceState failed = read_properties(
      "LoadState=loaded\nActiveState=failed\nSubState=failed\nUnitFileState=disabled\nMainPID=0\n"
      "ActiveEnterTimestampMonotonic=40000000\nResult=exit-code\n",
      clock);
  CHECK(failed.detail == "exit-code");
  CHECK_FALSE(failed.enabled);
  CHECK_FALSE(failed.pid.has_value());
  CHECK_FALSE(failed.since.has_value());
  CHECK_FALSE(read_properties("LoadState=not-found\nActiveState=inactive\n", clock).installed);
  CHECK_FALSE(read_properties("", clock).installed);
}

TEST_CASE("what launchd prints of an agent becomes a state") {
  const ServiceState running =
      read_print("gui/501/ai.nemorouter.nemod = {\n\tactive count = 1\n\tstate = running\n\n\tpid = 512\n}\n");
  CHECK(running.active == "active");
  CHECK(running.pid == 512);
  const ServiceState ended = read_print("gui/501/x = {\n\tstate = not running\n}\n");
  CHECK(ended.active == "inactive");
  CHECK(ended.detail == "not running");
  CHECK_FALSE(ended.pid.has_value());
}

TEST_CASE("a file is written once, replaced when it differs, removed, and never when it is another's") {
  const test::TempFolder folder;
  const fs::path file = folder.path() / "a" / "b" / "nemod.service";
  const std::string text = text_of(systemd_unit(plan_with("/opt/nemod")));
  CHECK(write_service_file(file, text).value() == Change::made);
  CHECK(write_service_file(file, text).value() == Change::none);
  CHECK(write_service_file(file, text + "\n").value() == Change::replaced);
  CHECK(std::distance(fs::directory_iterator(file.parent_path()), fs::directory_iterator()) == 1);
  CHECK(remove_service_file(file).value() == Change::removed);
  CHECK(remove_service_file(file).value() == Change::none);
  std::ofstream(file) << "[Service]\nExecStart=/bin/mine\n";
  CHECK_FALSE(write_service_file(file, text).ok());
  CHECK_FALSE(remove_service_file(file).ok());
  CHECK(fs::file_size(file) == 30);
  fs::remove(file);
  fs::create_symlink("/dev/null", file);  // systemctl mask
  CHECK_FALSE(write_service_file(file, text).ok());
  CHECK(fs::is_symlink(file));
}

TEST_CASE("places that only this shell's variables name go into the plan, and a config that is not there is refused") {
  const test::TempFolder folder;
  make_program(folder.path() / "bin" / "nemod");
  std::map<std::string, std::string> variables{{"HOME", "/home/anna"}, {"PATH", (folder.path() / "bin").string()}};
  const Environment env = [&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  const auto usual = make_plan(env, {});
  REQUIRE(usual.ok());
  CHECK_FALSE(usual->config.has_value());
  CHECK(usual->environment.empty());
  CHECK(usual->nemod.filename() == "nemod");

  variables["NEMO_CONFIG"] = (folder.path() / "own.toml").string();
  CHECK_FALSE(make_plan(env, {}).ok());
  std::ofstream(folder.path() / "own.toml") << "\n";
  variables["XDG_DATA_HOME"] = "/data";
  variables["NEMO_SOCKET"] = "/run/own.sock";
  const auto own = make_plan(env, {});
  REQUIRE(own.ok());
  CHECK(own->config == folder.path() / "own.toml");
  REQUIRE(own->environment.size() == 2);
  CHECK(own->environment[0].first == "NEMO_DATA_DIR");
  CHECK(own->environment[0].second == "/data/nemo");
  CHECK(own->environment[1].second == "/run/own.sock");

  CHECK(unseen_credentials(env).empty());
  variables["NEMOROUTER_API_KEY"] = "sk-1";
  CHECK(unseen_credentials(env) == std::vector<std::string>{"NEMOROUTER_API_KEY"});
}

}  // namespace nemo::test::service_text_test
