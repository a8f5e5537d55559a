#include "cli/service/launchd.h"

#include <unistd.h>

#include <charconv>

#include "cli/program.h"
#include "cli/service/service_text.h"

namespace nemo::cli::service {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_label = "ai.nemorouter.nemod";

std::string domain() {
  return "gui/" + std::to_string(::getuid());
}

std::string target() {
  return domain() + "/" + std::string(k_label);
}

// "state = running": what stands behind the first line with the name; empty: there is none.
std::string value_in(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    if (line.starts_with(" = ")) return std::string(line.substr(3));
  }
  return {};
}

}  // namespace

fs::path Launchd::file() const {
  return fs::path(m_env("HOME").value_or("/")) / "Library" / "LaunchAgents" / (std::string(k_label) + ".plist");
}

fs::path Launchd::log_file() const {
  return fs::path(m_env("HOME").value_or("/")) / "Library" / "Logs" / "nemo" / "nemod.log";
}

Result<std::string> Launchd::text(const ServicePlan& plan) const {
  return launchd_agent(plan);
}

Status Launchd::reach() const {
  if (find_program(m_env, "launchctl")) return Done{};
  return fail(ErrorKind::not_found,
              "launchd is a part of macOS, and there is no launchctl here. \"nemo service install --print --platform "
              "launchd\" shows what it would get.");
}

Status Launchd::tell(const std::vector<std::string>& words) const {
  const auto answer = run_tool(m_env, "launchctl", words);
  if (!answer) return answer.error();
  return Done{};
}

bool Launchd::is_loaded() const {
  return run_tool(m_env, "launchctl", {"print", target()}).ok();
}

// The agent's file has RunAtLoad: it is started when it is loaded.
Status Launchd::prepare(const ServicePlan& plan) const {
  std::error_code trouble;
  fs::create_directories(plan.log_file.parent_path(), trouble);
  if (trouble) {
    return fail(ErrorKind::storage, plan.log_file.parent_path().string() + " cannot be made: " + trouble.message());
  }
  return tell({"enable", target()});
}

Status Launchd::start() const {
  return is_loaded() ? tell({"kickstart", target()}) : tell({"bootstrap", domain(), file().string()});
}

// What is loaded keeps the file that it was loaded from.
Status Launchd::restart() const {
  if (Status stopped = stop(); !stopped) return stopped;
  return tell({"bootstrap", domain(), file().string()});
}

Status Launchd::stop() const {
  return is_loaded() ? tell({"bootout", target()}) : Status(Done{});
}

Status Launchd::withdraw() const {
  return stop();
}

ServiceState read_print(const std::string& text) {
  ServiceState state;
  state.installed = true;
  state.enabled = true;  // what is loaded from an agent's file is loaded at every login
  state.detail = value_in(text, "state");
  state.active = state.detail == "running" ? "active" : "inactive";
  const std::string pid = value_in(text, "pid");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(pid.data(), pid.data() + pid.size(), number);
  if (error == std::errc() && end == pid.data() + pid.size() && number > 0) state.pid = number;
  return state;
}

Result<ServiceState> Launchd::state() const {
  if (const auto text = run_tool(m_env, "launchctl", {"print", target()})) return read_print(*text);
  ServiceState state;
  std::error_code ignored;
  state.installed = fs::exists(file(), ignored);
  state.enabled = state.installed;
  state.active = "inactive";
  state.detail = "not loaded";
  return state;
}

Result<int> Launchd::show_logs(const LogWishes& wishes) const {
  std::error_code ignored;
  if (!fs::exists(log_file(), ignored)) {
    return fail(ErrorKind::not_found, log_file().string() + " is not there: the service has not run yet");
  }
  const auto program = find_program(m_env, "tail");
  if (!program) return fail(ErrorKind::not_found, "there is no tail in PATH; the log is " + log_file().string());
  std::vector<std::string> words{"-n", std::to_string(wishes.lines)};
  if (wishes.follow) words.emplace_back("-F");
  words.push_back(log_file().string());
  const auto outcome = run_program(*program, words, Output::pass_on);
  if (!outcome) return outcome.error();
  return outcome->exit_status;
}

}  // namespace nemo::cli::service
