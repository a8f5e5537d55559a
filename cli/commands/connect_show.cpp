// What `nemo connect` shows: the list, the change before it is made.
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/connect_steps.h"
#include "cli/context.h"
#include "cli/editors/line_diff.h"
#include "cli/editors/settings_file.h"
#include "cli/editors/survey.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "shared/secret.h"

namespace nemo::cli::commands {
namespace {

using admin::Json;
using editors::Finding;
using editors::Standing;
using output::Align;
using output::Style;

// The list is of use while the daemon is not running too.
std::string daemon_url(const Context& context) {
  const AdminClient daemon = context.client();
  if (daemon.answers()) {
    if (const auto status = daemon.status(); status) return status->url;
  }
  context.err << "nemo: the daemon is not running; \"here\" is taken to be " << k_usual_url << '\n';
  return k_usual_url;
}

Json json_of(const Finding& finding) {
  return {{"name", finding.client->name},
          {"title", finding.client->title},
          {"found", finding.found},
          {"points_here", editors::to_string(finding.standing)},
          {"file", finding.file},
          {"fault", finding.fault},
          {"connected", finding.connection.has_value()},
          {"key_id", finding.connection ? finding.connection->key_id : ""},
          {"key", finding.connection ? finding.connection->key_hint : ""}};
}

Style style_of(Standing standing) {
  if (standing == Standing::here) return Style::good;
  return standing == Standing::elsewhere ? Style::warning : Style::plain;
}

void show_findings(const Context& context, const std::vector<Finding>& findings) {
  output::Table table({{"NAME"},
                       {"EDITOR OR ASSISTANT", Align::left, 2, 8},
                       {"POINTS HERE"},
                       {"KEY", Align::left, 3},
                       {"SETTINGS", Align::left, 4, 12},
                       {"FOUND", Align::left, 5, 12}});
  for (const Finding& finding : findings) {
    table.add({{std::string(finding.client->name), Style::accent},
               {std::string(finding.client->title)},
               {std::string(editors::to_string(finding.standing)), style_of(finding.standing)},
               {finding.connection ? finding.connection->key_hint : ""},
               {finding.file, Style::faint},
               {finding.found, Style::faint}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours);
  for (const Finding& finding : findings) {
    if (finding.fault.empty()) continue;
    context.err << context.styled("note: " + masked(finding.fault), Style::warning) << '\n';
  }
}

}  // namespace

int list_clients(const Context& context, const ConnectOptions& options) {
  auto findings = editors::survey(editors::Places(context.env), daemon_url(context));
  if (!options.all) std::erase_if(findings, [](const Finding& finding) { return !finding.is_of_interest(); });
  if (context.json) {
    Json rows = Json::array();
    for (const Finding& finding : findings) rows.push_back(json_of(finding));
    return context.show(rows);
  }
  if (findings.empty()) {
    context.err << "No editor or assistant that Nemo knows was found here; all it knows: nemo connect --all\n";
    return k_done;
  }
  show_findings(context, findings);
  context.err << "To see what would change: nemo connect NAME\n";
  return k_done;
}

std::string masked(std::string_view text, Others others) {
  constexpr std::string_view k_start = "sk-nemo-";
  std::string out;
  const auto add = [&out](const std::string& part) {
    std::string piece;
    for (const char c : part) {
      if (c != '\n' && c != '\t') {
        piece.push_back(c);
        continue;
      }
      out.append(output::printable(piece)).append(1, c);
      piece.clear();
    }
    out += output::printable(piece);
  };
  while (true) {
    const std::size_t begin = text.find(k_start);
    if (begin == std::string_view::npos) break;
    add(others == Others::redacted ? redact(text.substr(0, begin)) : std::string(text.substr(0, begin)));
    const std::string key = editors::find_key_in(text.substr(begin));
    const bool is_whole = text.substr(begin, key.size()) == key && !key.empty();
    out += is_whole ? "sk-nemo-" + Secret(key).hint() : std::string(k_start);
    text.remove_prefix(begin + (is_whole ? key.size() : k_start.size()));
  }
  add(others == Others::redacted ? redact(text) : std::string(text));
  return out;
}

void show_diff(const Context& context, const std::string& diff) {
  std::string_view left = diff;
  while (!left.empty()) {
    const std::size_t end = std::min(left.find('\n'), left.size() - 1) + 1;
    std::string line = masked(left.substr(0, end));
    left.remove_prefix(end);
    if (!line.empty() && line.back() == '\n') line.pop_back();
    if (line.size() >= 2 && line.compare(line.size() - 2, 2, "·") == 0) line.resize(line.size() - 2);  // a CR
    const char mark = line.empty() ? ' ' : line.front();
    const Style style = mark == '+'   ? Style::good
                        : mark == '-' ? Style::bad
                        : mark == '@' ? Style::accent
                                      : Style::plain;
    context.out << output::styled(line, style, context.terminal.colours) << '\n';
  }
}

void show_plan(const Context& context, const editors::Plan& plan, Secrets secrets) {
  const auto shown = [secrets](const std::string& text) {
    return secrets == Secrets::shown ? text : masked(text, Others::shown);
  };
  if (!plan.snippet.empty()) context.out << "For " << plan.paste_into << ":\n\n" << shown(plan.snippet) << '\n';
  int number = 0;
  for (const std::string& step : plan.steps) context.out << ++number << ". " << shown(step) << '\n';
}

Json plan_to_json(const editors::Client& client, const editors::Plan& plan, Secrets secrets) {
  const auto shown = [secrets](const std::string& text) {
    return secrets == Secrets::shown ? text : masked(text, Others::shown);
  };
  Json steps = Json::array();
  for (const std::string& step : plan.steps) steps.push_back(shown(step));
  return {{"client", client.name},
          {"file", plan.edit ? plan.edit->file.string() : ""},
          {"snippet", shown(plan.snippet)},
          {"paste_into", plan.paste_into},
          {"steps", steps}};
}

int preview_connection(const Context& context, const editors::Client& client) {
  const AdminClient daemon = context.client();
  const auto models = daemon.models();
  auto target = find_target(daemon, models ? *models : std::vector<admin::Model>());
  if (!target) return context.refuse(target.error());
  const editors::Places places(context.env);
  editors::Plan plan = client.plan(places, *target);
  std::string diff;
  if (plan.edit) {
    const auto file = editors::load_settings(plan.edit->file);
    if (!file) return context.refuse(file.error());
    const auto keys = daemon.keys();
    const std::string written = editors::find_key(file->text, *plan.edit);
    if (keys && find_working_key(*keys, written, "") != nullptr) target->key = written;
    plan = client.plan(places, *target);
    const auto edited = editors::put_settings(file->text, *plan.edit);
    if (!edited) return context.refuse(edited.error());
    diff = editors::unified_diff(file->text, edited->text, plan.edit->file.string());
  }
  if (context.json) {
    Json json = plan_to_json(client, plan, Secrets::masked);
    json["diff"] = masked(diff);
    return context.show(json);
  }
  show_diff(context, diff);
  if (plan.edit && diff.empty()) context.out << client.title << " points here already; nothing would change.\n";
  show_plan(context, plan, Secrets::masked);
  context.err << "Nothing was changed. To " << (plan.edit ? "do it: " : "make the key: ") << "nemo connect "
              << client.name << " --write\n";
  return k_done;
}

}  // namespace nemo::cli::commands
