#include "shared/money.h"

#include <algorithm>
#include <limits>

namespace nemo {
namespace {

constexpr std::int64_t k_nanos_in_dollar = 1'000'000'000;
constexpr int k_decimals = 9;
constexpr std::int64_t k_most = std::numeric_limits<std::int64_t>::max();

Error not_money(std::string_view text, std::string_view why) {
  return fail(ErrorKind::invalid_request,
              "\"" + std::string(text) + "\" is not an amount of dollars: " + std::string(why));
}

}  // namespace

std::string to_dollars(NanoUsd amount) {
  const bool negative = amount.value < 0;
  const auto size = negative ? 0 - static_cast<std::uint64_t>(amount.value) : static_cast<std::uint64_t>(amount.value);
  std::string text = std::to_string(size / k_nanos_in_dollar);
  std::string nanos = std::to_string(size % k_nanos_in_dollar);
  nanos.insert(0, k_decimals - nanos.size(), '0');
  const auto last = nanos.find_last_not_of('0');
  if (last != std::string::npos) text.append(".").append(nanos, 0, last + 1);
  return negative ? "-" + text : text;
}

Result<NanoUsd> parse_dollars(std::string_view text) {
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view decimals = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
  if (whole.empty() && decimals.empty()) return not_money(text, "there is no digit");
  if (decimals.size() > k_decimals) return not_money(text, "it has more than nine decimals");
  std::int64_t value = 0;
  for (int i = 0; i < static_cast<int>(whole.size()) + k_decimals; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::size_t decimal = at - std::min(at, whole.size());
    const char c = at < whole.size() ? whole[at] : decimal < decimals.size() ? decimals[decimal] : '0';
    if (c < '0' || c > '9') return not_money(text, "only digits and one point are allowed");
    const std::int64_t digit = c - '0';
    if (value > (k_most - digit) / 10) return not_money(text, "it is too large");
    value = value * 10 + digit;
  }
  return NanoUsd{value};
}

}  // namespace nemo
