#include "daemon/budget/book.h"

#include <doctest/doctest.h>

#include "counting_house.h"

namespace nemo::test::book_test {

using namespace nemo;
using namespace nemo::test;
using budget::Reservation;
using call::Window;

TEST_CASE("a reservation that is settled leaves its real cost and nothing set aside") {
  CountingHouse house({{k_key, {{Window::day, usd("5")}}}});
  auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  REQUIRE(call.ok());
  CHECK(house.standing(k_key).reserved == usd("1"));
  call->settle(usd("0.25"));
  CHECK(house.standing(k_key).reserved == usd("0"));
  CHECK(house.standing(k_key).spent == usd("0.25"));
  CHECK(house.book.remaining(k_three) == usd("4.75"));
}

TEST_CASE("a reservation never settled is released in full") {
  CountingHouse house({{k_key, {{Window::day, usd("5")}}}});
  {
    const auto call = house.book.reserve(k_three, usd("5"), usd("5"));
    REQUIRE(call.ok());
    CHECK(house.book.remaining(k_three) == usd("0"));
  }
  CHECK(house.book.remaining(k_three) == usd("5"));
  CHECK(house.standing(k_key).spent == usd("0"));
}

TEST_CASE("what is set aside is as much as there is, and never less than the least") {
  CountingHouse house({{k_key, {{Window::day, usd("5")}}}});
  auto first = house.book.reserve(k_three, usd("4"), usd("4"));
  auto second = house.book.reserve(k_three, usd("0.5"), usd("3"));
  REQUIRE(second.ok());
  CHECK(second->amount() == usd("1"));
  second->release();
  CHECK(house.book.reserve(k_three, usd("1.000000001"), usd("3")).error().kind == ErrorKind::budget_exceeded);
}

TEST_CASE("money is set aside in all scopes or in none") {
  CountingHouse house({{k_key, {{Window::day, usd("5")}}}, {k_team, {{Window::month, usd("1")}}}});
  CHECK_FALSE(house.book.reserve(k_three, usd("2"), usd("2")).ok());
  CHECK(house.standing(k_key).reserved == usd("0"));
  auto call = house.book.reserve(k_three, usd("0.5"), usd("2"));
  REQUIRE(call.ok());
  CHECK(call->amount() == usd("1"));
  CHECK(house.standing(k_key).reserved == usd("1"));
  CHECK(house.standing(k_team, Window::month).reserved == usd("1"));
}

TEST_CASE("the tightest of several windows decides") {
  CountingHouse house({{k_key, {{Window::day, usd("5")}, {Window::week, usd("2")}, {Window::total, usd("9")}}}});
  CHECK(house.book.remaining(k_three) == usd("2"));
  CHECK_FALSE(house.book.reserve(k_three, usd("3"), usd("3")).ok());
}

TEST_CASE("scopes without budgets set nothing aside and count what was spent all the same") {
  CountingHouse house;
  auto call = house.book.reserve(k_three, usd("7"), usd("7"));
  REQUIRE(call.ok());
  CHECK(call->amount() == usd("0"));
  CHECK(call->drawn_from() == 0);
  call->settle(usd("3"));
  CHECK(house.store.asked() == 0);
  CHECK(house.book.remaining(k_three) == std::nullopt);

  house.book.configure(calendar_of("UTC"), {{k_seat, {{Window::day, usd("5")}}}});
  CHECK(house.book.remaining(k_three) == usd("2"));
}

TEST_CASE("a reservation names the day and the scopes whose leases it draws from") {
  CountingHouse house({{k_key, {{Window::day, usd("5")}}}, {k_team, {{Window::month, usd("9")}}}});
  const auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  REQUIRE(call.ok());
  CHECK(call->drawn_from() == 0b101);
  CHECK(call->day() == utc(2026, 11, 18).time_since_epoch() / std::chrono::days(1));
}

TEST_CASE("an overrun is paid before anything else is admitted") {
  CountingHouse house({{k_key, {{Window::day, usd("5")}}}});
  auto call = house.book.reserve(k_three, usd("1"), usd("1"));
  call->settle(usd("4.5"));
  CHECK(house.standing(k_key).spent == usd("4.5"));
  CHECK_FALSE(house.book.reserve(k_three, usd("1"), usd("1")).ok());
  auto rest = house.book.reserve(k_three, usd("0.1"), usd("1"));
  REQUIRE(rest.ok());
  CHECK(rest->amount() == usd("0.5"));
  rest->settle(usd("9"));
  CHECK_FALSE(house.book.reserve(k_three, usd("0.000000001"), usd("1")).ok());
  CHECK(house.book.remaining(k_three) == usd("0"));
}

TEST_CASE("a used up budget refuses only calls that can cost something") {
  CountingHouse house({{k_key, {{Window::day, usd("0")}}}});
  CHECK_FALSE(house.book.reserve(k_three, usd("0"), usd("1")).ok());
  CHECK_FALSE(house.book.reserve(k_three, usd("0.000000001"), usd("1")).ok());
  auto free = house.book.reserve(k_three, usd("0"), usd("0"));
  REQUIRE(free.ok());
  CHECK(free->amount() == usd("0"));
  CHECK_FALSE(free->resize(usd("0.1"), usd("0.2")).ok());
}

}  // namespace nemo::test::book_test
