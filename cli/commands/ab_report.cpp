#include "cli/commands/ab_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

#include "cli/output/figures.h"
#include "cli/output/table.h"
#include "cli/output/text.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Cell;
using output::Colours;
using output::Column;
using output::Style;
using output::Table;

constexpr std::size_t k_title_width = 18;  // of the measures, the longest of them
constexpr std::size_t k_arm_width = 32;    // "$0.00116 ($0.00112 – $0.00119)" and the gap before it

using Show = std::string (*)(double);

// Three digits, so that an interval around a small cost is more than the same figure three times.
std::string show_dollars(double dollars) {
  constexpr int k_cents = 2;
  constexpr int k_nanos = 9;
  const int decimals =
      dollars > 0 ? std::clamp(2 - static_cast<int>(std::floor(std::log10(dollars))), k_cents, k_nanos) : 0;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "$%.*f", decimals, dollars);
  return text.data();
}

std::string show_tokens(double tokens) {
  return output::show_short_count(static_cast<std::int64_t>(tokens + 0.5));
}

// "312ms (290ms – 340ms)"; a bound that is not known is "?".
Cell show_estimate(const admin::Estimate& estimate, Show show) {
  if (!estimate.value) return {"-", Style::faint};
  if (!estimate.low && !estimate.high) return {show(*estimate.value) + " (? – ?)"};
  const auto bound = [show](const std::optional<double>& value) { return value ? show(*value) : std::string("?"); };
  return {show(*estimate.value) + " (" + bound(estimate.low) + " – " + bound(estimate.high) + ")"};
}

struct Row {
  const char* title;
  std::function<Cell(const admin::ArmReport&)> cell;
};

Row estimate_row(const char* title, admin::Estimate admin::ArmReport::*figure, Show show) {
  return {title, [figure, show](const admin::ArmReport& arm) { return show_estimate(arm.*figure, show); }};
}

Row count_row(const char* title, std::int64_t admin::ArmReport::*figure) {
  return {title, [figure](const admin::ArmReport& arm) { return Cell{output::show_count(arm.*figure)}; }};
}

std::vector<Row> rows_of(const std::vector<admin::ArmReport>& arms) {
  using Arm = admin::ArmReport;
  std::vector<Row> rows{count_row("calls", &Arm::calls)};
  const auto any = [&arms](std::int64_t Arm::*figure) {
    return std::any_of(arms.begin(), arms.end(), [figure](const Arm& arm) { return arm.*figure > 0; });
  };
  if (any(&Arm::refused)) rows.push_back(count_row("refused", &Arm::refused));
  rows.push_back(estimate_row("errors", &Arm::error_share, output::show_percent));
  rows.push_back(estimate_row("ttft p50", &Arm::ttft_p50_ms, output::show_millis));
  rows.push_back(estimate_row("ttft p95", &Arm::ttft_p95_ms, output::show_millis));
  rows.push_back(estimate_row("latency p50", &Arm::latency_p50_ms, output::show_millis));
  rows.push_back(estimate_row("latency p95", &Arm::latency_p95_ms, output::show_millis));
  rows.push_back({"cost", [](const Arm& arm) { return Cell{output::show_money(arm.cost)}; }});
  rows.push_back(estimate_row("cost a call", &Arm::cost_per_call, show_dollars));
  rows.push_back({"tokens in, out", [](const Arm& arm) {
                    return Cell{output::show_short_count(arm.input_tokens) + ", " +
                                output::show_short_count(arm.output_tokens)};
                  }});
  rows.push_back(estimate_row("tokens in a call", &Arm::input_tokens_per_call, show_tokens));
  rows.push_back(estimate_row("tokens out a call", &Arm::output_tokens_per_call, show_tokens));
  if (!any(&Arm::judged)) return rows;
  rows.push_back(estimate_row("accepted", &Arm::accepted_share, output::show_percent));
  rows.push_back({"  of completions", [](const Arm& arm) {
                    return Cell{output::show_count(arm.accepted) + " of " + output::show_count(arm.judged)};
                  }});
  return rows;
}

using ArmIterator = std::vector<admin::ArmReport>::const_iterator;

std::string draw_arms(const std::vector<Row>& rows, ArmIterator begin, ArmIterator end,
                      std::optional<std::size_t> width, Colours colours) {
  std::vector<Column> columns{{"", Align::left}};
  for (auto arm = begin; arm != end; ++arm) columns.push_back({output::printable(arm->arm), Align::right, 0, 12});
  Table table(columns);
  for (const Row& row : rows) {
    std::vector<Cell> cells{{row.title, Style::faint}};
    for (auto arm = begin; arm != end; ++arm) cells.push_back(row.cell(*arm));
    table.add(std::move(cells));
  }
  return table.draw(width, colours);
}

std::string draw_verdicts(const std::vector<admin::Verdict>& verdicts, Colours colours) {
  std::string text;
  std::string pair;
  for (const admin::Verdict& verdict : verdicts) {
    const std::string now = verdict.second + " against " + verdict.first;
    if (now != pair) text += "\n" + output::styled(output::printable(now), Style::strong, colours) + "\n";
    pair = now;
    text += std::string("  ") + (verdict.distinct ? "• " : "  ") +
            output::styled(output::printable(verdict.text), verdict.distinct ? Style::plain : Style::faint, colours) +
            "\n";
  }
  return text;
}

}  // namespace

std::string draw_report(const admin::ExperimentReport& report, std::optional<std::size_t> width, Colours colours) {
  const std::vector<Row> rows = rows_of(report.arms);
  std::size_t at_once = std::max<std::size_t>(report.arms.size(), 1);
  if (width && *width > k_title_width) {
    at_once = std::clamp<std::size_t>((*width - k_title_width) / k_arm_width, 1, at_once);
  }
  std::string text;
  for (std::size_t i = 0; i < report.arms.size(); i += at_once) {
    const auto begin = report.arms.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = report.arms.begin() + static_cast<std::ptrdiff_t>(std::min(i + at_once, report.arms.size()));
    if (i > 0) text += "\n";
    text += draw_arms(rows, begin, end, width, colours);
  }
  return text + draw_verdicts(report.verdicts, colours);
}

}  // namespace nemo::cli::commands
