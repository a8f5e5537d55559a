#include "daemon/upstream/retry_after.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace nemo::test::retry_after_test {

using namespace nemo;
using std::chrono::seconds;

namespace {

// Sun, 06 Nov 1994 08:49:37 GMT, the moment of RFC 9110's examples.
constexpr WallTime k_example{seconds(784111777)};
constexpr int k_nothing = -1;

int asked_for(const std::string& value, WallTime now) {
  upstream::Head head;
  head.headers = {{"content-type", "text/plain"}, {"retry-after", value}};
  const auto wait = upstream::retry_after(head, now);
  return wait ? static_cast<int>(wait->count()) : k_nothing;
}

}  // namespace

TEST_CASE("retry-after in seconds is so many seconds, a day at most") {
  CHECK(asked_for("0", k_example) == 0);
  CHECK(asked_for("7", k_example) == 7);
  CHECK(asked_for(" 0120\t", k_example) == 120);
  CHECK(asked_for("86400", k_example) == 86400);
  CHECK(asked_for("86401", k_example) == 86400);
  CHECK(asked_for("99999999999999999999999999999999", k_example) == 86400);
}

TEST_CASE("retry-after as a date in any of HTTP's three forms counts from now") {
  const WallTime now = k_example - seconds(30);
  CHECK(asked_for("Sun, 06 Nov 1994 08:49:37 GMT", now) == 30);
  CHECK(asked_for("Sunday, 06-Nov-94 08:49:37 GMT", now) == 30);
  CHECK(asked_for("Sun Nov  6 08:49:37 1994", now) == 30);
  CHECK(asked_for("Wed Nov 16 08:49:37 1994", k_example + seconds(10 * 86400 - 5)) == 5);
  CHECK(asked_for("Thu, 29 Feb 1996 00:00:10 GMT", WallTime(seconds(825552000))) == 10);
}

TEST_CASE("a wait is rounded up to whole seconds, so that nobody comes too early") {
  CHECK(asked_for("Sun, 06 Nov 1994 08:49:37 GMT", k_example - Micros(1)) == 1);
  CHECK(asked_for("Sun, 06 Nov 1994 08:49:37 GMT", k_example - Micros(1'000'001)) == 2);
}

TEST_CASE("a date that has passed is no wait at all, and one far ahead is a day") {
  CHECK(asked_for("Sun, 06 Nov 1994 08:49:37 GMT", k_example) == 0);
  CHECK(asked_for("Sun, 06 Nov 1994 08:49:37 GMT", k_example + seconds(1'000'000'000)) == 0);
  CHECK(asked_for("Thu, 01 Jan 1970 00:00:00 GMT", k_example) == 0);
  CHECK(asked_for("Tue, 08 Nov 1994 08:49:37 GMT", k_example) == 86400);
  CHECK(asked_for("Fri, 31 Dec 9999 23:59:59 GMT", k_example) == 86400);
}

TEST_CASE("a year of two digits is the nearest that ends so") {
  constexpr WallTime k_2026{seconds(1'795'000'000)};  // November
  CHECK(asked_for("Tuesday, 01-Jan-94 00:00:00 GMT", k_2026) == 0);
  CHECK(asked_for("Tuesday, 01-Jan-76 00:00:00 GMT", k_2026) == 86400);
  CHECK(asked_for("Tuesday, 01-Jan-77 00:00:00 GMT", k_2026) == 0);
  constexpr WallTime k_end_of_2099{seconds(4'102'444'799)};
  CHECK(asked_for("Friday, 01-Jan-00 00:00:09 GMT", k_end_of_2099) == 10);
}

TEST_CASE("a retry-after that cannot be read, or none, says nothing") {
  const std::vector<std::string> garbage = {"",
                                            " ",
                                            "soon",
                                            "-5",
                                            "+5",
                                            "1.5",
                                            "5s",
                                            "0x10",
                                            "Sun",
                                            "Sun, ",
                                            "Sunday",
                                            "Sun, 06 Nov 1994 08:49:37",
                                            "Sun, 06 Nov 1994 08:49:37 CET",
                                            "Sun, 06 Nov 1994 08:49:37 GMT+1",
                                            "Sun, 6 Nov 1994 08:49:37 GMT",
                                            "Sun, 06 nov 1994 08:49:37 GMT",
                                            "Sun, 06 Nov 94 08:49:37 GMT",
                                            "Sun, 31 Feb 1994 08:49:37 GMT",
                                            "Sun, 00 Nov 1994 08:49:37 GMT",
                                            "Sun, 06 Nov 1994 24:00:00 GMT",
                                            "Sun, 06 Nov 1994 08:60:00 GMT",
                                            "Sun, 06 Nov 1994 08:49:61 GMT",
                                            "Sunday, 06-Nov-1994 08:49:37 GMT",
                                            "Sun Nov 6 08:49:37 1994",
                                            "1994-11-06T08:49:37Z"};
  for (const std::string& one : garbage) CHECK_MESSAGE(asked_for(one, k_example - seconds(30)) == k_nothing, one);
  CHECK(!upstream::retry_after(upstream::Head{}, k_example).has_value());
}

}  // namespace nemo::test::retry_after_test
