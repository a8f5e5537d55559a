#include "shared/clock.h"

#include <doctest/doctest.h>

#include <chrono>

namespace nemo::test::clock_test {

using namespace nemo;
using namespace std::chrono_literals;

TEST_CASE("a time is written as RFC 3339 in UTC with milliseconds") {
  constexpr WallTime k_day{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}};
  CHECK(to_rfc3339(k_day) == "2026-11-22T00:00:00.000Z");
  CHECK(to_rfc3339(k_day + 13h + 45min + 1s + 123ms) == "2026-11-22T13:45:01.123Z");
  CHECK(to_rfc3339(WallTime{}) == "1970-01-01T00:00:00.000Z");
  constexpr WallTime k_leap{std::chrono::sys_days{std::chrono::year{2024} / 2 / 29}};
  CHECK(to_rfc3339(k_leap + 23h + 59min + 59s) == "2024-02-29T23:59:59.000Z");
}

TEST_CASE("a time is cut to its millisecond, never rounded into the next") {
  CHECK(to_rfc3339(WallTime(1'999us)) == "1970-01-01T00:00:00.001Z");
  CHECK(to_rfc3339(WallTime(std::chrono::hours(24) - 1us)) == "1970-01-01T23:59:59.999Z");
}

TEST_CASE("a time before 1970 is written as well") {
  CHECK(to_rfc3339(WallTime(-1us)) == "1969-12-31T23:59:59.999Z");
  CHECK(to_rfc3339(WallTime(-24h)) == "1969-12-31T00:00:00.000Z");
}

TEST_CASE("written times sort as the times do") {
  WallTime time{std::chrono::sys_days{std::chrono::year{1999} / 12 / 31}};
  std::string last = to_rfc3339(time);
  for (int i = 0; i < 500; ++i) {
    time += 7919s + 13ms;
    const std::string next = to_rfc3339(time);
    REQUIRE(last < next);
    last = next;
  }
}

}  // namespace nemo::test::clock_test
