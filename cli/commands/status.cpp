#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/table.h"
#include "cli/output/text.h"
#include "cli/times.h"
#include "shared/admin/config.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;
using output::Table;

void show_line(const Context& context, const char* name, const std::string& value, const std::string& warning = {}) {
  context.out << "  " << context.styled(output::pad_to(name, 9, Align::left), Style::faint) << ' '
              << context.styled(value, Style::plain);
  if (!warning.empty()) context.out << "  " << context.styled("! " + warning, Style::warning);
  context.out << '\n';
}

void show_ollama(const Context& context, const admin::OllamaStatus& ollama) {
  if (ollama.state == "off") return;
  if (ollama.state == "listening") return show_line(context, "ollama", ollama.url);
  const std::string told = output::printable(ollama.detail);
  // With "auto" somebody else may well be there.
  show_line(context, "ollama", ollama.url + " was not had" + (ollama.only_if_free ? ": " + told : ""),
            ollama.only_if_free ? "" : told);
}

// What is wrong with the config file, or waits.
std::string config_warning(const admin::DaemonStatus& status) {
  std::string warning;
  if (!status.config_error.empty()) warning = "the last reload was refused: " + status.config_error;
  const std::string note = admin::restart_note(status.after_restart);
  if (!warning.empty() && !note.empty()) warning += "; before it: ";
  return warning + output::printable(note);
}

std::string ledger_warning(const admin::LedgerStatus& ledger) {
  const auto count = [](std::uint64_t n) { return output::show_count(static_cast<std::int64_t>(n)); };
  std::string warning;
  const auto add = [&warning](const std::string& part) { warning.append(warning.empty() ? "" : "; ").append(part); };
  if (ledger.dropped > 0) add(count(ledger.dropped) + " rows were lost");
  if (ledger.verdicts_dropped > 0) add(count(ledger.verdicts_dropped) + " verdicts on completions were lost");
  if (!ledger.last_error.empty()) add(ledger.last_error);
  return warning;
}

void show_head(const Context& context, const admin::DaemonStatus& status) {
  context.out << context.styled("nemod " + status.version, Style::strong) << "  has run for "
              << output::show_seconds(status.uptime_s) << " (pid " << status.pid << ")\n";
  show_line(context, "address", status.url);
  show_ollama(context, status.ollama);
  show_line(context, "config", status.config_file + (status.config_file_exists ? "" : " (not there: defaults)"),
            config_warning(status));
  show_line(context, "data", status.data_folder);
  show_line(context, "calls",
            output::show_count(status.open_calls) + " open, " + output::show_count(status.calls_total) +
                " since the start; " + output::show_count(status.open_connections) + " connections");
  show_line(
      context, "keys",
      output::show_count(status.keys) + " accepted" + (status.require_key ? "" : "; callers on this machine need none"),
      status.require_key && status.keys == 0 ? "make one: nemo keys create --seat NAME" : "");
  const admin::LedgerStatus& ledger = status.ledger;
  show_line(context, "ledger",
            output::show_count(static_cast<std::int64_t>(ledger.written)) + " rows written, " +
                output::show_count(static_cast<std::int64_t>(ledger.waiting)) + " waiting",
            ledger_warning(ledger));
}

constexpr std::size_t k_most_named = 4;  // of budgets in one line

std::string join_first(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), k_most_named); ++i) text += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > k_most_named) text += " and " + std::to_string(words.size() - k_most_named) + " more";
  return text;
}

// Two lines at most, and none when all is well.
void show_budgets(const Context& context, const admin::DaemonStatus& status) {
  std::vector<std::string> capped;
  for (const admin::Budget& budget : status.capped) {
    capped.push_back(budget.scope + " " + budget.label + " (" + budget.window + ")");
  }
  const std::string unsettled =
      status.unsettled == 0
          ? ""
          : output::show_count(status.unsettled) + " amounts are unsettled after a crash: nemo budgets reconcile";
  if (!capped.empty() || !unsettled.empty()) {
    const std::string used_up = "used up: " + join_first(capped);
    show_line(context, "budgets", capped.empty() ? "none is used up" : used_up, unsettled);
  }
  if (status.alerts.empty()) return;
  std::vector<std::string> passed;
  for (const admin::BudgetAlert& alert : status.alerts) {
    passed.push_back(alert.scope + " " + alert.label + " " + std::to_string(alert.percent) + " % of " +
                     output::show_money(alert.limit) + "/" + alert.window + " at " + show_short_time(alert.at));
  }
  show_line(context, "passed", join_first(passed));
}

Style style_of_state(const std::string& state) {
  if (state == "reachable") return Style::good;
  return state == "unreachable" ? Style::bad : Style::faint;
}

void show_lanes(const Context& context, const admin::DaemonStatus& status) {
  Table table({{"LANE"}, {"MODEL", Align::left, 0, 12}, {"STRATEGY", Align::left, 1}});
  for (const admin::LaneStatus& lane : status.lanes) {
    table.add({{lane.name, Style::accent}, {lane.model}, {lane.strategy, Style::faint}});
  }
  if (!table.empty()) context.out << '\n' << table.draw(context.terminal.width, context.terminal.colours);
}

void show_upstreams(const Context& context, const admin::DaemonStatus& status) {
  Table table({{"UPSTREAM", Align::left, 0, 8},
               {"STATE"},
               {"KEY"},
               {"MODELS", Align::right, 1},
               {"KIND", Align::left, 2},
               {"URL", Align::left, 3, 16},
               {"DETAIL", Align::left, 4, 16}});
  for (const admin::UpstreamStatus& upstream : status.upstreams) {
    table.add({{upstream.name, Style::accent},
               {upstream.state, style_of_state(upstream.state)},
               {upstream.key, upstream.key == "missing" ? Style::bad : Style::plain},
               {output::show_count(upstream.models)},
               {upstream.kind},
               {upstream.base_url, Style::faint},
               {upstream.detail, Style::faint}});
  }
  if (!table.empty()) context.out << '\n' << table.draw(context.terminal.width, context.terminal.colours);
}

int show_status(const Context& context) {
  const auto status = context.client().status();
  if (!status) return context.refuse(status.error());
  if (context.json) return context.show(*status);
  show_head(context, *status);
  show_budgets(context, *status);
  show_lanes(context, *status);
  show_upstreams(context, *status);
  return k_done;
}

}  // namespace

void add_status(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("status", "What the daemon is doing: lanes, upstreams, keys, budgets, ledger");
  command->callback([&context] { context.action = [&context] { return show_status(context); }; });
}

}  // namespace nemo::cli::commands
