#include "daemon/lib/time_zone/time_zone.h"

#include <doctest/doctest.h>

namespace nemo::test::time_zone_test {

using namespace nemo;
using lib::Day;
using lib::TimeZone;

namespace {

Day day(int year, unsigned month, unsigned day_of_month) {
  const std::chrono::sys_days date =
      std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day_of_month);
  return static_cast<Day>(date.time_since_epoch().count());
}

WallTime utc(int year, unsigned month, unsigned day_of_month, int hour = 0, int minute = 0) {
  return WallTime(std::chrono::days(day(year, month, day_of_month))) + std::chrono::hours(hour) +
         std::chrono::minutes(minute);
}

TimeZone zone(const char* name) {
  return TimeZone::find(name).value();
}

}  // namespace

TEST_CASE("in UTC a day begins at midnight") {
  CHECK(TimeZone::utc().start_of(day(2026, 11, 22)) == utc(2026, 11, 22));
  CHECK(TimeZone::utc().day_of(utc(2026, 11, 22)) == day(2026, 11, 22));
  CHECK(TimeZone::utc().day_of(utc(2026, 11, 22) - Micros(1)) == day(2026, 11, 21));
  CHECK(zone("UTC").name() == "UTC");
}

TEST_CASE("in a zone a day begins at its own midnight, in summer and in winter") {
  CHECK(zone("Europe/Berlin").start_of(day(2026, 1, 10)) == utc(2026, 1, 9, 23));
  CHECK(zone("Europe/Berlin").start_of(day(2026, 7, 10)) == utc(2026, 7, 9, 22));
  CHECK(zone("America/New_York").start_of(day(2026, 1, 10)) == utc(2026, 1, 10, 5));
  CHECK(zone("Asia/Kathmandu").start_of(day(2026, 1, 10)) == utc(2026, 1, 9, 18, 15));
  CHECK(zone("Europe/Berlin").day_of(utc(2026, 1, 9, 23)) == day(2026, 1, 10));
  CHECK(zone("Europe/Berlin").day_of(utc(2026, 1, 9, 23) - Micros(1)) == day(2026, 1, 9));
}

TEST_CASE("a day is 23 hours when clocks go forward and 25 when they go back") {
  const TimeZone berlin = zone("Europe/Berlin");
  CHECK(berlin.start_of(day(2026, 3, 30)) - berlin.start_of(day(2026, 3, 29)) == std::chrono::hours(23));
  CHECK(berlin.start_of(day(2026, 10, 26)) - berlin.start_of(day(2026, 10, 25)) == std::chrono::hours(25));
}

TEST_CASE("where a gap swallowed midnight, the day begins after the gap") {
  // Chile goes forward at midnight: 2025-09-06 24:00 is 2025-09-07 01:00.
  const TimeZone santiago = zone("America/Santiago");
  CHECK(santiago.start_of(day(2025, 9, 7)) == utc(2025, 9, 7, 4));
  CHECK(santiago.day_of(utc(2025, 9, 7, 4)) == day(2025, 9, 7));
  CHECK(santiago.day_of(utc(2025, 9, 7, 4) - Micros(1)) == day(2025, 9, 6));
}

TEST_CASE("where midnight exists twice, the day begins at the first") {
  // Cuba goes back at 01:00 to 00:00.
  const TimeZone havana = zone("America/Havana");
  CHECK(havana.start_of(day(2025, 11, 2)) == utc(2025, 11, 2, 4));
  CHECK(havana.day_of(utc(2025, 11, 2, 4)) == day(2025, 11, 2));
  CHECK(havana.day_of(utc(2025, 11, 2, 5, 30)) == day(2025, 11, 2));
}

TEST_CASE("where clocks went back past midnight, the evening that comes twice belongs to the day that has begun") {
  // Newfoundland went back at 00:01 to 23:01 until 2011.
  const TimeZone newfoundland = zone("America/St_Johns");
  const WallTime begins = newfoundland.start_of(day(2010, 11, 7));
  CHECK(begins == utc(2010, 11, 7, 2, 30));
  for (int minute = 0; minute < 120; ++minute) {
    CHECK(newfoundland.day_of(begins + std::chrono::minutes(minute)) == day(2010, 11, 7));
  }
}

TEST_CASE("a day that a zone never had is empty") {
  // Samoa went from the 29th to the 31st of December 2011.
  const TimeZone apia = zone("Pacific/Apia");
  CHECK(apia.start_of(day(2011, 12, 30)) == apia.start_of(day(2011, 12, 31)));
  CHECK(apia.day_of(apia.start_of(day(2011, 12, 31))) == day(2011, 12, 31));
}

TEST_CASE("every instant lies between the start of its day and the start of the next") {
  for (const char* name : {"UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "America/Havana",
                           "Africa/Cairo", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Chatham"}) {
    const TimeZone here = zone(name);
    for (WallTime at = utc(2026, 1, 1); at < utc(2027, 1, 1); at += std::chrono::minutes(15)) {
      const Day today = here.day_of(at);
      if (here.start_of(today) <= at && at < here.start_of(today + 1)) continue;
      FAIL_CHECK(name << " at " << to_rfc3339(at));
    }
  }
}

TEST_CASE("a name that the database does not have is an error that shows how zones are written") {
  for (const char* name : {"Europe/Berln", "", "berlin", "../../etc/passwd", "Europe/", "utc "}) {
    const auto found = TimeZone::find(name);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().kind == ErrorKind::invalid_config);
    CHECK(found.error().message.find("time_zone: \"" + std::string(name) + "\" is not a zone") == 0);
    CHECK(found.error().message.find("Europe/Berlin") != std::string::npos);
  }
}

}  // namespace nemo::test::time_zone_test
