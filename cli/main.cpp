#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/text.h"
#include "shared/resemblance.h"
#include "shared/secret.h"
#include "shared/version.h"

namespace nemo::cli {
namespace {

constexpr std::size_t k_far_off = 3;  // edits; a word further away is not what was meant

void add_commands(CLI::App& app, Context& context) {
  app.set_version_flag("--version", "nemo " + std::string(version()), "Print the version and exit");
  app.add_option("--socket", context.socket, "The daemon's socket, when it is not at its usual place")
      ->type_name("PATH");
  app.add_flag("--json", context.json, "Print JSON with exact values and stable names");
  app.require_subcommand(1);
  app.fallthrough();  // lets global flags stand after the command too
  commands::add_status(app, context);
  commands::add_doctor(app, context);
  commands::add_login(app, context);
  commands::add_logout(app, context);
  commands::add_models(app, context);
  commands::add_set_model(app, context);
  commands::add_keys(app, context);
  commands::add_teams(app, context);
  commands::add_seats(app, context);
  commands::add_budgets(app, context);
  commands::add_deployments(app, context);
  commands::add_route(app, context);
  commands::add_ab(app, context);
  commands::add_usage(app, context);
  commands::add_logs(app, context);
  commands::add_why(app, context);
  commands::add_config(app, context);
  commands::add_connect(app, context);
  commands::add_service(app, context);
  // Last, because commands take over what the program has when they are added.
  app.footer(
      "Examples:\n"
      "  nemo status                       is it running, and with what\n"
      "  nemo login < key.txt              give the daemon its upstream key\n"
      "  nemo keys create --seat alice --budget 80/month     make a key for an editor, and cap it\n"
      "  nemo connect claude-code --write  point an editor or assistant here\n"
      "  nemo budgets                      what is spent against what is allowed\n"
      "  nemo logs -f                      watch the calls\n"
      "\"nemo COMMAND --help\" tells more about a command.");
}

std::string unknown_command(const CLI::App& parent, const std::string& word) {
  std::string nearest;
  std::size_t fewest = k_far_off;
  for (const CLI::App* command : parent.get_subcommands({})) {
    const std::size_t edits = edit_distance(word, command->get_name());
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = command->get_name();
  }
  std::string message = "unknown command \"" + redact(word) + "\"";
  if (!nearest.empty()) message += "; did you mean \"" + nearest + "\"?";
  return message;
}

// The command that the arguments were for, and what was wrong if it was a command's name.
std::pair<const CLI::App*, std::string> find_fault(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App* at = &app;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--socket" && ++i < arguments.size()) continue;
    if (i >= arguments.size() || arguments[i].rfind('-', 0) == 0) continue;
    const auto commands = at->get_subcommands({});
    if (commands.empty()) break;
    const auto found = std::find_if(commands.begin(), commands.end(),
                                    [&](const CLI::App* command) { return command->get_name() == arguments[i]; });
    const bool may_be_a_value = at->get_require_subcommand_min() == 0 && arguments[i - 1].rfind("--", 0) == 0;
    if (found == commands.end() && may_be_a_value) continue;
    if (found == commands.end()) return {at, unknown_command(*at, arguments[i])};
    at = *found;
  }
  return {at, ""};
}

int explain_misuse(const CLI::App& app, const std::vector<std::string>& arguments, const CLI::ParseError& error,
                   const Context& context) {
  if (arguments.empty()) {
    context.err << app.help();
    return k_usage;
  }
  const auto [command, fault] = find_fault(app, arguments);
  // A key given as an argument by mistake must not be repeated.
  context.misused(fault.empty() ? redact(error.what()) : fault);
  std::string name = command->get_name();
  for (const CLI::App* at = command->get_parent(); at != nullptr; at = at->get_parent()) {
    name.insert(0, at->get_name() + " ");
  }
  context.err << "Try: " << name << " --help\n";
  return k_usage;
}

int run(const std::vector<std::string>& arguments) {
  const SystemClock clock;
  Context context{std::cout, std::cerr, process_environment, clock, find_terminal(process_environment)};
  CLI::App app{"Nemo: one local endpoint for every model that your editor uses.", "nemo"};
  add_commands(app, context);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
      return app.exit(error, std::cout, std::cerr);
    return explain_misuse(app, arguments, error, context);
  }
  const int status = context.action();
  std::cout.flush();
  return status;
}

}  // namespace
}  // namespace nemo::cli

int main(int argc, char** argv) {
  // A reader that leaves (head, less) shows as a failed write, not as a signal in the middle of a request.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return nemo::cli::run({argv + 1, argv + argc});
  } catch (const nemo::cli::DaemonNotRunning& missing) {
    std::cerr << "nemo: " << missing.what() << '\n';
    return nemo::cli::k_not_running;
  } catch (const std::exception& error) {
    std::cerr << "nemo: " << nemo::redact(error.what()) << '\n';
    return nemo::cli::k_refused;
  }
}
