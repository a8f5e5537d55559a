#include "cli/output/figures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "cli/output/text.h"
#include "shared/money.h"

namespace nemo::cli::output {
namespace {

constexpr std::int64_t k_dollar = 1'000'000'000;  // in nano-dollars
constexpr std::int64_t k_cent = k_dollar / 100;

std::string with_decimals(double value, int decimals, const char* unit) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f%s", decimals, value, unit);
  return text.data();
}

// One decimal, unless it is nothing: "12.3k", "200k".
std::string with_unit(double value, const char* unit) {
  std::string text = with_decimals(value, 1, "");
  if (text.size() > 2 && text.compare(text.size() - 2, 2, ".0") == 0) text.resize(text.size() - 2);
  return text + unit;
}

// Half a step is rounded up.
std::int64_t round_to(std::int64_t value, std::int64_t step) {
  return (value / step + (value % step >= step - step / 2 ? 1 : 0)) * step;
}

// Exact dollars with at least two decimals, except for nothing: "0.30", "0.0012", "0".
std::string with_cents(std::int64_t value) {
  std::string text = to_dollars(NanoUsd{value});
  if (value == 0) return text;
  const std::size_t point = text.find('.');
  if (point == std::string::npos) return text + ".00";
  return point + 2 == text.size() ? text + "0" : text;
}

// The step that leaves two digits of a small amount.
std::int64_t two_digits_of(std::int64_t value) {
  std::int64_t step = 1;
  while (value / step >= 100) step *= 10;
  return step;
}

}  // namespace

std::string show_money(std::string_view dollars) {
  const auto amount = parse_dollars(dollars);
  if (!amount) return std::string(dollars);
  const std::int64_t value = amount->value;
  if (value < k_dollar) return "$" + with_cents(round_to(value, two_digits_of(value)));
  const std::int64_t cents = round_to(value, k_cent);
  return "$" + show_count(cents / k_dollar) + with_cents(k_dollar + cents % k_dollar).substr(1);
}

std::string show_price(std::string_view dollars) {
  const auto amount = parse_dollars(dollars);
  return amount ? "$" + with_cents(amount->value) : std::string(dollars);
}

std::string show_count(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string show_short_count(std::int64_t count) {
  if (count < 10'000) return std::to_string(count);
  if (count < 999'950) return with_unit(static_cast<double>(count) / 1e3, "k");
  if (count < 999'950'000) return with_unit(static_cast<double>(count) / 1e6, "M");
  return with_unit(static_cast<double>(count) / 1e9, "G");
}

std::string show_millis(double millis) {
  if (millis < 9.95) return with_decimals(millis, 1, "ms");
  if (millis < 999.5) return with_decimals(millis, 0, "ms");
  if (millis < 59'995) return with_decimals(millis / 1e3, 2, "s");
  const auto seconds = static_cast<std::int64_t>(std::llround(millis / 1e3));
  if (seconds >= 3600) return show_seconds(seconds);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%dm%02ds", static_cast<int>(seconds / 60), static_cast<int>(seconds % 60));
  return text.data();
}

std::string show_seconds(std::int64_t seconds) {
  if (seconds < 60) return std::to_string(seconds) + "s";
  const std::int64_t minutes = seconds / 60;
  if (minutes < 60) return std::to_string(minutes) + "m";
  const std::int64_t hours = minutes / 60;
  if (hours < 24) return std::to_string(hours) + "h " + std::to_string(minutes % 60) + "m";
  return std::to_string(hours / 24) + "d " + std::to_string(hours % 24) + "h";
}

std::string show_percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", share * 100);
  return text.data();
}

std::string bar(double share, std::size_t width) {
  constexpr std::array<std::string_view, 8> k_parts{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (!(share > 0) || width == 0) return {};
  const double eighths_wanted = std::min(share, 1.0) * static_cast<double>(width) * 8;
  const auto eighths = std::max<std::size_t>(static_cast<std::size_t>(std::llround(eighths_wanted)), 1);
  std::string out;
  for (std::size_t i = 0; i < eighths / 8; ++i) out += "█";
  out += k_parts[eighths % 8];
  return out;
}

std::string gauge(double share, std::size_t width) {
  const double one_eighth_less = 1.0 - 1.0 / (8.0 * static_cast<double>(std::max<std::size_t>(width, 1)));
  std::string out = bar(share < 1 ? std::min(share, one_eighth_less) : 1, width);
  for (std::size_t used = width_of(out); used < width; ++used) out += "·";
  return out;
}

}  // namespace nemo::cli::output
