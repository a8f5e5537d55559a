#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/choose_key.h"
#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/table.h"
#include "cli/times.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;
using output::Table;

constexpr const char* k_usual_url = "http://127.0.0.1:6366";

struct Options {
  admin::KeyRequest request;
  std::string expires;
  std::string key;  // an id or a hint
};

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

Style style_of(const std::string& state) {
  if (state == "active") return Style::good;
  return state == "revoked" ? Style::bad : Style::warning;
}

void show_created(const Context& context, const admin::CreatedKey& created, const std::string& url) {
  const std::string plain_url = url.empty() ? k_usual_url : url;
  context.out << "A key for " << context.styled(created.record.seat, Style::strong) << " (" << created.record.id
              << ", expires " << (created.record.expires_at.empty() ? "never" : show_time(created.record.expires_at))
              << "):\n\n  " << context.styled(created.key, Style::strong) << "\n\n"
              << context.styled("It is not shown again and not kept anywhere: copy it now.", Style::warning)
              << "\n\nFor an editor or a shell:\n\n  export OPENAI_BASE_URL=" << plain_url
              << "/v1\n  export OPENAI_API_KEY=" << created.key << '\n';
}

int create(const Context& context, Options options) {
  if (!options.expires.empty()) {
    const auto expiry = parse_expiry(options.expires, context.clock.wall());
    if (!expiry) return context.misused("--expires: " + expiry.error().message);
    options.request.expires_at = to_rfc3339(*expiry);
  }
  const AdminClient client = context.client();
  // Before the key is made: nothing may fail between that and showing it.
  const auto status = client.status();
  const auto created = client.create_key(options.request);
  if (!created) return context.refuse(created.error());
  if (context.json) return context.show(*created);
  show_created(context, *created, status ? status->url : "");
  return k_done;
}

int list(const Context& context) {
  const auto keys = context.client().keys();
  if (!keys) return context.refuse(keys.error());
  if (context.json) return context.show(*keys);
  if (keys->empty()) {
    context.err << "There is no key yet; make one: nemo keys create --seat NAME\n";
    return k_done;
  }
  Table table({{"ID"},
               {"KEY", Align::left, 3},
               {"SEAT", Align::left, 0, 8},
               {"TEAM", Align::left, 2, 8},
               {"STATE"},
               {"EXPIRES", Align::left, 1},
               {"MODELS", Align::left, 4, 10},
               {"CREATED", Align::left, 5}});
  for (const admin::Key& key : *keys) {
    table.add({{key.id, Style::accent},
               {key.hint},
               {key.seat},
               {key.team},
               {key.state, style_of(key.state)},
               {key.expires_at.empty() ? "never" : show_time(key.expires_at)},
               {key.models.empty() ? "all" : join(key.models)},
               {show_time(key.created_at), Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
  return k_done;
}

int show(const Context& context, const std::string& text) {
  const auto keys = context.client().keys();
  if (!keys) return context.refuse(keys.error());
  const auto key = choose_key(*keys, text);
  if (!key) return context.refuse(key.error());
  if (context.json) return context.show(*key);
  Table table({{"", Align::left}, {"", Align::left}});
  const auto line = [&table](const char* name, const std::string& value, Style style = Style::plain) {
    table.add({{name, Style::faint}, {value, style}});
  };
  line("id", key->id, Style::accent);
  line("key", key->hint);
  line("seat", key->seat);
  line("team", key->team.empty() ? "none" : key->team);
  line("state", key->state, style_of(key->state));
  line("models", key->models.empty() ? "all" : join(key->models));
  line("created", show_time(key->created_at));
  line("expires", key->expires_at.empty() ? "never" : show_time(key->expires_at));
  if (!key->revoked_at.empty()) line("revoked", show_time(key->revoked_at));
  context.out << table.draw(std::nullopt, context.terminal.colours, output::Header::hide);
  return k_done;
}

int revoke(const Context& context, const std::string& text) {
  const AdminClient client = context.client();
  const auto keys = client.keys();
  if (!keys) return context.refuse(keys.error());
  const auto key = choose_key(*keys, text);
  if (!key) return context.refuse(key.error());
  const auto revoked = client.revoke_key(key->id);
  if (!revoked) return context.refuse(revoked.error());
  if (context.json) return context.show(*revoked);
  context.out << "The key " << context.styled(revoked->id, Style::accent) << " (" << revoked->hint << ") of "
              << context.styled(revoked->seat, Style::strong) << " opens nothing any more.\n";
  return k_done;
}

void add_create(CLI::App& keys, Context& context) {
  CLI::App* command = keys.add_subcommand("create", "Make a key; it is shown once");
  const auto options = std::make_shared<Options>();
  command->add_option("--seat", options->request.seat, "Who or what will use it")->required()->type_name("NAME");
  command->add_option("--team", options->request.team, "The team that the seat belongs to")->type_name("NAME");
  command->add_option("--models", options->request.models, "Only these models, separated by commas")
      ->delimiter(',')
      ->type_name("MODEL,…");
  command->add_option("--expires", options->expires, "When it ends: 90d, 2026-12-31 or RFC 3339; default: never")
      ->type_name("WHEN");
  command->footer("Example:\n  nemo keys create --seat alice --team core --expires 90d");
  command->callback(
      [&context, options] { context.action = [&context, options] { return create(context, *options); }; });
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  CLI::App* keys = app.add_subcommand("keys", "Make, list and revoke the keys that callers use");
  keys->require_subcommand(1);
  add_create(*keys, context);
  CLI::App* listing = keys->add_subcommand("list", "Every key, without the keys themselves");
  listing->callback([&context] { context.action = [&context] { return list(context); }; });

  const auto text = std::make_shared<std::string>();
  CLI::App* showing = keys->add_subcommand("show", "One key");
  showing->add_option("id", *text, "Its id, or the last four characters of the key")->required()->type_name("ID");
  showing->callback([&context, text] { context.action = [&context, text] { return show(context, *text); }; });
  CLI::App* revoking = keys->add_subcommand("revoke", "Make a key useless, at once and for ever");
  revoking->add_option("id", *text, "Its id, or the last four characters of the key")->required()->type_name("ID");
  revoking->callback([&context, text] { context.action = [&context, text] { return revoke(context, *text); }; });
}

}  // namespace nemo::cli::commands
