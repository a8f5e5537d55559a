#include "cli/commands/budget_bars.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/output/figures.h"
#include "cli/output/text.h"
#include "shared/admin/timestamp.h"
#include "shared/money.h"

namespace nemo::cli::commands {
namespace {

using output::Align;
using output::Style;

constexpr std::size_t k_usual_bar = 10;
constexpr std::size_t k_shortest_bar = 4;
constexpr std::size_t k_longest_bar = 30;
constexpr std::size_t k_shortest_label = 8;
constexpr std::size_t k_gaps = 2 + 2 + 3 + 1 + 1;  // before the label, after it, " / ", around the bar
constexpr std::int64_t k_warns_at = 80;            // per cent, the daemon's own threshold

constexpr std::array<std::pair<const char*, const char*>, 3> k_groups{
    {{"team", "Teams"}, {"seat", "Seats"}, {"key", "Keys"}}};

struct Line {
  const admin::Budget* budget = nullptr;
  std::string label;
  std::string used;
  std::string limit;
  std::string tail;
  double share = 0;
};

struct Widths {
  std::size_t label = 0;
  std::size_t used = 0;
  std::size_t limit = 0;
  std::size_t bar = k_usual_bar;
  std::size_t tail = 0;
};

NanoUsd amount_of(const std::string& dollars) {
  const auto amount = parse_dollars(dollars);
  return amount ? *amount : NanoUsd{};
}

Line line_of(const admin::Budget& budget, WallTime now) {
  const NanoUsd used = amount_of(budget.spent) + amount_of(budget.unsettled);
  const NanoUsd limit = amount_of(budget.limit);
  Line line;
  line.budget = &budget;
  line.label = output::printable(budget.label);
  line.used = output::show_money(to_dollars(used));
  line.limit = output::show_money(budget.limit);
  line.tail = (budget.capped ? "capped, " : "") + say_reset(budget.resets_at, now) + " (" +
              output::printable(budget.window) + ")";
  line.share = budget.capped ? 1 : static_cast<double>(used.value) / static_cast<double>(std::max(limit, {1}).value);
  return line;
}

Widths fit(const std::vector<Line>& lines, std::optional<std::size_t> width) {
  Widths widths;
  for (const Line& line : lines) {
    widths.label = std::max(widths.label, output::width_of(line.label));
    widths.used = std::max(widths.used, output::width_of(line.used));
    widths.limit = std::max(widths.limit, output::width_of(line.limit));
    widths.tail = std::max(widths.tail, output::width_of(line.tail));
  }
  if (!width) return widths;
  const std::size_t rest = k_gaps + widths.used + widths.limit + widths.tail;
  const std::size_t room = *width > rest ? *width - rest : 0;
  const std::size_t most_label = room > k_shortest_bar ? room - k_shortest_bar : 0;
  widths.label = std::min(widths.label, std::max(most_label, k_shortest_label));
  widths.bar = std::clamp(room > widths.label ? room - widths.label : 0, k_shortest_bar, k_longest_bar);
  return widths;
}

Style style_of(const admin::Budget& budget) {
  if (budget.capped) return Style::bad;
  return budget.percent >= k_warns_at ? Style::warning : Style::good;
}

std::string draw_note(const admin::Budget& budget, output::Colours colours) {
  std::string note;
  if (amount_of(budget.reserved).value > 0) {
    note = output::show_money(budget.reserved) + " more is reserved by calls that run";
  }
  if (amount_of(budget.unsettled).value > 0) {
    note += (note.empty() ? "" : "; ") + output::show_money(budget.unsettled) + " of it is unsettled after a crash *";
  }
  return note.empty() ? "" : "    " + output::styled(note, Style::faint, colours) + "\n";
}

std::string draw_line(const Line& line, const Widths& widths, std::optional<std::size_t> width,
                      output::Colours colours) {
  const Style style = style_of(*line.budget);
  std::string text = "  " + output::pad_to(output::cut_to(line.label, widths.label), widths.label, Align::left) + "  " +
                     output::pad_to(line.used, widths.used, Align::right) + " / " +
                     output::pad_to(line.limit, widths.limit, Align::left) + " ";
  std::string tail = line.tail;
  if (width) {
    const std::size_t before = output::width_of(text) + widths.bar + 1;
    tail = output::cut_to(tail, *width > before ? *width - before : 0);
  }
  text += output::styled(output::gauge(line.share, widths.bar), style, colours) + " " +
          output::styled(tail, line.budget->capped ? Style::bad : Style::faint, colours);
  return text + "\n" + draw_note(*line.budget, colours);
}

}  // namespace

std::string say_reset(const std::string& resets_at, WallTime now) {
  if (resets_at.empty()) return "never resets";
  const auto time = admin::parse_rfc3339(resets_at);
  if (!time) return "resets at " + output::printable(resets_at);
  const auto left = std::max(*time - now, Micros{0});
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(left).count();
  if (minutes < 60) return "resets in " + std::to_string(minutes) + " min";
  const auto hours = std::chrono::floor<std::chrono::hours>(left).count();
  if (hours < 48) return "resets in " + std::to_string(std::max<std::int64_t>(hours, 1)) + " h";
  return "resets in " + std::to_string(hours / 24) + " d";
}

std::string draw_budgets(const std::vector<admin::Budget>& budgets, std::optional<std::size_t> width,
                         output::Colours colours, WallTime now) {
  std::vector<Line> lines;
  lines.reserve(budgets.size());
  for (const admin::Budget& budget : budgets) lines.push_back(line_of(budget, now));
  const Widths widths = fit(lines, width);
  std::string out;
  for (const auto& [scope, title] : k_groups) {
    std::string group;
    for (const Line& line : lines) {
      if (line.budget->scope == scope) group += draw_line(line, widths, width, colours);
    }
    if (!group.empty()) out += output::styled(title, Style::strong, colours) + "\n" + group;
  }
  return out;
}

}  // namespace nemo::cli::commands
