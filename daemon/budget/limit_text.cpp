#include "daemon/budget/limit_text.h"

#include <array>
#include <string>

namespace nemo::budget {
namespace {

constexpr NanoUsd k_most{9'000'000'000 * 1'000'000'000};  // what is left of 64 bits above it keeps sums safe
constexpr std::size_t k_longest_quoted = 40;
constexpr std::array k_windows{call::Window::day, call::Window::week, call::Window::month, call::Window::total};

Error not_a_budget(std::string_view text, const std::string& why) {
  std::string quoted(text.substr(0, k_longest_quoted));
  if (text.size() > k_longest_quoted) quoted += "…";
  return fail(ErrorKind::invalid_request,
              "\"" + quoted + "\" is not a budget: " + why +
                  "; write dollars and a window (day, week, month or total), such as 80/month or 0.5/day, or none",
              "budget");
}

std::string what_is_wrong_with(std::string_view amount) {
  if (amount.empty()) return "there is no amount";
  if (amount.front() == '-' || amount.front() == '+') return "an amount has no sign";
  if (amount.front() == '$') return "an amount is written without the dollar sign";
  if (amount.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
      amount.find_first_of("eE") != std::string_view::npos) {
    return "an amount has no exponent";
  }
  if (amount.find(',') != std::string_view::npos) return "decimals follow a point, and there are no thousands marks";
  if (amount.find_first_not_of("0123456789.") != std::string_view::npos) return "the amount is not a number";
  const auto point = amount.find('.');
  if (point != std::string_view::npos && amount.find('.', point + 1) != std::string_view::npos) {
    return "the amount has two points";
  }
  if (point != std::string_view::npos && amount.size() - point - 1 > 9) {
    return "the amount has more than nine decimals";
  }
  if (amount == ".") return "there is no amount";
  return "the amount is more than 9 billion dollars";
}

std::optional<call::Window> window_of(std::string_view text) {
  for (const call::Window window : k_windows) {
    if (text == call::to_string(window)) return window;
  }
  return std::nullopt;
}

}  // namespace

Result<call::TermsChange::Budget> parse_budget(std::string_view text) {
  if (text == "none") return call::TermsChange::Budget{};
  const auto slash = text.find('/');
  const std::string_view amount = text.substr(0, slash);
  const auto dollars = parse_dollars(amount);
  const bool removes = amount == "none";
  if (!removes && (!dollars || *dollars > k_most)) return not_a_budget(text, what_is_wrong_with(amount));
  if (slash == std::string_view::npos) return not_a_budget(text, "it does not say for how long");

  const std::string_view name = text.substr(slash + 1);
  const auto window = window_of(name);
  if (!window) {
    const std::string quoted(name.substr(0, k_longest_quoted));
    return not_a_budget(text, name.empty() ? "the window is missing" : "there is no window \"" + quoted + "\"");
  }
  if (removes) return call::TermsChange::Budget{window, std::nullopt};
  return call::TermsChange::Budget{window, *dollars};
}

}  // namespace nemo::budget
