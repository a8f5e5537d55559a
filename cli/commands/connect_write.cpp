// `nemo connect NAME --write`: a key, the client's file, and a call that proves both.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/connect_steps.h"
#include "cli/context.h"
#include "cli/editors/connection.h"
#include "cli/editors/first_call.h"
#include "cli/editors/line_diff.h"
#include "cli/editors/settings_file.h"
#include "cli/output/figures.h"
#include "cli/output/text.h"
#include "shared/money.h"
#include "shared/secret.h"

namespace nemo::cli::commands {
namespace {

using admin::Json;
using editors::Connection;
using output::Style;

std::string user_name(const Context& context) {
  const passwd* user = ::getpwuid(::getuid());
  if (user != nullptr && *user->pw_name != '\0') return user->pw_name;
  return context.env("USER").value_or("local");
}

// What the write is made of, as far as it has come.
struct Work {
  const Context& context;
  const editors::Client& client;
  const ConnectOptions& options;
  AdminClient daemon;
  editors::Places places;
  std::vector<admin::Model> models = {};
  editors::Target target = {};
  std::optional<Connection> known = {};  // of an earlier write
  editors::Plan plan = {};
  editors::SettingsFile file = {};
  admin::Key key = {};
  bool is_new_key = false;
  std::string forgotten_key = {};  // made earlier, and in no file any more: nobody has it
  bool is_key_unseen = false;      // made earlier and shown then; nobody can show it again
  std::string diff = {};
  std::string backup = {};
};

Status change_seat(Work& work) {
  if (work.options.seat.empty() || work.options.seat == work.key.seat) return Done{};
  admin::KeyChange change;
  change.seat = work.options.seat;
  auto changed = work.daemon.change_key(work.key.id, change);
  if (!changed) return changed.error();
  work.key = std::move(changed).value();
  return Done{};
}

Status take_known_key(Work& work, const admin::Key& key, const std::string& secret) {
  work.key = key;
  work.target.key = secret;
  return change_seat(work);
}

Status make_key(Work& work) {
  admin::KeyRequest request;
  request.seat = work.options.seat.empty() ? user_name(work.context) : work.options.seat;
  auto made = work.daemon.create_key(request);
  if (!made) return made.error();
  if (!made->warning.empty()) work.context.err << "nemo: " << made->warning << '\n';
  work.key = made->record;
  work.target.key = made->key;
  work.is_new_key = true;
  return Done{};
}

Status choose_key(Work& work) {
  const auto keys = work.daemon.keys();
  if (!keys) return keys.error();
  const std::string known_id = work.known ? work.known->key_id : "";
  const std::string written = work.plan.edit ? editors::find_key(work.file.text, *work.plan.edit) : "";
  if (const admin::Key* key = find_working_key(*keys, written, known_id)) return take_known_key(work, *key, written);
  const auto earlier = std::find_if(keys->begin(), keys->end(), [&known_id](const admin::Key& key) {
    return !known_id.empty() && key.id == known_id && key.state == "active";
  });
  if (earlier != keys->end() && !work.plan.edit) {
    work.is_key_unseen = true;
    return take_known_key(work, *earlier, std::string(editors::k_key_to_come));
  }
  if (earlier != keys->end()) work.forgotten_key = earlier->id;
  return make_key(work);
}

// Before a key is made: is the file fit to be changed?
Status prepare(Work& work) {
  const auto models = work.daemon.models();
  if (models) work.models = *models;
  auto target = find_target(work.daemon, work.models);
  if (!target) return target.error();
  work.target = std::move(target).value();
  auto known = editors::load_connection(work.context.env, work.client.name);
  if (!known) return known.error();
  work.known = std::move(known).value();
  work.plan = work.client.plan(work.places, work.target);
  if (!work.plan.edit) return Done{};
  auto file = editors::load_settings(work.plan.edit->file);
  if (!file) return file.error();
  work.file = std::move(file).value();
  if (work.known && !work.known->file.empty() && work.known->file != work.file.path.string()) {
    return fail(ErrorKind::conflict, std::string(work.client.title) + " is connected by " + work.known->file +
                                         "; first: nemo connect " + std::string(work.client.name) + " --undo");
  }
  const auto tried = editors::put_settings(work.file.text, *work.plan.edit);
  if (!tried) return tried.error();
  return editors::check_writable(work.file);
}

Connection record_of(const Work& work, const editors::EditedText& edited) {
  const bool goes_on = work.known && work.file.exists && !work.known->file.empty();
  Connection record = goes_on ? *work.known : Connection{};
  record.client = work.client.name;
  record.key_id = work.key.id;
  record.key_hint = work.key.hint;
  record.file = work.file.path.string();
  if (goes_on) {
    record.is_whole = record.is_whole && record.text_mark == editors::mark_of(work.file.text);
  } else {
    record.created = !work.file.exists;
    record.backup = work.backup;
  }
  record.text_mark = editors::mark_of(edited.text);
  for (const editors::WrittenSetting& setting : edited.settings) {
    const bool is_known = std::any_of(record.settings.begin(), record.settings.end(),
                                      [&setting](const auto& each) { return each.path == setting.path; });
    if (!is_known) record.settings.push_back(setting);
  }
  return record;
}

Status write_file(Work& work) {
  const auto edited = editors::put_settings(work.file.text, *work.plan.edit);
  if (!edited) return edited.error();
  work.diff = editors::unified_diff(work.file.text, edited->text, work.file.path.string());
  if (work.diff.empty()) return Done{};
  const bool has_backup = work.known && !work.known->backup.empty();
  if (work.file.exists && !has_backup && !(work.known && work.known->created)) {
    const auto backup = editors::make_backup(work.file);
    if (!backup) return backup.error();
    work.backup = backup->string();
  }
  // The record first: without it nothing could be taken back.
  if (const auto saved = editors::save_connection(work.context.env, record_of(work, *edited)); !saved) return saved;
  const auto written = editors::replace(work.file, edited->text);
  if (written) return written;
  static_cast<void>(work.known ? editors::save_connection(work.context.env, *work.known)
                               : editors::forget_connection(work.context.env, work.client.name));
  return written;
}

Status write_record_only(Work& work) {
  Connection record;
  record.client = work.client.name;
  record.key_id = work.key.id;
  record.key_hint = work.key.hint;
  return editors::save_connection(work.context.env, record);
}

Status carry_out(Work& work) {
  if (const auto prepared = prepare(work); !prepared) return prepared;
  if (const auto chosen = choose_key(work); !chosen) return chosen;
  work.plan = work.client.plan(work.places, work.target);
  const Status written = work.plan.edit ? write_file(work) : write_record_only(work);
  const std::string useless = written ? work.forgotten_key : work.is_new_key ? work.key.id : "";
  if (!useless.empty()) static_cast<void>(work.daemon.revoke_key(useless));
  return written;
}

void say_written(const Work& work) {
  const Context& context = work.context;
  show_diff(context, work.diff);
  if (work.plan.edit && work.diff.empty()) {
    context.out << work.file.path.string() << " was right already; nothing was changed.\n";
  } else if (work.plan.edit) {
    context.out << "Written: " << output::printable(work.file.path.string());
    if (!work.backup.empty()) context.out << " (as it was: " << output::printable(work.backup) << ")";
    context.out << '\n';
  }
  context.out << (work.is_new_key ? "Key made: " : "Key: ") << work.key.id << " (" << work.key.hint << "), seat "
              << output::printable(work.key.seat) << '\n';
  show_plan(context, work.plan, Secrets::shown);
  if (work.is_key_unseen) {
    context.err << "The key was shown when it was made and cannot be shown again. For another one: nemo connect "
                << work.client.name << " --undo, then --write\n";
  }
  if (work.plan.edit && work.file.is_open_to_others()) {
    context.err << context.styled("note: other users can read " + work.file.path.string() +
                                      ", which holds a key now; to stop that: chmod 600 " + work.file.path.string(),
                                  Style::warning)
                << '\n';
  }
}

void say_answer(const Context& context, const editors::FirstAnswer& answer) {
  if (answer.status != 200) {
    context.err << "nemo: it is written, but a call to " << answer.path << " was answered with " << answer.status
                << (answer.error.empty() ? "" : ": " + output::printable(answer.error)) << "\nMore: nemo doctor\n";
    return;
  }
  context.out << context.styled("✔", Style::good) << ' ' << answer.path << ": "
              << output::printable(answer.model.empty() ? "a model" : answer.model) << " answered in "
              << output::show_millis(answer.millis) << ", cost "
              << (answer.cost.empty() ? "not stated" : output::show_money(answer.cost)) << '\n';
}

}  // namespace

Result<editors::Target> find_target(const AdminClient& daemon, const std::vector<admin::Model>& models) {
  const auto status = daemon.status();
  if (!status) return status.error();
  const auto has = [&models](const char* family) {
    return models.empty() || std::any_of(models.begin(), models.end(), [family](const admin::Model& model) {
             return model.id.rfind(family, 0) == 0 && !model.upstreams.empty();
           });
  };
  return editors::Target{status->url, std::string(editors::k_key_to_come), has("claude"), has("gemini")};
}

const admin::Key* find_working_key(const std::vector<admin::Key>& keys, const std::string& written,
                                   const std::string& known_id) {
  if (written.empty()) return nullptr;
  const std::string hint = Secret(written).hint();
  const admin::Key* found = nullptr;
  int alike = 0;
  for (const admin::Key& key : keys) {
    if (key.state != "active" || key.hint != hint) continue;
    if (key.id == known_id) return &key;
    found = &key;
    ++alike;
  }
  return alike == 1 ? found : nullptr;  // of two that end alike nobody can tell which it is
}

std::string cheapest_model(const std::vector<admin::Model>& models) {
  const admin::Model* cheapest = nullptr;
  std::int64_t least = 0;
  for (const admin::Model& model : models) {
    const auto& can = model.capabilities;
    const bool chats = can.empty() || std::find(can.begin(), can.end(), "chat") != can.end();
    if (!model.output_price) continue;
    const auto price = parse_dollars(*model.output_price);
    if (!chats || !price || model.upstreams.empty() || !model.deprecated_since.empty()) continue;
    if (cheapest != nullptr && price->value >= least) continue;
    cheapest = &model;
    least = price->value;
  }
  return cheapest == nullptr ? "nemo/auto" : cheapest->id;
}

int write_connection(const Context& context, const editors::Client& client, const ConnectOptions& options) {
  Work work{context, client, options, context.client(), editors::Places(context.env)};
  if (const auto done = carry_out(work); !done) return context.refuse(done.error());
  Json json = plan_to_json(client, work.plan, Secrets::shown);
  json["changed"] = !work.diff.empty();
  json["diff"] = masked(work.diff);
  json["backup"] = work.backup;
  json["key_id"] = work.key.id;
  json["key"] = work.key.hint;
  json["key_made"] = work.is_new_key;
  json["seat"] = work.key.seat;
  if (!context.json) say_written(work);
  context.out.flush();
  if (options.no_check || work.is_key_unseen) return context.json ? context.show(json) : k_done;
  const auto answer = editors::make_first_call(
      {work.target.url, work.target.key, work.plan.call, work.plan.key_place, cheapest_model(work.models)});
  if (!answer) return context.refuse(answer.error());
  json["check"] = *answer;
  context.json ? static_cast<void>(context.show(json)) : say_answer(context, *answer);
  return answer->status == 200 ? k_done : k_refused;
}

}  // namespace nemo::cli::commands
