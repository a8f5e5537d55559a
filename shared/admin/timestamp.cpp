#include "shared/admin/timestamp.h"

#include <charconv>
#include <string>

namespace nemo::admin {
namespace {

// Reads exactly `count` digits and moves on; false: they are not there.
bool take_digits(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, value);
  if (error != std::errc() || end != text.data() + count || text.front() == '-') return false;
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, std::chrono::year_month_day& date) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!take_digits(text, 4, year) || !take(text, "-") || !take_digits(text, 2, month) || !take(text, "-") ||
      !take_digits(text, 2, day)) {
    return false;
  }
  date = std::chrono::year{year} / std::chrono::month{static_cast<unsigned>(month)} /
         std::chrono::day{static_cast<unsigned>(day)};
  return date.ok();
}

bool take_clock(std::string_view& text, Micros& time) {
  int hours = 0;
  int minutes = 0;
  int seconds = 0;
  if (!take_digits(text, 2, hours) || !take(text, ":") || !take_digits(text, 2, minutes) || !take(text, ":") ||
      !take_digits(text, 2, seconds) || hours > 23 || minutes > 59 || seconds > 60) {
    return false;
  }
  time = std::chrono::hours{hours} + std::chrono::minutes{minutes} + std::chrono::seconds{seconds};
  if (!take(text, ".")) return true;
  std::int64_t scale = 100'000;
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    time += Micros{(text.front() - '0') * scale};
    scale /= 10;
    text.remove_prefix(1);
  }
  return true;
}

bool take_offset(std::string_view& text, std::chrono::minutes& offset) {
  offset = {};
  if (take(text, "Zz")) return true;
  const bool east = !text.empty() && text.front() == '+';
  int hours = 0;
  int minutes = 0;
  if (!take(text, "+-") || !take_digits(text, 2, hours) || !take(text, ":") || !take_digits(text, 2, minutes) ||
      hours > 23 || minutes > 59) {
    return false;
  }
  offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  if (!east) offset = -offset;
  return true;
}

}  // namespace

Result<WallTime> parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  std::chrono::year_month_day date;
  Micros time{0};
  std::chrono::minutes offset{0};
  if (!take_date(rest, date) || !take(rest, "Tt ") || !take_clock(rest, time) || !take_offset(rest, offset) ||
      !rest.empty()) {
    return fail(ErrorKind::invalid_request,
                "\"" + std::string(text) + "\" is not a time such as 2026-11-22T13:45:01Z (RFC 3339)");
  }
  return WallTime{std::chrono::sys_days{date}} + time - offset;
}

}  // namespace nemo::admin
