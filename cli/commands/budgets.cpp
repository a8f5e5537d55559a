#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/budget_bars.h"
#include "cli/commands/commands.h"
#include "cli/commands/reconcile.h"
#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/table.h"
#include "cli/times.h"
#include "shared/money.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;
using output::Table;

struct BudgetsOptions {
  bool accuracy = false;
  std::string since;
};

int show_budgets(const Context& context) {
  const AdminClient client = context.client();
  const auto budgets = client.budgets();
  if (!budgets) return context.refuse(budgets.error());
  if (context.json) return context.show(*budgets);
  if (budgets->empty()) context.err << "There is no budget yet; set one: nemo keys set ID --budget 80/month\n";
  context.out << draw_budgets(*budgets, context.terminal.width, context.terminal.colours, context.clock.wall());
  const auto unsettled = client.unsettled();
  if (!unsettled) return context.refuse(unsettled.error());
  if (unsettled->empty()) return k_done;
  context.out
      << "\n* Unsettled after a crash: calls were running when the daemon ended; what they had set aside counts "
         "as\n  spent until somebody knows better. See it:  nemo budgets reconcile\n  Release it:  nemo budgets "
         "reconcile --all --reason TEXT\n";
  return k_done;
}

// "1.30×": what was expected over what came.
std::string ratio_of(double expected, double came) {
  if (came <= 0) return "-";
  std::string text = std::to_string(expected / came + 0.005);
  return text.substr(0, text.find('.') + 3) + "×";
}

double dollars_of(const std::string& text) {
  const auto amount = parse_dollars(text);
  return amount ? static_cast<double>(amount->value) : 0;
}

void show_accuracy_table(const Context& context, const std::vector<admin::Accuracy>& rows) {
  Table table({{"MODEL", Align::left, 0, 12},
               {"CALLS", Align::right},
               {"ESTIMATED", Align::right, 2},
               {"REAL", Align::right, 2},
               {"RATIO", Align::right},
               {"TOO LOW", Align::right, 1},
               {"RESERVED", Align::right, 3},
               {"COST", Align::right, 3},
               {"RATIO", Align::right, 4},
               {"OVERRUNS", Align::right},
               {"BY", Align::right}});
  for (const admin::Accuracy& row : rows) {
    table.add({{row.model, Style::accent},
               {output::show_count(row.calls)},
               {output::show_short_count(row.estimated_tokens)},
               {output::show_short_count(row.input_tokens)},
               {ratio_of(static_cast<double>(row.estimated_tokens), static_cast<double>(row.input_tokens))},
               {output::show_count(row.above_estimate), row.above_estimate > 0 ? Style::warning : Style::faint},
               {output::show_money(row.reserved)},
               {output::show_money(row.cost)},
               {ratio_of(dollars_of(row.reserved), dollars_of(row.cost))},
               {output::show_count(row.overruns), row.overruns > 0 ? Style::bad : Style::faint},
               {output::show_money(row.overrun_cost)}});
  }
  context.out << table.draw(context.terminal.width, context.terminal.colours)
              << context.styled(
                     "Estimated and real are tokens of input; too low: calls with more of them than estimated; "
                     "overruns: calls that cost more than was reserved.",
                     Style::faint)
              << '\n';
}

int show_accuracy(const Context& context, const BudgetsOptions& options) {
  std::string since;
  if (!options.since.empty()) {
    const auto time = parse_since(options.since, context.clock.wall());
    if (!time) return context.misused("--since: " + time.error().message);
    since = to_rfc3339(*time);
  }
  const auto rows = context.client().accuracy(since);
  if (!rows) return context.refuse(rows.error());
  if (context.json) return context.show(*rows);
  if (rows->empty()) {
    context.err << "No call had anything set aside.\n";
    return k_done;
  }
  show_accuracy_table(context, *rows);
  return k_done;
}

int show(const Context& context, const BudgetsOptions& options) {
  if (options.accuracy) return show_accuracy(context, options);
  if (!options.since.empty()) return context.misused("--since goes with --accuracy");
  return show_budgets(context);
}

}  // namespace

void add_budgets(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("budgets", "What is spent against what is allowed, for keys, seats and teams");
  const auto options = std::make_shared<BudgetsOptions>();
  command->add_flag("--accuracy", options->accuracy, "How good the estimates before calls were, by model");
  command->add_option("--since", options->since, "With --accuracy: calls from then on: 7d, 2026-11-01 or RFC 3339")
      ->type_name("WHEN");
  command->require_subcommand(0, 1);
  add_reconcile(*command, context);
  command->footer(
      "Examples:\n  nemo budgets\n  nemo budgets --accuracy --since 7d\n"
      "  nemo budgets reconcile --all --reason \"checked against the bill\"");
  // It runs after that of a subcommand, whose action must stay.
  command->callback([&context, command, options] {
    if (!command->get_subcommands().empty()) return;
    context.action = [&context, options] { return show(context, *options); };
  });
}

}  // namespace nemo::cli::commands
