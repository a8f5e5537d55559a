#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/context.h"
#include "cli/output/figures.h"
#include "cli/output/json_text.h"
#include "cli/output/table.h"
#include "cli/times.h"
#include "shared/money.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;
using output::Table;

constexpr std::size_t k_bar_width = 20;

struct UsageOptions {
  std::string by = "model";
  std::string since;
  std::string until;
  bool csv = false;
  bool paths = false;
  bool accepted = false;
};

NanoUsd cost_of(const admin::UsageRow& row) {
  const auto cost = parse_dollars(row.cost);
  return cost ? *cost : NanoUsd{};
}

admin::UsageRow total_of(const std::vector<admin::UsageRow>& rows) {
  admin::UsageRow total;
  NanoUsd cost;
  for (const admin::UsageRow& row : rows) {
    total.calls += row.calls;
    total.errors += row.errors;
    total.input_tokens += row.input_tokens;
    total.cached_tokens += row.cached_tokens;
    total.output_tokens += row.output_tokens;
    cost += cost_of(row);
  }
  total.group = "total";
  total.cost = to_dollars(cost);
  return total;
}

void add_row(Table& table, const admin::UsageRow& row, double share, Style style) {
  table.add({{row.group.empty() ? "-" : row.group, style},
             {output::show_count(row.calls), style},
             {row.errors == 0 ? "" : output::show_count(row.errors), Style::bad},
             {output::show_count(row.input_tokens), style},
             {output::show_count(row.cached_tokens), style},
             {output::show_count(row.output_tokens), style},
             {output::show_money(row.cost), style},
             {output::bar(share, k_bar_width), Style::accent}});
}

std::string column_title(std::string by) {
  std::transform(by.begin(), by.end(), by.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  return by;
}

void show_table(const Context& context, const std::vector<admin::UsageRow>& rows, const UsageOptions& options) {
  std::vector<output::Column> columns{{column_title(options.by), Align::left, 0, 12},
                                      {"CALLS", Align::right, 2},
                                      {"ERRORS", Align::right, 3},
                                      {"INPUT", Align::right, 4},
                                      {"CACHED", Align::right, 6},
                                      {"OUTPUT", Align::right, 4},
                                      {"COST", Align::right}};
  // A bar is a picture for people: in a file it would only be in the way.
  if (context.terminal.width) columns.push_back({"", Align::left, 5});
  Table table(columns);
  NanoUsd dearest;
  for (const admin::UsageRow& row : rows) dearest = std::max(dearest, cost_of(row));
  for (const admin::UsageRow& row : rows) {
    const double share =
        dearest.value == 0 ? 0 : static_cast<double>(cost_of(row).value) / static_cast<double>(dearest.value);
    add_row(table, row, share, Style::plain);
  }
  // A call with several tags is in several rows, whose sum would be too much.
  if (options.by != "tag") add_row(table, total_of(rows), 0, Style::strong);
  context.out << table.draw(context.terminal.width, context.terminal.colours);
}

int show_csv(const Context& context, const std::vector<admin::UsageRow>& rows) {
  context.out << output::csv_line(
      {"group", "calls", "errors", "input_tokens", "cached_tokens", "output_tokens", "cost"});
  for (const admin::UsageRow& row : rows) {
    context.out << output::csv_line({row.group, std::to_string(row.calls), std::to_string(row.errors),
                                     std::to_string(row.input_tokens), std::to_string(row.cached_tokens),
                                     std::to_string(row.output_tokens), row.cost});
  }
  return k_done;
}

std::string describe_period(const admin::UsageQuery& query) {
  return (query.since.empty() ? "from the beginning" : "from " + show_time(query.since)) + " to " +
         (query.until.empty() ? "now" : show_time(query.until));
}

// Of those that have been judged: what is shown right now is neither accepted nor dismissed.
std::optional<double> share_of(const admin::AcceptanceRow& row) {
  const std::int64_t taken = row.accepted + row.partly;
  const std::int64_t judged = taken + row.dismissed;
  return judged == 0 ? std::nullopt : std::optional(static_cast<double>(taken) / static_cast<double>(judged));
}

void add_row(Table& table, const admin::AcceptanceRow& row, Style style) {
  const auto share = share_of(row);
  table.add({{row.group.empty() ? "-" : row.group, style},
             {output::show_count(row.shown), style},
             {output::show_count(row.accepted), style},
             {output::show_count(row.partly), style},
             {output::show_count(row.dismissed), style},
             {share ? output::show_percent(*share) : "-", style}});
}

void show_table(const Context& context, const std::vector<admin::AcceptanceRow>& rows, const UsageOptions& options) {
  Table table({{column_title(options.by), Align::left, 0, 12},
               {"SHOWN", Align::right, 1},
               {"ACCEPTED", Align::right, 2},
               {"PARTLY", Align::right, 3},
               {"DISMISSED", Align::right, 4},
               {"SHARE", Align::right}});
  admin::AcceptanceRow total;
  total.group = "total";
  for (const admin::AcceptanceRow& row : rows) {
    add_row(table, row, Style::plain);
    total.shown += row.shown;
    total.accepted += row.accepted;
    total.partly += row.partly;
    total.dismissed += row.dismissed;
  }
  add_row(table, total, Style::strong);
  context.out << table.draw(context.terminal.width, context.terminal.colours);
}

int show_csv(const Context& context, const std::vector<admin::AcceptanceRow>& rows) {
  context.out << output::csv_line({"group", "shown", "accepted", "partly", "dismissed"});
  for (const admin::AcceptanceRow& row : rows) {
    context.out << output::csv_line({row.group, std::to_string(row.shown), std::to_string(row.accepted),
                                     std::to_string(row.partly), std::to_string(row.dismissed)});
  }
  return k_done;
}

int show_acceptance(const Context& context, const admin::UsageQuery& query, const UsageOptions& options) {
  const auto rows = context.client().acceptance(query);
  if (!rows) return context.refuse(rows.error());
  if (options.csv) return show_csv(context, *rows);
  if (context.json) return context.show(*rows);
  context.out << context.styled("Completions by " + query.by + ", " + describe_period(query), Style::faint) << '\n';
  if (rows->empty()) {
    context.out << "No completions were shown.\n";
  } else {
    show_table(context, *rows, options);
  }
  return k_done;
}

int show_usage(const Context& context, const UsageOptions& options) {
  admin::UsageQuery query;
  query.by = options.by;
  query.paths = options.paths;
  if (!options.since.empty()) {
    const auto since = parse_since(options.since, context.clock.wall());
    if (!since) return context.misused("--since: " + since.error().message);
    query.since = to_rfc3339(*since);
  }
  if (!options.until.empty()) {
    const auto until = parse_since(options.until, context.clock.wall());
    if (!until) return context.misused("--until: " + until.error().message);
    query.until = to_rfc3339(*until);
  }
  // One form of RFC 3339 sorts as time does.
  if (!query.since.empty() && !query.until.empty() && query.until <= query.since) {
    return context.misused("--until: it must lie after --since");
  }
  if (options.accepted) return show_acceptance(context, query, options);
  const auto rows = context.client().usage(query);
  if (!rows) return context.refuse(rows.error());
  if (options.csv) return show_csv(context, *rows);
  if (context.json) return context.show(*rows);
  context.out << context.styled("Usage by " + query.by + ", " + describe_period(query), Style::faint) << '\n';
  if (rows->empty()) {
    context.out << "No calls.\n";
  } else {
    show_table(context, *rows, options);
  }
  return k_done;
}

}  // namespace

void add_usage(CLI::App& app, Context& context) {
  CLI::App* command = app.add_subcommand("usage", "Calls, tokens and cost, summed");
  const auto options = std::make_shared<UsageOptions>();
  command
      ->add_option("--by", options->by,
                   "What to sum by: key, seat, team, model, lane, day, hour, client, tag, upstream, project")
      ->check(CLI::IsMember(
          {"key", "seat", "team", "model", "lane", "day", "hour", "client", "tag", "upstream", "project"}))
      ->type_name("WHAT")
      ->capture_default_str();
  command->add_option("--since", options->since, "Calls from then on: 7d, 2026-11-01 or RFC 3339")->type_name("WHEN");
  command->add_option("--until", options->until, "Calls before then")->type_name("WHEN");
  command->add_flag("--csv", options->csv, "Print CSV (RFC 4180) with exact costs");
  command->add_flag("--paths", options->paths,
                    "With --by project: folders by their whole path; else those of one name are one row");
  command->add_flag("--accepted", options->accepted,
                    "Instead of cost: how many completions were shown, accepted in full or partly, and dismissed; the "
                    "share is of those that have been judged. Known as far back as calls are kept (retention_days)");
  command->footer(
      "Examples:\n  nemo usage --by seat --since 30d\n  nemo usage --by day --since 2026-11-01 --csv\n"
      "  nemo usage --by model --accepted");
  command->callback(
      [&context, options] { context.action = [&context, options] { return show_usage(context, *options); }; });
}

}  // namespace nemo::cli::commands
