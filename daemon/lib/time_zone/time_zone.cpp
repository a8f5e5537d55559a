#include "daemon/lib/time_zone/time_zone.h"

#include <date/tz.h>

#include <exception>

namespace nemo::lib {
namespace {

const date::time_zone& zone_of(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

Day number_of(std::chrono::sys_days day) {
  return static_cast<Day>(day.time_since_epoch().count());
}

Error not_a_zone(const std::string& name, const char* detail) {
  return fail(ErrorKind::invalid_config, "time_zone: \"" + name +
                                             "\" is not a zone of the tz database; write one as Europe/Berlin, "
                                             "America/New_York or UTC (" +
                                             detail + ")");
}

Error no_database(const char* detail) {
  return fail(ErrorKind::invalid_config,
              std::string("time_zone: the tz database cannot be read; install the package tzdata, or use UTC (") +
                  detail + ")");
}

}  // namespace

TimeZone TimeZone::utc() {
  return {"UTC", nullptr};
}

Result<TimeZone> TimeZone::find(const std::string& name) {
  if (name == "UTC") return utc();
  try {
    date::get_tzdb();
  } catch (const std::exception& failure) {
    return no_database(failure.what());
  }
  try {
    const date::time_zone* zone = date::locate_zone(name);
    // A zone's file is read when it is first asked: here, so that day_of() and start_of() find it sound.
    zone->get_info(WallTime{});
    return TimeZone(name, zone);
  } catch (const std::exception& failure) {
    return not_a_zone(name, failure.what());
  }
}

Day TimeZone::day_of(WallTime time) const {
  if (m_zone == nullptr) return number_of(std::chrono::floor<std::chrono::days>(time));
  const auto local = zone_of(m_zone).to_local(time);
  const Day day = static_cast<Day>(date::floor<date::days>(local).time_since_epoch().count());
  // Clocks that were set back past midnight live some of yesterday again: that is today, so that days follow each
  // other.
  return start_of(day + 1) <= time ? day + 1 : day;
}

WallTime TimeZone::start_of(Day day) const {
  if (m_zone == nullptr) return WallTime(std::chrono::days(day));
  const date::local_days midnight{date::days(day)};
  const date::local_info info = zone_of(m_zone).get_info(midnight);
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return WallTime(std::chrono::duration_cast<Micros>(midnight.time_since_epoch()) - info.first.offset);
}

}  // namespace nemo::lib
