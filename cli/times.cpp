#include "cli/times.h"

#include <array>
#include <charconv>
#include <ctime>

#include "shared/admin/timestamp.h"

namespace nemo::cli {
namespace {

constexpr std::int64_t k_longest_span_s = std::int64_t{200} * 366 * 86'400;  // keeps sums far from overflow

std::optional<std::int64_t> seconds_of(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3'600;
    case 'd':
      return 86'400;
    case 'w':
      return std::int64_t{7} * 86'400;
    default:
      return std::nullopt;
  }
}

// "2026-11-01" -> its midnight in the machine's time zone.
std::optional<WallTime> parse_day(std::string_view text) {
  constexpr std::size_t k_day_length = 10;
  if (text.size() != k_day_length || !admin::parse_rfc3339(std::string(text) + "T00:00:00Z")) return std::nullopt;
  std::tm day{};
  std::from_chars(text.data(), text.data() + 4, day.tm_year);
  std::from_chars(text.data() + 5, text.data() + 7, day.tm_mon);
  std::from_chars(text.data() + 8, text.data() + 10, day.tm_mday);
  day.tm_year -= 1900;
  day.tm_mon -= 1;
  day.tm_isdst = -1;
  return std::chrono::time_point_cast<Micros>(std::chrono::system_clock::from_time_t(std::mktime(&day)));
}

std::string show(std::string_view rfc3339, const char* format) {
  const auto time = admin::parse_rfc3339(rfc3339);
  if (!time) return std::string(rfc3339);
  const std::time_t seconds = std::chrono::system_clock::to_time_t(*time);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), format, &local);
  return text.data();
}

Error not_a_time(std::string_view text, std::string_view example) {
  return fail(ErrorKind::invalid_request, "\"" + std::string(text) + "\" is neither a span such as " +
                                              std::string(example) +
                                              " nor a day such as 2026-11-01 nor an RFC 3339 time");
}

}  // namespace

Result<std::chrono::seconds> parse_span(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool one_unit = error == std::errc() && end + 1 == text.data() + text.size();
  const auto unit = one_unit ? seconds_of(*end) : std::nullopt;
  if (!unit || number < 0 || number > k_longest_span_s / *unit) {
    return fail(ErrorKind::invalid_request,
                "\"" + std::string(text) + "\" is not a span such as 90s, 30m, 12h, 7d or 2w");
  }
  return std::chrono::seconds{number * *unit};
}

Result<WallTime> parse_since(std::string_view text, WallTime now) {
  if (const auto span = parse_span(text)) return now - *span;
  if (const auto day = parse_day(text)) return *day;
  if (const auto time = admin::parse_rfc3339(text)) return *time;
  return not_a_time(text, "7d");
}

Result<WallTime> parse_expiry(std::string_view text, WallTime now) {
  WallTime expiry;
  if (const auto span = parse_span(text)) {
    expiry = now + *span;
  } else if (const auto day = parse_day(text)) {
    expiry = *day;
  } else if (const auto time = admin::parse_rfc3339(text)) {
    expiry = *time;
  } else {
    return not_a_time(text, "90d");
  }
  if (expiry <= now) return fail(ErrorKind::invalid_request, "\"" + std::string(text) + "\" has passed already");
  return expiry;
}

std::string show_time(std::string_view rfc3339) {
  return show(rfc3339, "%Y-%m-%d %H:%M:%S");
}

std::string show_short_time(std::string_view rfc3339) {
  return show(rfc3339, "%m-%d %H:%M:%S");
}

}  // namespace nemo::cli
