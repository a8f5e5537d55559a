#include "shared/admin/config.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/text.h"
#include "cli/program.h"

namespace nemo::cli::commands {
namespace {

using output::Style;

int show(const Context& context) {
  const auto text = context.client().config_text();
  if (!text) return context.refuse(text.error());
  if (context.json) return context.show(admin::ConfigText{*text});
  context.out << *text;
  if (!text->empty() && text->back() != '\n') context.out << '\n';
  return k_done;
}

int check(const Context& context, const std::string& file) {
  const auto checked = check_config(context.env, file, context.json ? Output::capture : Output::pass_on);
  if (!checked) return context.refuse(checked.error());
  if (context.json) context.show({{"ok", checked->exit_status == 0}, {"message", checked->text}});
  return checked->exit_status;
}

int reload(const Context& context) {
  const auto reloaded = context.client().reload_config();
  if (!reloaded) return context.refuse(reloaded.error());
  if (context.json) return context.show({{"reloaded", true}, {"after_restart", reloaded->after_restart}});
  context.out << "The config file has been read again and is in force.\n";
  const std::string note = admin::restart_note(reloaded->after_restart);
  if (!note.empty()) context.out << context.styled(output::printable(note), Style::warning) << '\n';
  return k_done;
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  CLI::App* config = app.add_subcommand("config", "Show, check or reload the settings");
  config->require_subcommand(1);
  CLI::App* showing = config->add_subcommand("show", "The settings in force, defaults included, as TOML");
  showing->callback([&context] { context.action = [&context] { return show(context); }; });

  const auto file = std::make_shared<std::string>();
  CLI::App* checking = config->add_subcommand("check", "Is a config file right? Needs no running daemon");
  checking->add_option("file", *file, "Default: the file that nemod would read")->type_name("FILE");
  checking->callback([&context, file] { context.action = [&context, file] { return check(context, *file); }; });

  CLI::App* reloading =
      config->add_subcommand("reload", "Read the config file again; what is wrong with it changes nothing");
  reloading->callback([&context] { context.action = [&context] { return reload(context); }; });
}

}  // namespace nemo::cli::commands
