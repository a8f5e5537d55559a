#include "cli/editors/line_diff.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace nemo::cli::editors {
namespace {

constexpr std::size_t k_around = 3;
constexpr std::size_t k_largest_table = 4'000'000;  // cells; beyond, the middle is shown as replaced whole

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

struct Step {
  char mark;  // ' ', '-', '+'
  std::string_view line;
};

// The middle parts, which neither begin nor end alike: by the longest common subsequence.
void compare(const Lines& a, const Lines& b, std::vector<Step>& steps) {
  const std::size_t width = b.size() + 1;
  const bool is_small = (a.size() + 1) * width <= k_largest_table;
  std::vector<unsigned> longest(is_small ? (a.size() + 1) * width : 0);
  for (std::size_t i = a.size(); is_small && i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      longest[i * width + j] = a[i] == b[j] ? longest[(i + 1) * width + j + 1] + 1
                                            : std::max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (is_small && i < a.size() && j < b.size() && a[i] == b[j]) {
      steps.push_back({' ', a[i++]});
      ++j;
    } else if (i < a.size() &&
               (j == b.size() || !is_small || longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      steps.push_back({'-', a[i++]});
    } else {
      steps.push_back({'+', b[j++]});
    }
  }
}

std::vector<Step> steps_between(const Lines& a, const Lines& b) {
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const auto at = [](const Lines& lines, std::size_t index) {
    return lines.begin() + static_cast<std::ptrdiff_t>(index);
  };
  std::vector<Step> steps;
  for (std::size_t i = 0; i < head; ++i) steps.push_back({' ', a[i]});
  compare(Lines(at(a, head), at(a, a.size() - tail)), Lines(at(b, head), at(b, b.size() - tail)), steps);
  for (std::size_t i = a.size() - tail; i < a.size(); ++i) steps.push_back({' ', a[i]});
  return steps;
}

std::string range(std::size_t first, std::size_t count) {
  return std::to_string(count == 0 ? first : first + 1) + (count == 1 ? "" : "," + std::to_string(count));
}

void show_hunk(const std::vector<Step>& steps, std::size_t begin, std::size_t end, std::string& out) {
  const auto count = [&steps](std::size_t from, std::size_t to, char other) {
    std::size_t lines = 0;
    for (std::size_t i = from; i < to; ++i) lines += steps[i].mark == ' ' || steps[i].mark == other ? 1 : 0;
    return lines;
  };
  out += "@@ -" + range(count(0, begin, '-'), count(begin, end, '-')) + " +" +
         range(count(0, begin, '+'), count(begin, end, '+')) + " @@\n";
  for (std::size_t i = begin; i < end; ++i) {
    out.append(1, steps[i].mark).append(steps[i].line);
    if (out.back() != '\n') out += "\n\\ No newline at end of file\n";
  }
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, std::string_view name) {
  if (before == after) return {};
  const auto steps = steps_between(lines_of(before), lines_of(after));
  std::string out = "--- " + std::string(name) + "\n+++ " + std::string(name) + "\n";
  for (std::size_t at = 0; at < steps.size();) {
    if (steps[at].mark == ' ') {
      ++at;
      continue;
    }
    const std::size_t begin = at - std::min(at, k_around);
    std::size_t last = at;  // change of this hunk
    for (std::size_t i = at; i < steps.size() && i <= last + 2 * k_around; ++i) {
      if (steps[i].mark != ' ') last = i;
    }
    at = std::min(last + k_around + 1, steps.size());
    show_hunk(steps, begin, at, out);
  }
  return out;
}

}  // namespace nemo::cli::editors
