#include "cli/service/supervisor.h"

#include "cli/program.h"
#include "cli/service/launchd.h"
#include "cli/service/systemd.h"

namespace nemo::cli::service {

std::unique_ptr<Supervisor> make_supervisor(Kind kind, const Environment& env, const Clock& clock) {
#ifdef __APPLE__
  constexpr Kind k_native = Kind::launchd;
#else
  constexpr Kind k_native = Kind::systemd;
#endif
  if (kind == Kind::native) kind = k_native;
  if (kind == Kind::launchd) return std::make_unique<Launchd>(env);
  return std::make_unique<Systemd>(env, clock);
}

Result<std::string> run_tool(const Environment& env, const std::string& tool,
                             const std::vector<std::string>& arguments) {
  const auto program = find_program(env, tool);
  if (!program) return fail(ErrorKind::not_found, "there is no " + tool + " in PATH");
  auto outcome = run_program(*program, arguments, Output::capture);
  if (!outcome) return outcome.error();
  std::string said = std::move(outcome->text);
  if (outcome->exit_status == 0) return said;
  while (!said.empty() && (said.back() == '\n' || said.back() == ' ')) said.pop_back();
  if (said.empty()) said = "it ended with " + std::to_string(outcome->exit_status);
  std::string command = tool;
  for (const std::string& argument : arguments) command += " " + argument;
  return fail(ErrorKind::conflict, command + ": " + said);
}

}  // namespace nemo::cli::service
