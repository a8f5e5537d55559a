#include "daemon/limits/minute.h"

#include <doctest/doctest.h>

namespace nemo::test::minute_test {

using nemo::SteadyTime;
using nemo::limits::Amounts;
using nemo::limits::Minute;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime k_start{1'000s};

void use(Minute& minute, SteadyTime at, Amounts amounts) {
  minute.forget_before(at);
  minute.open_slot(at);
  minute.add(at, amounts);
}

}  // namespace

TEST_CASE("what happens within one slot is one entry with the time of the last") {
  Minute minute;
  use(minute, k_start, {1, 10});
  use(minute, k_start + 9ms, {1, 20});
  CHECK(minute.entries() == 1);
  use(minute, k_start + 10ms, {1, 40});
  CHECK(minute.entries() == 2);
  minute.forget_before(k_start + 60s);
  CHECK(minute.used().requests == 3);
  minute.forget_before(k_start + 60s + 9ms);
  CHECK(minute.used().requests == 1);
  CHECK(minute.used().tokens == 40);
}

TEST_CASE("a minute has a bounded number of entries, whatever the load") {
  Minute minute;
  std::size_t most = 0;
  for (SteadyTime now = k_start; now < k_start + 130s; now += 1ms) {
    use(minute, now, {1, 1});
    most = std::max(most, minute.entries());
  }
  CHECK(most == 6'001);
  CHECK(minute.used().requests >= 60'000);
  CHECK(minute.used().requests <= 60'010);
}

TEST_CASE("what is changed later leaves with what it belongs to") {
  Minute minute;
  use(minute, k_start, {1, 10});
  use(minute, k_start + 5ms, {1, 10});
  minute.add(k_start, {0, 90});
  CHECK(minute.used().tokens == 110);
  minute.forget_before(k_start + 60s + 5ms);
  CHECK(minute.used().tokens == 0);
  minute.add(k_start, {0, 90});
  CHECK(minute.used().tokens == 0);
}

}  // namespace nemo::test::minute_test
