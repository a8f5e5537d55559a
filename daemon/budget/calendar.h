// When a budget's window begins and ends.
#pragma once

#include <utility>

#include "daemon/call/terms.h"
#include "daemon/lib/time_zone/time_zone.h"
#include "shared/clock.h"

namespace nemo::budget {

using lib::Day;

// From start (included) to end (not included).
struct Period {
  WallTime start;
  WallTime end;

  bool contains(WallTime time) const { return start <= time && time < end; }
  friend bool operator==(const Period&, const Period&) = default;
};

// From first (included) to end (not included).
struct Days {
  Day first = 0;
  Day end = 0;

  bool contains(Day day) const { return first <= day && day < end; }
};

// Immutable. Pure.
class Calendar {
 public:
  explicit Calendar(lib::TimeZone zone) : m_zone(std::move(zone)) {}

  Day day_of(WallTime time) const { return m_zone.day_of(time); }
  // The window's days that `day` is one of; a total's are all there are.
  static Days days_of(call::Window window, Day day);
  // A total's period is all of time.
  Period period_of(call::Window window, WallTime time) const;

 private:
  lib::TimeZone m_zone;
};

}  // namespace nemo::budget
