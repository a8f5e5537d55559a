#include "cli/service/systemd.h"

#include <charconv>

#include "cli/program.h"
#include "cli/service/service_text.h"

namespace nemo::cli::service {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> properties_in(const std::string& text) {
  std::map<std::string, std::string> properties;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t sign = line.find('=');
    if (sign == std::string_view::npos) continue;
    properties.emplace(line.substr(0, sign), line.substr(sign + 1));
  }
  return properties;
}

std::int64_t number_of(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

fs::path Systemd::file() const {
  const fs::path given = m_env("XDG_CONFIG_HOME").value_or("");
  const fs::path base = given.is_absolute() ? given : fs::path(m_env("HOME").value_or("/")) / ".config";
  return base / "systemd" / "user" / "nemod.service";
}

Result<std::string> Systemd::text(const ServicePlan& plan) const {
  return systemd_unit(plan);
}

Status Systemd::reach() const {
  const auto answer = run_tool(m_env, "systemctl", {"--user", "show", "--property=Version"});
  if (answer) return Done{};
  const auto nemod = find_nemod(m_env);
  const std::string program = nemod ? nemod->string() : "nemod";
  return fail(ErrorKind::not_found,
              "systemd does not run services for this user here (" + answer.error().message +
                  "). Log in as the user itself, not by su or sudo, or let its services run without a login: "
                  "loginctl enable-linger. Where there is no systemd, have whatever starts your programs run " +
                  program + "; it stays in the foreground.");
}

Status Systemd::tell(std::vector<std::string> words) const {
  words.insert(words.begin(), "--user");
  const auto answer = run_tool(m_env, "systemctl", words);
  if (!answer) return answer.error();
  return Done{};
}

Status Systemd::prepare(const ServicePlan& /*plan*/) const {
  if (Status reloaded = tell({"daemon-reload"}); !reloaded) return reloaded;
  return tell({"enable", "nemod.service"});
}

ServiceState read_properties(const std::string& text, const Clock& clock) {
  const auto properties = properties_in(text);
  const auto value = [&](const char* name) {
    const auto found = properties.find(name);
    return found == properties.end() ? std::string() : found->second;
  };
  ServiceState state;
  state.installed = value("LoadState") == "loaded";
  state.active = value("ActiveState");
  state.detail = value("SubState");
  const std::string result = value("Result");
  if (!result.empty() && result != "success") state.detail = result;
  state.enabled = value("UnitFileState") == "enabled";
  if (const std::int64_t pid = number_of(value("MainPID")); pid > 0) state.pid = pid;
  const std::int64_t entered = number_of(value("ActiveEnterTimestampMonotonic"));
  if (state.active == "active" && entered > 0) {
    const auto now = std::chrono::duration_cast<Micros>(clock.steady().time_since_epoch());
    state.since = clock.wall() - (now - Micros(entered));
  }
  return state;
}

Result<ServiceState> Systemd::state() const {
  const auto text = run_tool(
      m_env, "systemctl",
      {"--user", "show", "nemod.service",
       "--property=LoadState,ActiveState,SubState,UnitFileState,MainPID,ActiveEnterTimestampMonotonic,Result"});
  if (!text) return text.error();
  return read_properties(*text, m_clock);
}

Result<int> Systemd::show_logs(const LogWishes& wishes) const {
  const auto program = find_program(m_env, "journalctl");
  if (!program) return fail(ErrorKind::not_found, "there is no journalctl in PATH");
  std::vector<std::string> words{"--user", "-u", "nemod", "-n", std::to_string(wishes.lines)};
  if (wishes.follow) words.emplace_back("-f");
  if (wishes.json) words.insert(words.end(), {"-o", "json"});
  const auto outcome = run_program(*program, words, Output::pass_on);
  if (!outcome) return outcome.error();
  return outcome->exit_status;
}

}  // namespace nemo::cli::service
