// What a key, a seat or a team may use: money per window, calls and tokens per minute, calls at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/money.h"

namespace nemo::call {

// A day begins at midnight, a week on Monday, a month on the 1st, each in the configured time zone.
enum class Window : std::uint8_t { day, week, month, total };

std::string_view to_string(Window window);  // "day", …

struct BudgetLimit {
  Window window = Window::month;
  NanoUsd amount;  // 0: nothing that costs anything

  friend bool operator==(const BudgetLimit&, const BudgetLimit&) = default;
};

// Absent: no limit. 0: none allowed.
struct RateLimits {
  std::optional<std::int64_t> requests_per_minute;
  std::optional<std::int64_t> tokens_per_minute;
  std::optional<std::int64_t> parallel;

  bool any() const { return requests_per_minute || tokens_per_minute || parallel; }
  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

struct Terms {
  std::vector<BudgetLimit> budgets;  // at most one a window, in the order of Window
  RateLimits limits;
  std::string fallback_model;  // on_budget = "fallback:MODEL"; empty: the call is refused. Keys only

  friend bool operator==(const Terms&, const Terms&) = default;
};

// A change of some terms; what it does not name stays.
struct TermsChange {
  struct Budget {
    std::optional<Window> window;   // absent: all windows
    std::optional<NanoUsd> amount;  // absent: no budget any more
  };
  std::vector<Budget> budgets;  // in this order
  std::optional<std::optional<std::int64_t>> requests_per_minute;
  std::optional<std::optional<std::int64_t>> tokens_per_minute;
  std::optional<std::optional<std::int64_t>> parallel;
  std::optional<std::string> fallback_model;

  bool empty() const {
    return budgets.empty() && !requests_per_minute && !tokens_per_minute && !parallel && !fallback_model;
  }
};

Terms apply(Terms terms, const TermsChange& change);

}  // namespace nemo::call
