#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "daemon/limits/limiter.h"
#include "shared/clock.h"

namespace nemo::test::threads_test {

using nemo::SystemClock;
using nemo::call::RateLimits;
using nemo::call::Scope;
using nemo::call::ScopeKind;
using nemo::limits::Limiter;

namespace {

constexpr int k_threads = 8;
constexpr int k_calls = 2'000;
const Scope k_team{ScopeKind::team, "core"};

void raise_to(std::atomic<int>& most, int value) {
  int seen = most.load();
  while (seen < value && !most.compare_exchange_weak(seen, value)) {
  }
}

template <typename Work>
void on_threads(Work work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < k_threads; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("calls at once never pass their limit on many threads, and all places are free in the end") {
  const SystemClock clock;
  Limiter limiter(clock);
  const auto limits_of = [](std::int64_t for_key) {
    std::map<Scope, RateLimits> limits{{k_team, {std::nullopt, std::nullopt, 3}}};
    for (int i = 0; i < k_threads; ++i) {
      limits[{ScopeKind::key, "key_" + std::to_string(i)}] = {1'000'000, 1'000'000'000, for_key};
    }
    return limits;
  };
  limiter.configure(limits_of(3));
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> admitted{0};
  on_threads([&](int number) {
    const nemo::call::Scopes scopes{{ScopeKind::key, "key_" + std::to_string(number / 2)}, k_team};
    for (int i = 0; i < k_calls; ++i) {
      {
        auto admission = limiter.admit(scopes, 10);
        if (!admission.ok()) continue;
        ++admitted;
        raise_to(most, ++running);
        if (i % 3 == 0) std::this_thread::yield();
        if (i % 5 == 0) {
          admission.value().withdraw();
        } else {
          admission.value().correct(i % 40);
        }
        limiter.gauges(scopes);
        --running;
      }
      if (number == 0 && i % 100 == 0) limiter.configure(limits_of(2 + i % 2));
    }
  });
  CHECK(admitted > 0);
  CHECK(most <= 3);
  for (int i = 0; i < k_threads; ++i) {
    limiter.configure({{k_team, {std::nullopt, std::nullopt, 1}},
                       {{ScopeKind::key, "key_" + std::to_string(i)}, {std::nullopt, std::nullopt, 1}}});
    CHECK(limiter.admit({{ScopeKind::key, "key_" + std::to_string(i)}, k_team}, 1).ok());
  }
}

TEST_CASE("many threads together make as many requests as the minute allows, and not one more") {
  const SystemClock clock;
  Limiter limiter(clock);
  limiter.configure({{k_team, {500, std::nullopt, std::nullopt}}});
  std::atomic<int> admitted{0};
  on_threads([&](int) {
    for (int i = 0; i < 100; ++i) admitted += limiter.admit({k_team}, 1).ok() ? 1 : 0;
  });
  CHECK(admitted == 500);
}

}  // namespace nemo::test::threads_test
