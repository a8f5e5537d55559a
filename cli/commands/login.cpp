#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/terminal.h"

namespace nemo::cli::commands {
namespace {

// The upstream that a person means who names none: the only one, else the one called "nemo".
Result<std::string> choose_upstream(const AdminClient& client, const std::string& named) {
  if (!named.empty()) return named;
  const auto status = client.status();
  if (!status) return status.error();
  std::string names;
  for (const admin::UpstreamStatus& upstream : status->upstreams) {
    if (upstream.name == "nemo" || status->upstreams.size() == 1) return upstream.name;
    names += (names.empty() ? "" : ", ") + upstream.name;
  }
  if (names.empty()) return fail(ErrorKind::not_found, "the config has no upstream");
  return fail(ErrorKind::invalid_request, "say which upstream with --upstream: " + names);
}

int login(const Context& context, const std::string& named) {
  const AdminClient client = context.client();
  const auto upstream = choose_upstream(client, named);  // before the prompt: nobody should type a key in vain
  if (!upstream) return context.refuse(upstream.error());
  const auto key = read_secret("Key for " + *upstream + " (not shown): ");
  if (!key) return context.refuse(key.error());
  if (const auto kept = client.login(*upstream, *key); !kept) return context.refuse(kept.error());
  if (context.json) return context.show({{"upstream", *upstream}, {"hint", key->hint()}});
  context.out << "The key for " << *upstream << " (" << key->hint() << ") is kept and in use.\n"
              << "Try it with: nemo doctor\n";
  return k_done;
}

int logout(const Context& context, const std::string& named) {
  const AdminClient client = context.client();
  const auto upstream = choose_upstream(client, named);
  if (!upstream) return context.refuse(upstream.error());
  if (const auto forgotten = client.logout(*upstream); !forgotten) return context.refuse(forgotten.error());
  if (context.json) return context.show({{"upstream", *upstream}});
  context.out << "The key for " << *upstream << " is forgotten.\n";
  return k_done;
}

}  // namespace

void add_login(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("login", "Give the daemon the key of an upstream");
  const auto upstream = std::make_shared<std::string>();
  command->add_option("--upstream", *upstream, "Whose key it is; default: the only upstream, else \"nemo\"")
      ->type_name("NAME");
  command->footer(
      "The key is typed at a prompt that does not show it, or piped in; it is never an argument,\n"
      "where other programs and the shell's history would see it.\n\n"
      "Examples:\n"
      "  nemo login\n"
      "  pass show nemo | nemo login --upstream nemo");
  command->callback(
      [&context, upstream] { context.action = [&context, upstream] { return login(context, *upstream); }; });
}

void add_logout(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("logout", "Make the daemon forget the key of an upstream");
  const auto upstream = std::make_shared<std::string>();
  command->add_option("--upstream", *upstream, "Whose key it is; default: the only upstream, else \"nemo\"")
      ->type_name("NAME");
  command->callback(
      [&context, upstream] { context.action = [&context, upstream] { return logout(context, *upstream); }; });
}

}  // namespace nemo::cli::commands
