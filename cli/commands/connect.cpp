#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/commands/connect_steps.h"
#include "cli/context.h"
#include "cli/editors/client.h"
#include "cli/output/table.h"
#include "shared/resemblance.h"

namespace nemo::cli::commands {
namespace {

std::string known_names() {
  std::string names;
  for (const editors::Client& client : editors::all_clients()) {
    names.append(names.empty() ? "" : ", ").append(client.name);
  }
  return names;
}

int refuse_unknown(const Context& context, const std::string& name) {
  const editors::Client* nearest = nullptr;
  int best = 0;
  for (const editors::Client& client : editors::all_clients()) {
    const int likeness = resemblance(name, client.name);
    if (likeness <= best) continue;
    best = likeness;
    nearest = &client;
  }
  std::string message = "no editor or assistant is known as \"" + name + "\"";
  message += nearest == nullptr
                 ? "; there are " + known_names()
                 : "; did you mean \"" + std::string(nearest->name) + "\"? All of them: " + known_names();
  return context.refuse(fail(ErrorKind::not_found, message));
}

int run(const Context& context, const ConnectOptions& options) {
  if (options.client.empty()) {
    if (options.write || options.undo)
      return context.misused("which one? nemo connect NAME, as nemo connect lists them");
    return list_clients(context, options);
  }
  if (options.write && options.undo) return context.misused("--write and --undo exclude each other");
  const editors::Client* client = editors::find_client(options.client);
  if (client == nullptr) return refuse_unknown(context, options.client);
  if (options.undo) return undo_connection(context, *client);
  if (options.write) return write_connection(context, *client, options);
  return preview_connection(context, *client);
}

}  // namespace

void add_connect(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ConnectOptions>();
  CLI::App* command = app.add_subcommand("connect", "Point an editor or assistant at this daemon");
  command->add_option("client", options->client, "Which one; without it, those on this machine are listed")
      ->type_name("NAME");
  command->add_flag("--write", options->write,
                    "Make a key and change the client's own settings; without it they are shown");
  command->add_flag("--undo", options->undo, "Take back what was written, and revoke the key");
  command->add_option("--seat", options->seat, "Whose key it is; default: your user name")->type_name("NAME");
  command->add_flag("--no-check", options->no_check, "With --write: do not prove the path with a call");
  command->add_flag("--all", options->all, "List those too that are not on this machine");
  command->footer(
      "Examples:\n"
      "  nemo connect                       what is here, and where it points\n"
      "  nemo connect claude-code           the change, as a diff; nothing is written\n"
      "  nemo connect claude-code --write   make a key, write it, and prove it with one call\n"
      "  nemo connect claude-code --undo    as it was before\n"
      "Known: " +
      known_names());
  command->callback([&context, options] { context.action = [&context, options] { return run(context, *options); }; });
}

}  // namespace nemo::cli::commands
