// When a budget begins anew, with a clock that a test moves.
#include <doctest/doctest.h>

#include "counting_house.h"

namespace nemo::test::windows_test {

using namespace nemo;
using namespace nemo::test;
using budget::Calendar;
using budget::Period;
using call::Window;

namespace {

CountingHouse house_with(Window window, const char* dollars, WallTime now, const std::string& zone = "UTC") {
  return CountingHouse({{k_key, {{window, usd(dollars)}}}}, zone, now);
}

// A budget that is used up just before `end` refuses until then and not from then on.
void check_resets_at(Window window, WallTime end, const std::string& zone) {
  CAPTURE(to_rfc3339(end));
  CountingHouse house = house_with(window, "5", end - Micros(1), zone);
  REQUIRE(house.spend(k_three, "5").ok());
  CHECK(house.standing(k_key, window).resets_at == end);
  CHECK_FALSE(house.spend(k_three, "1").ok());
  house.clock.set_wall(end);
  CHECK(house.standing(k_key, window).spent == usd("0"));
  CHECK(house.spend(k_three, "5").ok());
  CHECK_FALSE(house.spend(k_three, "1").ok());
}

}  // namespace

TEST_CASE("a day begins at midnight of the zone") {
  check_resets_at(Window::day, utc(2026, 11, 19), "UTC");
  check_resets_at(Window::day, utc(2026, 11, 18, 23), "Europe/Berlin");
  check_resets_at(Window::day, utc(2026, 11, 18, 5), "America/New_York");
}

TEST_CASE("a week begins on Monday, also across a new year") {
  check_resets_at(Window::week, utc(2026, 11, 23), "UTC");
  check_resets_at(Window::week, utc(2026, 11, 22, 23), "Europe/Berlin");
  check_resets_at(Window::week, utc(2027, 1, 4), "UTC");
  CHECK(calendar_of("UTC").period_of(Window::week, utc(2026, 11, 22, 23, 59)) ==
        Period{utc(2026, 11, 16), utc(2026, 11, 23)});
  CHECK(calendar_of("UTC").period_of(Window::week, utc(2026, 11, 23)) == Period{utc(2026, 11, 23), utc(2026, 11, 30)});
}

TEST_CASE("a month begins on the 1st, after 28, 29, 30 or 31 days") {
  check_resets_at(Window::month, utc(2026, 12, 1), "UTC");
  check_resets_at(Window::month, utc(2027, 1, 1), "UTC");
  check_resets_at(Window::month, utc(2027, 3, 1), "UTC");
  check_resets_at(Window::month, utc(2028, 3, 1), "UTC");
  check_resets_at(Window::month, utc(2026, 11, 30, 23), "Europe/Berlin");
  CHECK(calendar_of("UTC").period_of(Window::month, utc(2026, 12, 31, 23, 59)) ==
        Period{utc(2026, 12, 1), utc(2027, 1, 1)});
}

TEST_CASE("a leap day is a day of its own, of February") {
  check_resets_at(Window::day, utc(2028, 2, 29), "UTC");
  check_resets_at(Window::day, utc(2028, 3, 1), "UTC");
  const Calendar calendar = calendar_of("UTC");
  CHECK(calendar.period_of(Window::month, utc(2028, 2, 29, 12)) == Period{utc(2028, 2, 1), utc(2028, 3, 1)});
}

TEST_CASE("the day of a change of clocks is 23 or 25 hours long in Berlin") {
  check_resets_at(Window::day, utc(2026, 3, 28, 23), "Europe/Berlin");
  check_resets_at(Window::day, utc(2026, 3, 29, 22), "Europe/Berlin");
  check_resets_at(Window::day, utc(2026, 10, 24, 22), "Europe/Berlin");
  check_resets_at(Window::day, utc(2026, 10, 25, 23), "Europe/Berlin");
  const Calendar berlin = calendar_of("Europe/Berlin");
  CHECK(berlin.period_of(Window::month, utc(2026, 3, 29)) == Period{utc(2026, 2, 28, 23), utc(2026, 3, 31, 22)});
  CHECK(berlin.period_of(Window::week, utc(2026, 10, 25)) == Period{utc(2026, 10, 18, 22), utc(2026, 10, 25, 23)});
}

TEST_CASE("the day of a change of clocks is 23 or 25 hours long in New York") {
  check_resets_at(Window::day, utc(2026, 3, 8, 5), "America/New_York");
  check_resets_at(Window::day, utc(2026, 3, 9, 4), "America/New_York");
  check_resets_at(Window::day, utc(2026, 11, 1, 4), "America/New_York");
  check_resets_at(Window::day, utc(2026, 11, 2, 5), "America/New_York");
  check_resets_at(Window::week, utc(2026, 11, 2, 5), "America/New_York");
}

TEST_CASE("in the hour that comes twice a call is counted once, and in its own day") {
  CountingHouse house = house_with(Window::day, "5", utc(2026, 11, 1, 5, 30), "America/New_York");  // 01:30 EDT
  REQUIRE(house.spend(k_three, "2").ok());
  house.clock.set_wall(utc(2026, 11, 1, 6, 30));  // 01:30 EST
  REQUIRE(house.spend(k_three, "2").ok());
  CHECK(house.standing(k_key).spent == usd("4"));
}

TEST_CASE("a total never begins anew") {
  CountingHouse house = house_with(Window::total, "5", utc(2026, 11, 18, 12));
  REQUIRE(house.spend(k_three, "5").ok());
  house.clock.set_wall(utc(2036, 1, 1));
  CHECK_FALSE(house.spend(k_three, "1").ok());
  CHECK_FALSE(house.standing(k_key, Window::total).resets_at.has_value());
}

TEST_CASE("a clock that jumps back finds what was spent in that period") {
  CountingHouse house = house_with(Window::day, "5", utc(2026, 11, 18, 23, 59));
  REQUIRE(house.spend(k_three, "4").ok());
  house.clock.set_wall(utc(2026, 11, 19, 0, 1));
  REQUIRE(house.spend(k_three, "3").ok());
  house.clock.set_wall(utc(2026, 11, 18, 23, 58));
  CHECK(house.standing(k_key).spent == usd("4"));
  CHECK_FALSE(house.spend(k_three, "2").ok());
  CHECK(house.spend(k_three, "1").ok());
  house.clock.set_wall(utc(2026, 11, 19, 0, 2));
  CHECK(house.standing(k_key).spent == usd("3"));
}

TEST_CASE("a clock that jumps far ahead and back forgets nothing") {
  CountingHouse house = house_with(Window::month, "5", utc(2026, 11, 18, 12));
  REQUIRE(house.spend(k_three, "4").ok());
  house.clock.set_wall(utc(2031, 5, 1));
  REQUIRE(house.spend(k_three, "5").ok());
  house.book.return_leases(budget::Book::Return::idle);
  house.clock.set_wall(utc(2026, 11, 18, 13));
  CHECK(house.book.remaining(k_three) == usd("1"));
}

TEST_CASE("a call is paid in the day in which it began") {
  CountingHouse house = house_with(Window::day, "5", utc(2026, 11, 18, 23, 59));
  auto call = house.book.reserve(k_three, usd("3"), usd("3"));
  house.clock.set_wall(utc(2026, 11, 19, 0, 1));
  call->settle(usd("3"));
  CHECK(house.standing(k_key).spent == usd("0"));
  house.clock.set_wall(utc(2026, 11, 18, 23, 59));
  CHECK(house.standing(k_key).spent == usd("3"));
}

TEST_CASE("a call whose head was read before midnight belongs to that day, and neither day's budget is passed") {
  CountingHouse house = house_with(Window::day, "5", utc(2026, 11, 18, 23, 59));
  REQUIRE(house.spend(k_three, "4").ok());
  const WallTime at = house.clock.wall();
  house.clock.set_wall(utc(2026, 11, 19, 0, 1));
  CHECK_FALSE(house.book.reserve(k_three, usd("2"), usd("2"), at).ok());
  auto call = house.book.reserve(k_three, usd("1"), usd("1"), at);
  REQUIRE(call.ok());
  CHECK(call->day() == static_cast<lib::Day>(at.time_since_epoch() / std::chrono::days(1)));
  CHECK(house.book.remaining(k_three) == usd("4"));
  call->settle(usd("1"));
  CHECK(house.book.remaining(k_three) == usd("5"));
}

TEST_CASE("what a call of yesterday holds counts today as well, until it is settled") {
  CountingHouse house = house_with(Window::day, "5", utc(2026, 11, 18, 23, 59));
  auto call = house.book.reserve(k_three, usd("3"), usd("3"));
  house.clock.set_wall(utc(2026, 11, 19, 0, 1));
  CHECK(house.book.remaining(k_three) == usd("2"));
  call->settle(usd("3"));
  CHECK(house.book.remaining(k_three) == usd("5"));
}

TEST_CASE("a call of yesterday cannot grow beyond what yesterday's budget leaves") {
  CountingHouse house = house_with(Window::day, "5", utc(2026, 11, 18, 23, 59));
  REQUIRE(house.spend(k_three, "3").ok());
  auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  house.clock.set_wall(utc(2026, 11, 19, 0, 1));
  CHECK_FALSE(call->resize(usd("2.5"), usd("4")).ok());
  CHECK(call->amount() == usd("1"));
  REQUIRE(call->resize(usd("1"), usd("4")).ok());
  CHECK(call->amount() == usd("2"));
}

TEST_CASE("another time zone sums the same spending by other midnights") {
  CountingHouse house = house_with(Window::day, "5", utc(2026, 11, 18, 22, 30));
  REQUIRE(house.spend(k_three, "4").ok());
  house.clock.set_wall(utc(2026, 11, 18, 23, 30));
  CHECK(house.standing(k_key).spent == usd("4"));
  house.book.configure(calendar_of("Europe/Berlin"), {{k_key, {{Window::day, usd("5")}}}});
  CHECK(house.standing(k_key).spent == usd("0"));
}

}  // namespace nemo::test::windows_test
