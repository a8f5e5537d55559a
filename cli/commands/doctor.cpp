#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/commands/connect_steps.h"
#include "cli/context.h"
#include "cli/editors/first_call.h"
#include "cli/editors/settings_file.h"
#include "cli/editors/survey.h"
#include "cli/output/figures.h"
#include "cli/output/text.h"
#include "cli/program.h"
#include "shared/admin/config.h"
#include "shared/version.h"

namespace nemo::cli::commands {
namespace {

using output::Style;

enum class State { ok, warning, failed };

struct Check {
  State state = State::ok;
  std::string what;    // "upstream nemo: key"
  std::string detail;  // what was found
  std::string advice;  // what to do next; empty: nothing
};
using Checks = std::vector<Check>;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

Check check_config_file(const Context& context, const std::string& file) {
  Check check{State::ok, "config file", file.empty() ? "reads well" : file + " reads well", ""};
  const auto checked = cli::check_config(context.env, file, Output::capture);
  if (!checked) return {State::warning, check.what, "could not be checked: " + checked.error().message, ""};
  if (checked->exit_status == 0) return check;
  return {State::failed, check.what, trimmed(checked->text), "mend it, then: nemo config check && nemo config reload"};
}

void check_settings(const Context& context, const admin::DaemonStatus& status, Checks& checks) {
  if (status.config_file_exists) {
    checks.push_back(check_config_file(context, status.config_file));
  } else {
    checks.push_back({State::ok, "config file", "none at " + status.config_file + ": the defaults hold", ""});
  }
  if (!status.config_error.empty()) {
    checks.push_back({State::failed, "settings in force",
                      "older than the file, which was refused: " + status.config_error,
                      "mend the file, then: nemo config reload"});
  }
}

void check_restart(const admin::DaemonStatus& status, Checks& checks) {
  const std::string note = admin::restart_note(status.after_restart);
  if (!note.empty()) {
    checks.push_back({State::warning, "settings in force", note,
                      "nemo service stop && nemo service start, or end nemod and start it"});
  }
}

// The second address, for clients that look for an Ollama of this machine.
void check_ollama(const admin::OllamaStatus& ollama, Checks& checks) {
  if (ollama.state == "off") return;
  const std::string what = "address for Ollama's clients";
  if (ollama.state == "listening") {
    checks.push_back({State::ok, what, ollama.url, ""});
  } else if (ollama.only_if_free) {
    checks.push_back({State::ok, what, ollama.url + " is left to who is there: " + ollama.detail, ""});
  } else {
    checks.push_back({State::warning, what, ollama.url + " was not had: " + ollama.detail,
                      "end who is there, or write another ollama_listen, then start nemod again"});
  }
}

void check_keys(const admin::DaemonStatus& status, Checks& checks) {
  if (status.keys > 0) {
    checks.push_back({State::ok, "keys for editors", output::show_count(status.keys) + " accepted", ""});
  } else if (!status.require_key) {
    checks.push_back({State::ok, "keys for editors", "none, and callers on this machine need none", ""});
  } else {
    checks.push_back({State::failed, "keys for editors", "none, so nobody can call", "nemo keys create --seat NAME"});
  }
}

Check check_credentials(const admin::UpstreamStatus& upstream) {
  const bool is_vertex = upstream.kind == "vertex";
  Check check{State::ok, "upstream " + upstream.name + (is_vertex ? ": token" : ": key"), upstream.key, ""};
  if (upstream.key != "missing") return check;
  check.state = State::failed;
  if (!upstream.key_source.empty()) check.detail += " (" + upstream.key_source + ")";
  if (!is_vertex) {
    check.advice = "nemo login --upstream " + upstream.name;
    return check;
  }
  if (!upstream.detail.empty()) check.detail += ": " + upstream.detail;
  check.advice = "gcloud auth application-default login, or name a key file: credentials = \"file:PATH\" in the config";
  return check;
}

void check_upstream(const AdminClient& client, const admin::UpstreamStatus& upstream, Checks& checks) {
  const std::string name = "upstream " + upstream.name;
  checks.push_back(check_credentials(upstream));
  if (upstream.key == "missing") return;
  const auto models = client.probe(upstream.name);
  if (!models) {
    checks.push_back({State::failed, name + ": answers", models.error().message,
                      "is " + upstream.base_url + " right, reachable from here, and the key still good?"});
  } else if (*models == 0) {
    checks.push_back(
        {State::warning, name + ": answers", "it lists no model", "name its models with [[deployment]] in the config"});
  } else if (upstream.kind == "vertex") {  // it has no list: its deployments were counted
    checks.push_back({State::ok, name + ": deployments", output::show_count(*models), ""});
  } else {
    checks.push_back({State::ok, name + ": answers", "it lists " + output::show_count(*models) + " models", ""});
  }
}

void check_ledger(const admin::LedgerStatus& ledger, Checks& checks) {
  if (!ledger.last_error.empty()) {
    checks.push_back(
        {State::failed, "ledger", ledger.last_error, "is the disk full, or the data folder not writable?"});
  } else if (ledger.dropped > 0) {
    checks.push_back({State::warning, "ledger",
                      output::show_count(static_cast<std::int64_t>(ledger.dropped)) +
                          " rows were lost while the database could not be written",
                      ""});
  } else {
    checks.push_back(
        {State::ok, "ledger", output::show_count(static_cast<std::int64_t>(ledger.written)) + " rows written", ""});
  }
  if (ledger.verdicts_dropped > 0) {
    checks.push_back({State::warning, "ledger",
                      output::show_count(static_cast<std::int64_t>(ledger.verdicts_dropped)) +
                          " verdicts on completions were lost: nemo usage --accepted and reports know that many fewer",
                      ""});
  }
}

void check_data_folder(const std::string& folder, Checks& checks) {
  namespace fs = std::filesystem;
  std::error_code error;
  const auto found = fs::status(folder, error);
  if (!fs::is_directory(found)) {
    checks.push_back(
        {State::failed, "data folder", folder + " is not a folder", "give another one to nemod --data-dir"});
  } else if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    checks.push_back({State::failed, "data folder", folder + " cannot be written", "chown or chmod it"});
  } else if ((found.permissions() & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none) {
    checks.push_back({State::warning, "data folder", folder + " is open to other users", "chmod 700 " + folder});
  } else {
    checks.push_back({State::ok, "data folder", folder, ""});
  }
}

enum class Calls : std::uint8_t { make, leave_out };

// One small call as that client makes them, with the key in its file.
Check prove_path(const Context& context, const AdminClient& daemon, const editors::Finding& finding) {
  Check check{State::ok, std::string(finding.client->title), "points here, key " + finding.connection->key_hint, ""};
  const auto models = daemon.models();
  const auto target = find_target(daemon, models ? *models : std::vector<admin::Model>());
  if (!target) return check;
  const editors::Plan plan = finding.client->plan(editors::Places(context.env), *target);
  if (!plan.edit) return check;
  const auto file = editors::load_settings(plan.edit->file);
  const std::string key = file ? editors::find_key(file->text, *plan.edit) : "";
  if (key.empty()) return check;
  const std::string model = cheapest_model(models ? *models : std::vector<admin::Model>());
  const auto answer = editors::make_first_call({target->url, key, plan.call, plan.key_place, model});
  if (!answer || answer->status != 200) {
    const std::string why = answer ? std::to_string(answer->status) + " " + answer->error : answer.error().message;
    return {State::failed, check.what, "points here, but a call was not answered: " + why,
            "nemo logs, and what stands above"};
  }
  check.detail += "; a call was answered by " + answer->model + (answer->cost.empty() ? "" : " for $" + answer->cost);
  return check;
}

// Those that nemo connect has written something for.
void check_clients(const Context& context, const AdminClient& client, const std::string& url, Calls calls,
                   Checks& checks) {
  const auto keys = client.keys();
  for (const editors::Finding& finding : editors::survey(editors::Places(context.env), url)) {
    if (!finding.connection) continue;
    const std::string what(finding.client->title);
    const std::string again = "nemo connect " + std::string(finding.client->name) + " --write";
    const bool works = keys && std::any_of(keys->begin(), keys->end(), [&finding](const admin::Key& key) {
                         return key.id == finding.connection->key_id && key.state == "active";
                       });
    if (!finding.fault.empty()) {
      checks.push_back({State::warning, what, finding.fault, "mend the file, then: " + again});
    } else if (!works) {
      checks.push_back(
          {State::failed, what, "its key " + finding.connection->key_id + " opens nothing any more", again});
    } else if (finding.connection->file.empty()) {
      checks.push_back({State::ok, what, "has key " + finding.connection->key_hint + "; its settings are its own", ""});
    } else if (finding.standing != editors::Standing::here) {
      checks.push_back({State::warning, what, "does not point here any more, as " + finding.file + " says", again});
    } else if (calls == Calls::make) {
      checks.push_back(prove_path(context, client, finding));
    } else {
      checks.push_back({State::ok, what, "points here, key " + finding.connection->key_hint, ""});
    }
  }
}

Checks examine(const Context& context, Calls calls) {
  Checks checks;
  const AdminClient client = context.client();
  if (!client.answers()) {
    checks.push_back(
        {State::failed, "daemon", "nobody answers at " + context.socket_path().string(), "start it with: nemod"});
    checks.push_back(check_config_file(context, ""));
    return checks;
  }
  const auto status = client.status();
  if (!status) {
    checks.push_back({State::failed, "daemon", status.error().message, "look at its log, or start it again"});
    return checks;
  }
  checks.push_back(
      {State::ok, "daemon", status->version + " at " + status->url + ", pid " + std::to_string(status->pid), ""});
  if (status->version != version()) {
    checks.push_back({State::warning, "versions",
                      "this is nemo " + std::string(version()) + ", the daemon is " + status->version,
                      "start nemod again after an upgrade"});
  }
  check_settings(context, *status, checks);
  check_restart(*status, checks);
  check_ollama(status->ollama, checks);
  check_keys(*status, checks);
  if (status->upstreams.empty()) {
    checks.push_back({State::failed, "upstreams", "none", "add an [[upstream]] to the config"});
  }
  for (const admin::UpstreamStatus& upstream : status->upstreams) check_upstream(client, upstream, checks);
  check_ledger(status->ledger, checks);
  check_data_folder(status->data_folder, checks);
  check_clients(context, client, status->url, calls, checks);
  return checks;
}

const char* name_of(State state) {
  return state == State::ok ? "ok" : state == State::warning ? "warning" : "failed";
}

void show(const Context& context, const Check& check) {
  const char* mark = check.state == State::ok ? "✔" : check.state == State::warning ? "!" : "✘";
  const Style style = check.state == State::ok        ? Style::good
                      : check.state == State::warning ? Style::warning
                                                      : Style::bad;
  context.out << context.styled(mark, style) << ' ' << context.styled(check.what, Style::strong) << ": "
              << output::printable(check.detail) << '\n';
  if (!check.advice.empty()) context.out << "    → " << output::printable(check.advice) << '\n';
}

int diagnose(const Context& context, Calls calls) {
  const Checks checks = examine(context, calls);
  bool healthy = true;
  admin::Json list = admin::Json::array();
  for (const Check& check : checks) {
    healthy = healthy && check.state != State::failed;
    list.push_back(
        {{"check", check.what}, {"state", name_of(check.state)}, {"detail", check.detail}, {"advice", check.advice}});
    if (!context.json) show(context, check);
  }
  if (context.json) context.show(list);
  return healthy ? k_done : k_refused;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("doctor", "Look for what keeps calls from working, and say what to do");
  auto no_calls = std::make_shared<bool>(false);
  command->add_flag("--no-calls", *no_calls, "Do not prove the path of connected editors with a call each");
  command->footer(
      "Exit status 1 when something is wrong. It asks every upstream for its list of models, and for every editor that "
      "nemo connect has set up it makes one small call to the cheapest model.");
  command->callback([&context, no_calls] {
    context.action = [&context, no_calls] { return diagnose(context, *no_calls ? Calls::leave_out : Calls::make); };
  });
}

}  // namespace nemo::cli::commands
