#include "daemon/routing/health.h"

#include <doctest/doctest.h>

namespace nemo::test::health_test {

using namespace nemo;
using namespace nemo::routing;
using namespace std::chrono_literals;

namespace {

// Health and a clock beside it.
struct Patient {
  explicit Patient(HealthRules rules = {}) : health(rules) {}

  Health health;
  SteadyTime now{1000s};

  Condition condition() const { return health.condition(now); }
  void fail(Trouble trouble = Trouble::server_error, std::optional<std::chrono::seconds> retry_after = {}) {
    health.failed(health.begin(now), trouble, retry_after, now);
  }
  void succeed() { health.succeeded(health.begin(now), now); }
  void fail_times(int times) {
    for (int i = 0; i < times; ++i) fail();
  }
  // Waits until the cooldown has ended and says how long it was.
  std::chrono::milliseconds wait() {
    const auto length = health.until_ready(now);
    now += length - 1us;
    CHECK(condition() == Condition::cooling);
    now += 1us;
    CHECK(condition() == Condition::half_open);
    return std::chrono::duration_cast<std::chrono::milliseconds>(length);
  }
};

}  // namespace

TEST_CASE("as many failures in a row as are allowed change nothing; the next one begins a cooldown") {
  Patient patient;
  patient.fail_times(3);
  CHECK(patient.condition() == Condition::healthy);
  CHECK(patient.health.until_ready(patient.now) == 0us);
  patient.fail();
  CHECK(patient.condition() == Condition::cooling);
  CHECK(patient.wait() == 5s);
}

TEST_CASE("where no failures are allowed the first one begins a cooldown") {
  Patient patient({0, 1s, 10s});
  patient.fail();
  CHECK(patient.condition() == Condition::cooling);
}

TEST_CASE("a success between failures starts the count anew") {
  Patient patient;
  for (int i = 0; i < 3; ++i) {
    patient.fail_times(3);
    CHECK(patient.condition() == Condition::healthy);
    patient.succeed();
    patient.now += 61s;
  }
}

TEST_CASE("more than half of at least ten outcomes of a minute failing begins a cooldown") {
  Patient patient({100, 5s, 60s});
  for (int i = 0; i < 5; ++i) {
    patient.succeed();
    patient.fail();
  }
  CHECK(patient.condition() == Condition::healthy);  // half of ten
  patient.fail();
  CHECK(patient.condition() == Condition::cooling);
  Patient few({100, 5s, 60s});
  few.fail_times(9);
  CHECK(few.condition() == Condition::healthy);
  few.fail();
  CHECK(few.condition() == Condition::cooling);
}

TEST_CASE("outcomes older than a minute, or than the last twenty, say nothing of the rate") {
  Patient old({100, 5s, 60s});
  old.fail_times(9);
  old.now += 61s;
  old.fail();
  CHECK(old.condition() == Condition::healthy);
  Patient many({100, 5s, 60s});
  for (int i = 0; i < 30; ++i) many.succeed();
  many.fail_times(10);
  CHECK(many.condition() == Condition::healthy);
  many.fail();  // eleven of the last twenty
  CHECK(many.condition() == Condition::cooling);
}

TEST_CASE("each failed probe doubles the cooldown up to the longest, and a success forgets that") {
  Patient patient({0, 1s, 5s});
  patient.fail();
  for (const auto expected : {1s, 2s, 4s, 5s, 5s}) {
    CHECK(patient.wait() == expected);
    patient.fail();
  }
  patient.wait();
  patient.succeed();
  CHECK(patient.condition() == Condition::healthy);
  patient.fail();
  CHECK(patient.wait() == 1s);
}

TEST_CASE("half-open admits one probe at a time, and takes it back when nothing was learned") {
  Patient patient({0, 1s, 5s});
  patient.fail();
  patient.wait();
  const Trial probe = patient.health.begin(patient.now);
  CHECK(probe.is_probe);
  CHECK(patient.condition() == Condition::cooling);
  CHECK(!patient.health.begin(patient.now).is_probe);
  patient.health.give_back(probe);
  CHECK(patient.condition() == Condition::half_open);
  CHECK(patient.health.begin(patient.now).is_probe);
}

TEST_CASE("a call that is no probe does not take the probe's place when it ends") {
  Patient patient({0, 1s, 5s});
  patient.fail();
  patient.wait();
  const Trial probe = patient.health.begin(patient.now);
  const Trial other = patient.health.begin(patient.now);
  patient.health.give_back(other);
  CHECK(patient.condition() == Condition::cooling);
  patient.health.failed(other, Trouble::timeout, std::nullopt, patient.now);
  patient.health.failed(probe, Trouble::timeout, std::nullopt, patient.now);
  CHECK(patient.wait() == 2s);  // doubled once, by the probe
}

TEST_CASE("calls that began before a cooldown neither end it nor lengthen it") {
  Patient patient({0, 1s, 5s});
  const Trial late_success = patient.health.begin(patient.now);
  const Trial late_failure = patient.health.begin(patient.now);
  patient.now += 1ms;
  patient.fail();
  patient.health.succeeded(late_success, patient.now);
  patient.health.failed(late_failure, Trouble::timeout, std::nullopt, patient.now);
  CHECK(patient.wait() == 1s);
}

TEST_CASE("a success of what was tried during its cooldown ends it") {
  Patient patient({0, 1s, 5s});
  patient.fail();
  patient.now += 10ms;
  patient.succeed();
  CHECK(patient.condition() == Condition::healthy);
}

TEST_CASE("failures of what is tried during its cooldown, for want of anything else, do not lengthen it") {
  Patient patient({0, 1s, 5s});
  patient.fail();
  patient.now += 500ms;
  patient.fail_times(3);
  CHECK(patient.wait() == 500ms);
}

TEST_CASE("a probe's first token ends the cooldown, but a failure after it begins one twice as long") {
  Patient patient({3, 1s, 60s});
  patient.fail_times(4);
  patient.wait();
  const Trial probe = patient.health.begin(patient.now);
  patient.health.answers(probe);
  CHECK(patient.condition() == Condition::healthy);
  patient.health.failed(probe, Trouble::broken_answer, std::nullopt, patient.now);
  CHECK(patient.wait() == 2s);
  patient.health.answers(patient.health.begin(patient.now));
  patient.succeed();
  patient.fail_times(4);
  CHECK(patient.wait() == 1s);
}

TEST_CASE("an upstream that says when to come back is left alone until exactly then") {
  Patient patient;
  patient.fail(Trouble::rate_limited, 30s);
  CHECK(patient.condition() == Condition::rate_limited);
  CHECK(patient.health.until_ready(patient.now) == 30s);
  patient.succeed();  // one that was under way
  patient.now += 30s - 1ns;
  CHECK(patient.condition() == Condition::rate_limited);
  patient.now += 1ns;
  CHECK(patient.condition() == Condition::healthy);
}

TEST_CASE("a shorter wait does not cut a longer one that was asked for before") {
  Patient patient;
  patient.fail(Trouble::rate_limited, 30s);
  patient.fail(Trouble::rate_limited, 2s);
  CHECK(patient.health.until_ready(patient.now) == 30s);
}

TEST_CASE("being asked to wait is not a failure; a refusal without a time is one") {
  Patient asked;
  for (int i = 0; i < 20; ++i) asked.fail(Trouble::rate_limited, 1s);
  asked.now += 1s;
  CHECK(asked.condition() == Condition::healthy);
  for (const auto retry_after : {std::optional<std::chrono::seconds>(), std::optional(0s), std::optional(-5s)}) {
    Patient refused;
    for (int i = 0; i < 3; ++i) refused.fail(Trouble::rate_limited, retry_after);
    CHECK(refused.condition() == Condition::healthy);
    refused.fail(Trouble::rate_limited, retry_after);
    CHECK(refused.condition() == Condition::cooling);
  }
}

TEST_CASE("a wait of ages is cut to a week") {
  Patient patient;
  patient.fail(Trouble::rate_limited, std::chrono::seconds::max());
  CHECK(patient.health.until_ready(patient.now) == 7 * 24h);
}

TEST_CASE("a probe that is asked to wait gives its place back") {
  Patient patient({0, 1s, 60s});
  patient.fail();
  patient.wait();
  patient.fail(Trouble::rate_limited, 2s);
  CHECK(patient.condition() == Condition::rate_limited);
  patient.now += 2s;
  CHECK(patient.condition() == Condition::half_open);
}

TEST_CASE("a key that is not accepted begins a cooldown at once") {
  Patient patient;
  patient.fail(Trouble::unauthorized);
  CHECK(patient.wait() == 5s);
}

TEST_CASE("new rules hold for the next cooldown; what was learned stays") {
  Patient patient;
  patient.fail_times(2);
  patient.health.set_rules({1, 7s, 60s});
  patient.fail();
  CHECK(patient.wait() == 7s);
}

}  // namespace nemo::test::health_test
