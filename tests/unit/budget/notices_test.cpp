// What people are told: the refusal, and thresholds that were passed.
#include <doctest/doctest.h>

#include "counting_house.h"

namespace nemo::test::notices_test {

using namespace nemo;
using namespace nemo::test;
using call::Window;

namespace {

std::string refusal(CountingHouse& house, const char* dollars) {
  auto refused = house.book.reserve(k_three, usd(dollars), usd(dollars));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::budget_exceeded);
  CHECK_FALSE(refused.error().retry_after_s.has_value());
  return refused.error().message;
}

std::vector<int> percents(CountingHouse& house) {
  std::vector<int> all;
  for (const budget::Crossing& one : house.book.take_crossings()) all.push_back(one.percent);
  return all;
}

}  // namespace

TEST_CASE("a refusal names the scope, its limit and when it resets") {
  CountingHouse house({{k_key, {{Window::day, usd("5")}}}});
  REQUIRE(house.spend(k_three, "5").ok());
  CHECK(refusal(house, "1") ==
        "Budget has been exceeded! The key key_ab12 has a budget of $5/day, and it is used up or set aside for calls "
        "that are running. It resets at 2026-11-19T00:00:00.000Z.");
}

TEST_CASE("a refusal by a total says that it never resets") {
  CountingHouse house({{k_seat, {{Window::total, usd("0.5")}}}});
  CHECK(refusal(house, "1") ==
        "Budget has been exceeded! The seat alex has a budget of $0.5/total; this call may cost $1, more than all of "
        "it. It never resets: it is a total.");
}

TEST_CASE("a refusal by a team's budget tells nothing of what others spent") {
  CountingHouse house({{k_key, {{Window::day, usd("9")}}}, {k_team, {{Window::month, usd("7")}}}});
  REQUIRE(house.spend({{call::ScopeKind::seat, "sam"}, k_team}, "6.37").ok());
  CHECK(refusal(house, "1") ==
        "Budget has been exceeded! The team core has a budget of $7/month; what is left of it is less than this call "
        "may cost, $1. It resets at 2026-12-01T00:00:00.000Z.");
}

TEST_CASE("a refusal names the scope and window whose room is the least") {
  CountingHouse house(
      {{k_key, {{Window::day, usd("3")}, {Window::week, usd("2")}}}, {k_seat, {{Window::day, usd("4")}}}});
  const std::string text = refusal(house, "9");
  CHECK(text.find("The key key_ab12 has a budget of $2/week") != std::string::npos);
}

TEST_CASE("of budgets that are used up together the one that resets last is named") {
  CountingHouse house({{k_key, {{Window::day, usd("0")}, {Window::month, usd("0")}}}});
  CHECK(refusal(house, "1").find("$0/month") != std::string::npos);
}

TEST_CASE("each threshold is noticed once in a period") {
  CountingHouse house({{k_key, {{Window::day, usd("10")}}}});
  REQUIRE(house.spend(k_three, "4.9").ok());
  CHECK(percents(house).empty());
  REQUIRE(house.spend(k_three, "0.1").ok());
  CHECK(percents(house) == std::vector{50});
  REQUIRE(house.spend(k_three, "5").ok());
  CHECK(percents(house) == std::vector{80, 100});
  CHECK_FALSE(house.spend(k_three, "1").ok());
  CHECK(percents(house).empty());
}

TEST_CASE("a new period has thresholds of its own, one that comes again has not") {
  CountingHouse house({{k_key, {{Window::day, usd("10")}}}});
  REQUIRE(house.spend(k_three, "5").ok());
  CHECK(percents(house) == std::vector{50});
  house.clock.advance(std::chrono::hours(24));
  REQUIRE(house.spend(k_three, "5").ok());
  CHECK(percents(house) == std::vector{50});
  house.clock.set_wall(house.clock.wall() - std::chrono::hours(24));
  REQUIRE(house.spend(k_three, "1").ok());
  CHECK(percents(house).empty());
}

TEST_CASE("thresholds that were noticed are not told again when limits are read anew") {
  const Limits limits{{k_key, {{Window::day, usd("10")}}}};
  CountingHouse house(limits);
  REQUIRE(house.spend(k_three, "8").ok());
  CHECK(percents(house) == std::vector{50, 80});
  house.book.configure(calendar_of("UTC"), limits);
  REQUIRE(house.spend(k_three, "1").ok());
  CHECK(percents(house).empty());
}

TEST_CASE("a limit that was lowered below what is spent is noticed at the next refusal") {
  CountingHouse house({{k_key, {{Window::day, usd("10")}}}});
  REQUIRE(house.spend(k_three, "4").ok());
  house.book.configure(calendar_of("UTC"), {{k_key, {{Window::day, usd("4")}}}});
  CHECK_FALSE(house.spend(k_three, "1").ok());
  CHECK(percents(house) == std::vector{50, 80, 100});
}

TEST_CASE("a crossing says whose, of which window and how much") {
  CountingHouse house({{k_team, {{Window::month, usd("10")}}}});
  REQUIRE(house.spend(k_three, "5.5").ok());
  const auto crossings = house.book.take_crossings();
  REQUIRE(crossings.size() == 1);
  CHECK(crossings[0].scope == k_team);
  CHECK(crossings[0].window == Window::month);
  CHECK(crossings[0].period_start == utc(2026, 11, 1));
  CHECK(crossings[0].limit == usd("10"));
  CHECK(crossings[0].spent == usd("5.5"));
}

TEST_CASE("standings are by scope and then by window") {
  CountingHouse house(
      {{k_team, {{Window::day, usd("1")}}}, {k_key, {{Window::day, usd("2")}, {Window::total, usd("3")}}}});
  const auto standings = house.book.standings();
  REQUIRE(standings.size() == 3);
  CHECK(standings[0].limit == usd("2"));
  CHECK(standings[1].limit == usd("3"));
  CHECK(standings[2].limit == usd("1"));
}

}  // namespace nemo::test::notices_test
