#include "cli/times.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <time.h>

#include "shared/admin/timestamp.h"

namespace nemo::test::times_test {

using namespace nemo;
using namespace nemo::cli;

namespace {

const WallTime k_now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours{12};

// The machine's time zone for one test.
class Zone {
 public:
  explicit Zone(const char* name) { use(name); }
  ~Zone() { use("UTC"); }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  static void use(const char* name) {
    ::setenv("TZ", name, 1);
    ::tzset();
  }
};

std::string since(const char* text) {
  const auto time = parse_since(text, k_now);
  return time ? to_rfc3339(*time) : "refused";
}

}  // namespace

TEST_CASE("a span counts back from now") {
  CHECK(since("90s") == "2026-11-22T11:58:30.000Z");
  CHECK(since("30m") == "2026-11-22T11:30:00.000Z");
  CHECK(since("1h") == "2026-11-22T11:00:00.000Z");
  CHECK(since("7d") == "2026-11-15T12:00:00.000Z");
  CHECK(since("2w") == "2026-11-08T12:00:00.000Z");
}

TEST_CASE("a day is its midnight in the machine's time zone") {
  const Zone zone("TWO-2");  // POSIX: two hours ahead of UTC
  CHECK(since("2026-11-01") == "2026-10-31T22:00:00.000Z");
}

TEST_CASE("an RFC 3339 time is taken as it is") {
  CHECK(since("2026-11-01T10:00:00Z") == "2026-11-01T10:00:00.000Z");
  CHECK(since("2026-11-01T10:00:00.25+01:30") == "2026-11-01T08:30:00.250Z");
}

TEST_CASE("what is no time is refused") {
  for (const char* text : {"", "7", "d", "7x", "-7d", "7d ", "1.5h", "2026-13-01", "2026-02-30", "2026-11-01T25:00:00Z",
                           "2026-11-01T10:00:00", "2026-11-01T10:00:00.Z", "99999999999999d"}) {
    CAPTURE(text);
    CHECK(since(text) == "refused");
  }
}

TEST_CASE("an expiry lies ahead or is refused") {
  CHECK(to_rfc3339(*parse_expiry("90d", k_now)) == "2027-02-20T12:00:00.000Z");
  CHECK_FALSE(parse_expiry("2026-11-21", k_now).ok());
  CHECK_FALSE(parse_expiry("0s", k_now).ok());
}

TEST_CASE("times are shown in the machine's time zone") {
  const Zone zone("TWO-2");
  CHECK(show_time("2026-11-22T23:45:01.123Z") == "2026-11-23 01:45:01");
  CHECK(show_short_time("2026-11-22T13:45:01.123Z") == "11-22 15:45:01");
  CHECK(show_time("whenever") == "whenever");
}

TEST_CASE("RFC 3339 is read back as it was written") {
  const WallTime time = k_now + Micros{123'000};
  CHECK(*admin::parse_rfc3339(to_rfc3339(time)) == time);
}

}  // namespace nemo::test::times_test
