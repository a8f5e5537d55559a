#include "daemon/ledger/comparison_text.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>
#include <utility>

namespace nemo::ledger {
namespace {

struct Wording {
  std::string_view subject;
  std::string_view unit;
  double scale;  // from the measure's unit to this one
  int decimals;
};

Wording wording_of(Measure measure) {
  constexpr double k_millis = 1e-3;
  constexpr double k_dollars = 1e-9;
  constexpr double k_points = 100;
  switch (measure) {
    case Measure::error_share:
      return {"share of errors", "percentage points", k_points, 1};
    case Measure::ttft_p50:
      return {"time to first token (p50)", "ms", k_millis, 1};
    case Measure::ttft_p95:
      return {"time to first token (p95)", "ms", k_millis, 1};
    case Measure::latency_p50:
      return {"latency (p50)", "ms", k_millis, 1};
    case Measure::latency_p95:
      return {"latency (p95)", "ms", k_millis, 1};
    case Measure::cost_per_call:
      return {"cost per call", "dollars", k_dollars, 6};
    case Measure::accepted_share:
      return {"accepted share", "percentage points", k_points, 1};
  }
  return {"?", "", 1, 1};
}

std::string number(double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

}  // namespace

std::string text_of(const Comparison& comparison) {
  const Wording words = wording_of(comparison.measure);
  const Estimate& difference = comparison.difference;
  if (!comparison.distinct) return std::string(words.subject) + ": no difference can be told yet";
  const bool higher = *difference.value > 0;
  // Told by how much, the nearer end first. An end that nobody knows is left out.
  auto least = higher ? difference.low : difference.high;
  auto most = higher ? difference.high : difference.low;
  const auto amount = [&](double value) { return number(std::abs(value) * words.scale, words.decimals); };
  std::string text = comparison.second + ": " + std::string(words.subject) + " is " + amount(*difference.value) + " " +
                     std::string(words.unit) + (higher ? " higher" : " lower") + " than of " + comparison.first + " (";
  if (least && most) return text + amount(*least) + " to " + amount(*most) + ")";
  return text + "at least " + amount(*least) + ")";
}

}  // namespace nemo::ledger
