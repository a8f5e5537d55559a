#include "daemon/budget/limit_text.h"

#include <doctest/doctest.h>

#include <string>

namespace nemo::test::limit_text_test {

using namespace nemo;
using budget::parse_budget;
using call::Window;

namespace {

void check_budget(const char* text, Window window, std::int64_t nanos) {
  CAPTURE(text);
  const auto budget = parse_budget(text);
  REQUIRE(budget.ok());
  CHECK(budget->window == window);
  CHECK(budget->amount == NanoUsd{nanos});
}

void check_refused(const std::string& text, const char* reason) {
  CAPTURE(text);
  const auto budget = parse_budget(text);
  REQUIRE_FALSE(budget.ok());
  CHECK(budget.error().kind == ErrorKind::invalid_request);
  CHECK(budget.error().param == "budget");
  CAPTURE(budget.error().message);
  CHECK(budget.error().message.find(reason) != std::string::npos);
  CHECK(budget.error().message.find("80/month") != std::string::npos);
}

}  // namespace

TEST_CASE("a budget is dollars and a window") {
  check_budget("80/month", Window::month, 80'000'000'000);
  check_budget("0.5/day", Window::day, 500'000'000);
  check_budget(".5/day", Window::day, 500'000'000);
  check_budget("12.000000001/week", Window::week, 12'000'000'001);
  check_budget("400/total", Window::total, 400'000'000'000);
  check_budget("0/day", Window::day, 0);
  check_budget("9000000000/total", Window::total, 9'000'000'000'000'000'000);
}

TEST_CASE("none removes every budget, none of a window only that one") {
  CHECK_FALSE(parse_budget("none")->window.has_value());
  CHECK_FALSE(parse_budget("none")->amount.has_value());
  CHECK(parse_budget("none/week")->window == Window::week);
  CHECK_FALSE(parse_budget("none/week")->amount.has_value());
}

TEST_CASE("what is not a budget is refused with what is wrong and how one is written") {
  check_refused("80", "for how long");
  check_refused("80/", "the window is missing");
  check_refused("80/fortnight", "no window \"fortnight\"");
  check_refused("80/Month", "no window \"Month\"");
  check_refused("80/month/day", "no window \"month/day\"");
  check_refused("80 /month", "not a number");
  check_refused("-5/day", "no sign");
  check_refused("+5/day", "no sign");
  check_refused("$5/day", "without the dollar sign");
  check_refused("1e3/day", "no exponent");
  check_refused("1,5/day", "decimals follow a point");
  check_refused("1.2.3/day", "two points");
  check_refused("0.1234567891/day", "more than nine decimals");
  check_refused("1000000000000000000000000000000/day", "more than 9 billion");
  check_refused("9000000000.000000001/day", "more than 9 billion");
  check_refused("9223372037/day", "more than 9 billion");
  check_refused("/day", "no amount");
  check_refused("./day", "no amount");
  check_refused("", "no amount");
  check_refused("five/day", "not a number");
  check_refused("1E-3/day", "no exponent");
  check_refused("none/fortnight", "no window");
  check_refused("nan/day", "not a number");
}

TEST_CASE("a text that goes on and on is quoted in part") {
  const auto budget = parse_budget(std::string(100'000, '7') + "/day");
  REQUIRE_FALSE(budget.ok());
  CHECK(budget.error().message.size() < 300);
}

}  // namespace nemo::test::limit_text_test
