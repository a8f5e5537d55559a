#include "daemon/budget/calendar.h"

#include <chrono>
#include <limits>

namespace nemo::budget {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

Day number_of(sys_days day) {
  return static_cast<Day>(day.time_since_epoch().count());
}

Days week_of(Day day) {
  const sys_days date{days(day)};
  const Day monday = number_of(date - (std::chrono::weekday(date) - std::chrono::Monday));
  return {monday, monday + 7};
}

Days month_of(Day day) {
  const year_month_day date{sys_days{days(day)}};
  const sys_days first = date.year() / date.month() / 1;
  const sys_days next = year_month_day{first} + std::chrono::months(1);
  return {number_of(first), number_of(next)};
}

}  // namespace

Days Calendar::days_of(call::Window window, Day day) {
  switch (window) {
    case call::Window::day:
      return {day, day + 1};
    case call::Window::week:
      return week_of(day);
    case call::Window::month:
      return month_of(day);
    case call::Window::total:
      break;
  }
  return {std::numeric_limits<Day>::min(), std::numeric_limits<Day>::max()};
}

Period Calendar::period_of(call::Window window, WallTime time) const {
  if (window == call::Window::total) return {WallTime::min(), WallTime::max()};
  const Days days = days_of(window, day_of(time));
  return {m_zone.start_of(days.first), m_zone.start_of(days.end)};
}

}  // namespace nemo::budget
