// A time zone of the IANA database, by way of Howard Hinnant's date library. The only includer of its headers.
#pragma once

#include <string>

#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::lib {

// A calendar day, counted from 1970-01-01.
using Day = int;

// Immutable. Any thread.
class TimeZone {
 public:
  static TimeZone utc();
  // "Europe/Berlin", "UTC". invalid_config: the database has no such name, or there is no database; says what to do.
  static Result<TimeZone> find(const std::string& name);

  const std::string& name() const { return m_name; }
  // The last day that has begun. It is the local date, except where clocks were set back past midnight: what is lived
  // again then still belongs to the later day.
  Day day_of(WallTime time) const;
  // The first instant of a day: midnight, the first of two, or the moment after a gap that swallowed it.
  WallTime start_of(Day day) const;

 private:
  TimeZone(std::string name, const void* zone) : m_name(std::move(name)), m_zone(zone) {}
  std::string m_name;
  const void* m_zone;  // date::time_zone, which lives as long as the process; null: UTC
};

}  // namespace nemo::lib
