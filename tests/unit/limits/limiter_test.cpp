#include "daemon/limits/limiter.h"

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "fake_clock.h"

namespace nemo::test::limiter_test {

using nemo::Error;
using nemo::ErrorKind;
using nemo::Result;
using nemo::call::RateLimits;
using nemo::call::Scope;
using nemo::call::ScopeKind;
using nemo::call::Scopes;
using nemo::limits::Admission;
using nemo::limits::Gauges;
using nemo::limits::Limiter;
using nemo::test::FakeClock;
using namespace std::chrono_literals;

namespace {

const Scope k_key{ScopeKind::key, "key_ab"};
const Scope k_seat{ScopeKind::seat, "alex"};
const Scope k_team{ScopeKind::team, "core"};
const Scopes k_all{k_key, k_seat, k_team};

RateLimits requests(std::int64_t limit) {
  return {limit, std::nullopt, std::nullopt};
}
RateLimits tokens(std::int64_t limit) {
  return {std::nullopt, limit, std::nullopt};
}
RateLimits parallel(std::int64_t limit) {
  return {std::nullopt, std::nullopt, limit};
}

struct Desk {
  FakeClock clock;
  Limiter limiter{clock};

  bool enters(std::int64_t tokens = 1, const Scopes& scopes = k_all) { return limiter.admit(scopes, tokens).ok(); }
  Admission admit(std::int64_t tokens = 1, const Scopes& scopes = k_all) {
    auto admitted = limiter.admit(scopes, tokens);
    REQUIRE(admitted.ok());
    return std::move(admitted).value();
  }
  Error refuse(std::int64_t tokens = 1, const Scopes& scopes = k_all) {
    const auto admitted = limiter.admit(scopes, tokens);
    REQUIRE_FALSE(admitted.ok());
    return admitted.error();
  }
};

}  // namespace

TEST_CASE("without limits every call is let in and nothing is measured") {
  Desk desk;
  for (int i = 0; i < 1'000; ++i) CHECK(desk.enters(1'000'000));
  desk.limiter.configure({{Scope{ScopeKind::key, "key_other"}, requests(0)}, {k_team, RateLimits{}}});
  CHECK(desk.enters(1'000'000));
  const Gauges gauges = desk.limiter.gauges(k_all);
  CHECK_FALSE(gauges.requests);
  CHECK_FALSE(gauges.tokens);
}

TEST_CASE("a minute is the last 60 seconds to the nanosecond, not one of the clock") {
  Desk desk;
  desk.limiter.configure({{k_key, requests(2)}});
  CHECK(desk.enters());
  desk.clock.advance(30s);
  CHECK(desk.enters());
  desk.clock.advance(30s - 1ns);
  CHECK_FALSE(desk.enters());
  desk.clock.advance(1ns);
  CHECK(desk.enters());
  CHECK_FALSE(desk.enters());
  desk.clock.advance(30s);
  CHECK(desk.enters());
  CHECK_FALSE(desk.enters());
}

TEST_CASE("a refusal names scope, limit, value, code and when to try again") {
  Desk desk;
  desk.limiter.configure({{k_key, requests(60)}, {k_team, tokens(1'000)}, {k_seat, parallel(61)}});
  for (int i = 0; i < 60; ++i) CHECK(desk.enters(1));
  desk.clock.advance(48s + 1ms);
  Error error = desk.refuse(1);
  CHECK(error.kind == ErrorKind::rate_limit_exceeded);
  CHECK(error.message == "The key key_ab may make 60 requests a minute (rate_limit_exceeded). Try again in 12 s.");
  CHECK(error.retry_after_s == 12);
  CHECK(error.status() == 429);

  desk.limiter.configure({{k_team, tokens(1'000)}});
  error = desk.refuse(941);
  CHECK(error.kind == ErrorKind::tpm_limit_exceeded);
  CHECK(error.message == "Team \"core\" may use 1000 tokens a minute (tpm_limit_exceeded). Try again in 12 s.");
  error = desk.refuse(1'001);
  CHECK(
      error.message ==
      "Team \"core\" may use 1000 tokens a minute (tpm_limit_exceeded). This call may need 1001, more than all of it: "
      "it waits for an unused minute. Try again in 12 s.");

  desk.limiter.configure({{k_seat, parallel(1)}});
  const Admission running = desk.admit();
  error = desk.refuse();
  CHECK(error.kind == ErrorKind::too_many_parallel);
  CHECK(error.message == "Seat \"alex\" allows 1 call at once (too_many_parallel_requests). Try again in 1 s.");
  CHECK(error.retry_after_s == 1);
}

TEST_CASE("a limit of 0 lets nobody in, and says so without a time to wait") {
  Desk desk;
  desk.limiter.configure({{k_team, parallel(0)}});
  Error error = desk.refuse(0);
  CHECK(error.kind == ErrorKind::too_many_parallel);
  CHECK(error.message == "Team \"core\" allows 0 calls at once: none is let in.");
  CHECK_FALSE(error.retry_after_s);
  desk.limiter.configure({{k_key, tokens(0)}});
  error = desk.refuse(0);
  CHECK(error.message == "The key key_ab may use 0 tokens a minute: none is let in.");
  CHECK_FALSE(error.retry_after_s);
  desk.limiter.configure({{k_key, requests(1)}, {k_seat, requests(0)}});
  error = desk.refuse();
  CHECK(error.message == "Seat \"alex\" may make 0 requests a minute: none is let in.");
  CHECK_FALSE(error.retry_after_s);
}

TEST_CASE("a call refused by one scope consumes nothing in the others") {
  Desk desk;
  desk.limiter.configure({{k_key, {2, 100, 5}}, {k_team, parallel(1)}});
  {
    const Admission other = desk.admit(10, {k_team});
    for (int i = 0; i < 50; ++i) CHECK(desk.refuse(10).kind == ErrorKind::too_many_parallel);
  }
  const Gauges gauges = desk.limiter.gauges({k_key});
  CHECK(gauges.requests->remaining == 2);
  CHECK(gauges.tokens->remaining == 100);
  CHECK(desk.enters(50));
  CHECK(desk.enters(50));
}

TEST_CASE("of several limits in the way the one that lasts longest is told") {
  Desk desk;
  desk.limiter.configure({{k_key, requests(1)}, {k_team, {std::nullopt, 10, 1}}});
  const Admission running = desk.admit(10, {k_team});
  desk.clock.advance(10s);
  CHECK(desk.enters(0, {k_key}));
  const Error error = desk.refuse(10);
  CHECK(error.kind == ErrorKind::rate_limit_exceeded);
  CHECK(error.retry_after_s == 60);
  desk.clock.advance(20s);
  CHECK(desk.refuse(10, {k_team}).kind == ErrorKind::tpm_limit_exceeded);
  CHECK(desk.refuse(10, {k_team}).retry_after_s == 30);
}

TEST_CASE("an estimate above the whole limit waits for an unused minute, not for ever") {
  Desk desk;
  desk.limiter.configure({{k_key, tokens(100)}});
  CHECK(desk.enters(1));
  CHECK(desk.refuse(5'000).retry_after_s == 60);
  desk.clock.advance(60s);
  CHECK(desk.enters(5'000));
  CHECK(desk.limiter.gauges(k_all).tokens->remaining == 0);
  CHECK(desk.refuse(0).retry_after_s == 60);
  desk.clock.advance(60s);
  CHECK(desk.enters(100));
}

TEST_CASE("the real tokens take the place of the estimate") {
  Desk desk;
  desk.limiter.configure({{k_key, tokens(1'000)}, {k_team, tokens(2'000)}});
  Admission call = desk.admit(900);
  desk.clock.advance(5s);
  CHECK_FALSE(desk.enters(200));
  call.correct(100);
  CHECK(desk.limiter.gauges({k_key}).tokens->remaining == 900);
  CHECK(desk.limiter.gauges({k_team}).tokens->remaining == 1'900);
  CHECK(desk.enters(900));
}

TEST_CASE("more tokens than were left hold up further calls until they slide out") {
  Desk desk;
  desk.limiter.configure({{k_key, tokens(1'000)}});
  Admission call = desk.admit(10);
  desk.clock.advance(20s);
  call.correct(3'000);
  CHECK(desk.limiter.gauges(k_all).tokens->remaining == 0);
  CHECK(desk.refuse(1).retry_after_s == 40);
  desk.clock.advance(40s);
  CHECK(desk.enters(1'000));
}

TEST_CASE("a call that began more than a minute ago is not corrected any more") {
  Desk desk;
  desk.limiter.configure({{k_key, tokens(1'000)}});
  Admission slow = desk.admit(10);
  desk.clock.advance(60s);
  Admission other = desk.admit(500);
  slow.correct(1'000'000);
  CHECK(desk.limiter.gauges(k_all).tokens->remaining == 500);
  other.correct(0);
  CHECK(desk.limiter.gauges(k_all).tokens->remaining == 1'000);
}

TEST_CASE("a withdrawn call gives request and tokens back once, and its place when it goes") {
  Desk desk;
  desk.limiter.configure({{k_key, {1, 100, 1}}});
  {
    Admission call = desk.admit(80);
    call.withdraw();
    call.withdraw();
    call.correct(70);
    const Gauges gauges = desk.limiter.gauges(k_all);
    CHECK(gauges.requests->remaining == 1);
    CHECK(gauges.requests->reset == 0ms);
    CHECK(gauges.tokens->remaining == 100);
    CHECK(desk.refuse().kind == ErrorKind::too_many_parallel);
  }
  CHECK(desk.enters(100));
  CHECK(desk.refuse(0).kind == ErrorKind::rate_limit_exceeded);
}

TEST_CASE("a place is given back exactly once, whatever becomes of the admission") {
  Desk desk;
  desk.limiter.configure({{k_key, parallel(2)}, {k_team, parallel(2)}});
  const auto places = [&desk] {
    std::vector<Admission> taken;
    while (true) {
      auto admitted = desk.limiter.admit(k_all, 1);
      if (!admitted.ok()) return taken.size();
      taken.push_back(std::move(admitted).value());
    }
  };
  CHECK(places() == 2);
  {
    Admission first = desk.admit();
    Admission second = std::move(first);
    CHECK(places() == 1);
    first = Admission();
    CHECK(places() == 1);
    Admission third = desk.admit();
    CHECK(places() == 0);
    third = std::move(second);  // the place it held is free from here
    CHECK(places() == 1);
    Admission& itself = third;
    third = std::move(itself);
  }
  CHECK(places() == 2);
  CHECK_THROWS_AS(
      [&] {
        const Admission call = desk.admit();
        throw std::runtime_error("the call failed");
      }(),
      std::runtime_error);
  CHECK(places() == 2);
  {
    const Result<Admission> kept = desk.limiter.admit(k_all, 1);
    CHECK(places() == 1);
  }
  CHECK(places() == 2);
}

TEST_CASE("an empty admission can be corrected and withdrawn, and nothing happens") {
  Admission none;
  none.correct(5);
  none.withdraw();
  Admission moved = std::move(none);
  moved.correct(5);
}

TEST_CASE("gauges show the scope with the least left, and when all of it is back") {
  Desk desk;
  desk.limiter.configure({{k_key, {10, 1'000, std::nullopt}}, {k_team, {4, 5'000, std::nullopt}}});
  CHECK(desk.enters(300));
  desk.clock.advance(1'500us);
  CHECK(desk.enters(0));
  desk.clock.advance(10s);
  const Gauges gauges = desk.limiter.gauges(k_all);
  CHECK(gauges.requests->limit == 4);
  CHECK(gauges.requests->remaining == 2);
  CHECK(gauges.requests->reset == 50s);
  CHECK(gauges.tokens->limit == 1'000);
  CHECK(gauges.tokens->remaining == 700);
  desk.clock.advance(50s);
  CHECK(desk.limiter.gauges(k_all).requests->remaining == 4);
  CHECK(desk.limiter.gauges(k_all).requests->reset == 0ms);
}

TEST_CASE("new limits act on the next call; running calls keep their place and what was counted stays") {
  Desk desk;
  desk.limiter.configure({{k_key, {100, 1'000, 3}}});
  Admission one = desk.admit(100);
  Admission two = desk.admit(100);
  desk.limiter.configure({{k_key, {100, 1'000, 1}}});
  CHECK(desk.refuse().kind == ErrorKind::too_many_parallel);
  one = Admission();
  CHECK(desk.refuse().kind == ErrorKind::too_many_parallel);
  desk.limiter.configure({{k_key, {3, 300, 2}}});
  CHECK(desk.limiter.gauges(k_all).requests->remaining == 1);
  CHECK(desk.limiter.gauges(k_all).tokens->remaining == 100);
  two.correct(0);
  CHECK(desk.limiter.gauges(k_all).tokens->remaining == 200);
}

TEST_CASE("a scope that loses its limits while calls run still knows them when it gets new ones") {
  Desk desk;
  desk.limiter.configure({{k_key, parallel(1)}});
  {
    const Admission running = desk.admit();
    desk.limiter.configure({});
    CHECK(desk.enters());
    desk.clock.advance(2min);
    desk.limiter.configure({});
    desk.limiter.configure({{k_key, parallel(1)}});
    CHECK(desk.refuse().kind == ErrorKind::too_many_parallel);
    desk.limiter.configure({});
  }
  desk.limiter.configure({});
  desk.limiter.configure({{k_key, parallel(1)}});
  CHECK(desk.enters());
}

TEST_CASE("a scope that loses its limits and gets them back has its minute still") {
  Desk desk;
  desk.limiter.configure({{k_key, requests(2)}});
  CHECK(desk.enters());
  desk.limiter.configure({});
  CHECK(desk.enters());  // not limited, so not counted
  desk.clock.advance(20s);
  desk.limiter.configure({{k_key, requests(1)}});
  CHECK(desk.refuse().retry_after_s == 40);
}

TEST_CASE("amounts at the ends of their range neither wrap nor open the door") {
  constexpr std::int64_t k_huge = std::numeric_limits<std::int64_t>::max();
  Desk desk;
  desk.limiter.configure({{k_key, {k_huge, k_huge, k_huge}}});
  for (int i = 0; i < 1'000; ++i) CHECK(desk.enters(k_huge));
  CHECK(desk.enters(-5));
  CHECK(desk.limiter.gauges(k_all).tokens->remaining > 0);
  desk.limiter.configure({{k_key, tokens(10)}});
  desk.clock.advance(1min);
  Admission call = desk.admit(-5);
  CHECK(desk.limiter.gauges(k_all).tokens->remaining == 10);
  call.correct(-7);
  CHECK(desk.limiter.gauges(k_all).tokens->remaining == 10);
  desk.limiter.configure({{k_key, requests(-1)}});
  CHECK(desk.refuse().message == "The key key_ab may make 0 requests a minute: none is let in.");
}

}  // namespace nemo::test::limiter_test
