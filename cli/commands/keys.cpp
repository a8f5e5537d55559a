#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "cli/commands/choose_key.h"
#include "cli/commands/commands.h"
#include "cli/commands/show_key.h"
#include "cli/commands/terms_options.h"
#include "cli/context.h"
#include "cli/times.h"
#include "shared/money.h"

namespace nemo::cli::commands {
namespace {

using output::Style;

struct Creation {
  admin::KeyRequest request;
  std::string expires;
};

struct Alteration {
  std::string key;  // an id or a hint
  admin::KeyChange change;
  std::optional<std::string> expires;  // as it was given
};

struct Rotation {
  std::string key;
  std::string grace = "24h";
};

Result<admin::Key> find_key(const AdminClient& client, const std::string& text) {
  const auto keys = client.keys();
  if (!keys) return keys.error();
  return choose_key(*keys, text);
}

// A call that a budget refused goes on there, so what the model is matters; but an upstream that is down may have it.
void check_fallback(const Context& context, const AdminClient& client, const std::string& on_budget) {
  const std::size_t colon = on_budget.find(':');
  if (colon == std::string::npos) return;
  const std::string name = on_budget.substr(colon + 1);
  const auto models = client.models();
  if (!models) return;
  const auto model = std::find_if(models->begin(), models->end(), [&name](const auto& m) { return m.id == name; });
  std::string trouble;
  if (model == models->end()) {
    trouble = "no upstream names a model \"" + name + "\" at present; see: nemo models";
  } else if (const auto price = parse_dollars(model->output_price.value_or("0")); !price || price->value > 0) {
    trouble = "the model \"" + name + "\" is not free, so a budget that is used up refuses it too";
  }
  if (!trouble.empty()) context.err << context.styled("note: " + trouble, Style::warning) << '\n';
}

void say_warnings(const Context& context, const AdminClient& client, const admin::Key& key) {
  say_nothing_allowed(context, key.terms);
  check_fallback(context, client, key.terms.on_budget);
}

int create(const Context& context, Creation creation) {
  if (!creation.expires.empty()) {
    const auto expiry = parse_expiry(creation.expires, context.clock.wall());
    if (!expiry) return context.misused("--expires: " + expiry.error().message);
    creation.request.expires_at = to_rfc3339(*expiry);
  }
  const AdminClient client = context.client();
  // Before the key is made: nothing may fail between that and showing it.
  const auto status = client.status();
  const auto created = client.create_key(creation.request);
  if (!created) return context.refuse(created.error());
  if (!created->warning.empty()) context.err << "nemo: " << created->warning << '\n';
  if (context.json) {
    context.show(*created);
  } else {
    show_secret(context, *created, status ? status->url : "");
  }
  context.out.flush();
  say_warnings(context, client, created->record);
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
  show_keys(context, *keys);
  return k_done;
}

int show(const Context& context, const std::string& text) {
  const auto key = find_key(context.client(), text);
  if (!key) return context.refuse(key.error());
  if (context.json) return context.show(*key);
  show_key(context, *key);
  return k_done;
}

int set(const Context& context, Alteration alteration) {
  admin::KeyChange& change = alteration.change;
  if (alteration.expires == "never" || alteration.expires == "none") {
    change.expires_at = "";
  } else if (alteration.expires) {
    const auto expiry = parse_expiry(*alteration.expires, context.clock.wall());
    if (!expiry) return context.misused("--expires: " + expiry.error().message);
    change.expires_at = to_rfc3339(*expiry);
  }
  if (change.team == "none") change.team = "";
  if (change.models && *change.models == std::vector<std::string>{"all"}) change.models->clear();
  if (change.empty()) return context.misused("say what should change, such as --budget 80/month");

  const AdminClient client = context.client();
  const auto key = find_key(client, alteration.key);
  if (!key) return context.refuse(key.error());
  const auto changed = client.change_key(key->id, change);
  if (!changed) return context.refuse(changed.error());
  if (context.json) {
    context.show(*changed);
  } else {
    show_key(context, *changed);
  }
  context.out.flush();
  say_warnings(context, client, *changed);
  return k_done;
}

int rotate(const Context& context, const Rotation& rotation) {
  const auto grace = parse_span(rotation.grace);
  if (!grace) return context.misused("--grace: " + grace.error().message);
  const AdminClient client = context.client();
  const auto key = find_key(client, rotation.key);
  if (!key) return context.refuse(key.error());
  const auto status = client.status();
  const auto rotated = client.rotate_key(key->id, *grace);
  if (!rotated) return context.refuse(rotated.error());
  if (!rotated->warning.empty()) context.err << "nemo: " << rotated->warning << '\n';
  if (context.json) return context.show(*rotated);
  show_secret(context, *rotated, status ? status->url : "");
  const admin::Key& now = rotated->record;
  context.out << "\nThe old key (" << context.styled(key->hint, Style::plain) << ") "
              << (now.old_works_until.empty() ? "opens nothing any more."
                                              : "works until " + show_time(now.old_works_until) + ".")
              << '\n';
  return k_done;
}

int revoke(const Context& context, const std::string& text) {
  const AdminClient client = context.client();
  const auto key = find_key(client, text);
  if (!key) return context.refuse(key.error());
  const auto revoked = client.revoke_key(key->id);
  if (!revoked) return context.refuse(revoked.error());
  if (context.json) return context.show(*revoked);
  context.out << "The key " << context.styled(revoked->id, Style::accent) << " (" << revoked->hint << ") of "
              << context.styled(revoked->seat, Style::strong) << " opens nothing any more.\n";
  return k_done;
}

void add_id(CLI::App& command, std::string& id) {
  command.add_option("id", id, "Its id, or the last four characters of the key")->required()->type_name("ID");
}

void add_create_key(CLI::App& keys, Context& context) {
  CLI::App* command = keys.add_subcommand("create", "Make a key; it is shown once");
  const auto creation = std::make_shared<Creation>();
  command->add_option("--seat", creation->request.seat, "Who or what will use it")->required()->type_name("NAME");
  command->add_option("--team", creation->request.team, "The team that the seat belongs to")->type_name("NAME");
  command->add_option("--models", creation->request.models, "Only these models, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("MODEL,…");
  command->add_option("--expires", creation->expires, "When it ends: 90d, 2026-12-31 or RFC 3339; default: never")
      ->type_name("WHEN");
  add_terms_options(*command, creation->request.terms, TermsOf::key);
  command->footer(
      "Examples:\n  nemo keys create --seat alice --team core --expires 90d\n"
      "  nemo keys create --seat bob --budget 80/month --budget 5/day --rpm 60 --on-budget fallback:my-local-model");
  command->callback(
      [&context, creation] { context.action = [&context, creation] { return create(context, *creation); }; });
}

void add_set(CLI::App& keys, Context& context) {
  CLI::App* command = keys.add_subcommand("set", "Change a key's seat, team, models, end, budgets or limits");
  const auto alteration = std::make_shared<Alteration>();
  add_id(*command, alteration->key);
  admin::KeyChange& change = alteration->change;
  command->add_option("--seat", change.seat, "Who or what uses it")->type_name("NAME");
  command->add_option("--team", change.team, "Its team, or none")->type_name("NAME");
  command->add_option("--models", change.models, "Only these models, separated by commas, or all")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("MODEL,…");
  command->add_option("--expires", alteration->expires, "When it ends: 90d, 2026-12-31, RFC 3339, or never")
      ->type_name("WHEN");
  add_terms_options(*command, change.terms, TermsOf::key);
  command->footer(
      "What is not named stays. It acts on the next call.\n\n"
      "Examples:\n  nemo keys set ab12 --budget 120/month --rpm none\n  nemo keys set ab12 --budget none --team none");
  command->callback(
      [&context, alteration] { context.action = [&context, alteration] { return set(context, *alteration); }; });
}

void add_rotate(CLI::App& keys, Context& context) {
  CLI::App* command = keys.add_subcommand("rotate", "A new key in place of the old one, which works on for a while");
  const auto rotation = std::make_shared<Rotation>();
  add_id(*command, rotation->key);
  command->add_option("--grace", rotation->grace, "How long the old one works on: 90s, 30m, 24h, 7d; 0s: not at all")
      ->type_name("SPAN")
      ->capture_default_str();
  command->footer("Example:\n  nemo keys rotate ab12 --grace 7d");
  command->callback(
      [&context, rotation] { context.action = [&context, rotation] { return rotate(context, *rotation); }; });
}

}  // namespace

void add_keys(CLI::App& app, Context& context) {
  CLI::App* keys = app.add_subcommand("keys", "Make, list, change and revoke the keys that callers use");
  keys->require_subcommand(1);
  add_create_key(*keys, context);
  add_set(*keys, context);
  add_rotate(*keys, context);
  CLI::App* listing = keys->add_subcommand("list", "Every key, without the keys themselves");
  listing->callback([&context] { context.action = [&context] { return list(context); }; });

  const auto text = std::make_shared<std::string>();
  CLI::App* showing = keys->add_subcommand("show", "One key");
  add_id(*showing, *text);
  showing->footer("Example:\n  nemo keys show ab12");
  showing->callback([&context, text] { context.action = [&context, text] { return show(context, *text); }; });
  CLI::App* revoking = keys->add_subcommand("revoke", "Make a key useless, at once and for ever");
  add_id(*revoking, *text);
  revoking->footer("Example:\n  nemo keys revoke ab12");
  revoking->callback([&context, text] { context.action = [&context, text] { return revoke(context, *text); }; });
}

}  // namespace nemo::cli::commands
