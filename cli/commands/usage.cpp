#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
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

struct Options {
  std::string by = "model";
  std::string since;
  std::string until;
  bool csv = false;
  bool paths = false;
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

void show_table(const Context& context, const std::vector<admin::UsageRow>& rows, const Options& options) {
  std::string title = options.by;
  std::transform(title.begin(), title.end(), title.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  std::vector<output::Column> columns{
      {title, Align::left, 0, 12}, {"CALLS", Align::right, 2},  {"ERRORS", Align::right, 3}, {"INPUT", Align::right, 4},
      {"CACHED", Align::right, 6}, {"OUTPUT", Align::right, 4}, {"COST", Align::right}};
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

int show_usage(const Context& context, const Options& options) {
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
  const auto options = std::make_shared<Options>();
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
  command->footer("Examples:\n  nemo usage --by seat --since 30d\n  nemo usage --by day --since 2026-11-01 --csv");
  command->callback(
      [&context, options] { context.action = [&context, options] { return show_usage(context, *options); }; });
}

}  // namespace nemo::cli::commands
