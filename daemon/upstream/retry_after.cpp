#include "daemon/upstream/retry_after.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace nemo::upstream {
namespace {

using std::chrono::seconds;

// Who asks for more is asked again after a day: a date in the far future is a wrong clock rather than a wish.
constexpr seconds k_longest{24 * 60 * 60};
constexpr std::array<std::string_view, 12> k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> k_days{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                 "Friday", "Saturday", "Sunday"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes a date apart from the left; after the first thing that is not there it has failed for good.
class DateText {
 public:
  explicit DateText(std::string_view text) : m_left(text) {}

  bool take(std::string_view what) {
    if (!m_left.starts_with(what)) return false;
    m_left.remove_prefix(what.size());
    return true;
  }
  void expect(std::string_view what) { m_good = take(what) && m_good; }
  int number(std::size_t digits) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= m_left.size() || !is_digit(m_left[i])) {
        m_good = false;
        return 0;
      }
      value = value * 10 + (m_left[i] - '0');
    }
    m_left.remove_prefix(digits);
    return value;
  }
  std::chrono::month month() {
    for (unsigned i = 0; i < k_months.size(); ++i) {
      if (take(k_months[i])) return std::chrono::month(i + 1);
    }
    m_good = false;
    return std::chrono::month(0);
  }
  seconds time_of_day() {
    const int hour = number(2);
    expect(":");
    const int minute = number(2);
    expect(":");
    const int second = number(2);  // 60: a leap second
    m_good = m_good && hour < 24 && minute < 60 && second <= 60;
    return std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
  }
  bool was_all() const { return m_good && m_left.empty(); }

 private:
  std::string_view m_left;
  bool m_good = true;
};

std::optional<WallTime> moment(const DateText& text, std::chrono::year_month_day date, seconds time_of_day) {
  if (!text.was_all() || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date) + time_of_day;
}

// "06 Nov 1994 08:49:37 GMT", after "Sun, "
std::optional<WallTime> fixed_date(DateText text) {
  const std::chrono::day day(static_cast<unsigned>(text.number(2)));
  text.expect(" ");
  const std::chrono::month month = text.month();
  text.expect(" ");
  const std::chrono::year year(text.number(4));
  text.expect(" ");
  const seconds time = text.time_of_day();
  text.expect(" GMT");
  return moment(text, year / month / day, time);
}

// "06-Nov-94 08:49:37 GMT", after "Sunday, ": the century is the one that leaves it within 50 years of now.
std::optional<WallTime> short_year_date(DateText text, WallTime now) {
  const std::chrono::day day(static_cast<unsigned>(text.number(2)));
  text.expect("-");
  const std::chrono::month month = text.month();
  text.expect("-");
  const int short_year = text.number(2);
  text.expect(" ");
  const seconds time = text.time_of_day();
  text.expect(" GMT");
  const int this_year =
      static_cast<int>(std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(now)).year());
  int year = this_year - this_year % 100 + short_year;
  if (year > this_year + 50) year -= 100;
  if (year <= this_year - 50) year += 100;
  return moment(text, std::chrono::year(year) / month / day, time);
}

// "Nov  6 08:49:37 1994", after "Sun "
std::optional<WallTime> c_library_date(DateText text) {
  const std::chrono::month month = text.month();
  text.expect(" ");
  const std::chrono::day day(static_cast<unsigned>(text.take(" ") ? text.number(1) : text.number(2)));
  text.expect(" ");
  const seconds time = text.time_of_day();
  text.expect(" ");
  const std::chrono::year year(text.number(4));
  return moment(text, year / month / day, time);
}

// What day of the week it is said to be is not held against it.
std::optional<WallTime> date_of(std::string_view text, WallTime now) {
  DateText date(text);
  for (const std::string_view name : k_days) {
    if (date.take(name)) return date.take(", ") ? short_year_date(date, now) : std::nullopt;
    if (!date.take(name.substr(0, 3))) continue;
    if (date.take(", ")) return fixed_date(date);
    if (date.take(" ")) return c_library_date(date);
    return std::nullopt;
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

}  // namespace

std::optional<seconds> retry_after(const Head& head, WallTime now) {
  const std::string* header = head.find("retry-after");
  if (header == nullptr) return std::nullopt;
  const std::string_view text = trimmed(*header);
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_digit)) {
    seconds wait{0};
    for (const char digit : text) wait = std::min(wait * 10 + seconds(digit - '0'), k_longest);
    return wait;
  }
  const auto date = date_of(text, now);
  if (!date) return std::nullopt;
  return std::clamp(std::chrono::ceil<seconds>(*date - now), seconds(0), k_longest);
}

}  // namespace nemo::upstream
