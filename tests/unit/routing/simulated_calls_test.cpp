// The strategies over gauges and a clock that stands still between the calls: what they make of many calls together.
#include <doctest/doctest.h>

#include <queue>

#include "world.h"

namespace nemo::test::simulated_calls_test {

using namespace nemo;
using namespace nemo::test;
using namespace std::chrono_literals;

namespace {

// Regions that serve one model, each with its time to first token.
class Regions {
 public:
  Regions(routing::Strategy strategy, std::vector<Micros> ttft, std::uint64_t seed)
      : m_ttft(std::move(ttft)), m_next_random(seed * 1'000'000) {
    m_world.table.deployments.clear();
    m_world.table.lanes["completion"].strategy = strategy;
    for (std::size_t i = 0; i < m_ttft.size(); ++i) m_world.deploy("small", std::to_string(i));
  }

  void advance(std::chrono::nanoseconds by) { m_world.clock.advance(by); }
  void set_ttft(std::size_t region, Micros ttft) { m_ttft[region] = ttft; }
  void set_failing(std::size_t region, bool failing) { m_failing = failing ? std::optional(region) : std::nullopt; }

  // Calls one after the other; each takes no simulated time, `apart` lies between them. Returns how many went to
  // `region` first.
  int call(int times, std::chrono::nanoseconds apart, std::size_t region) {
    int count = 0;
    for (int i = 0; i < times; ++i) {
      const std::size_t taken = decide();
      if (taken == region) ++count;
      routing::InFlight in_flight = begin(taken);
      if (taken == m_failing) {
        in_flight.failed(routing::Trouble::connect, "upstream_error", std::nullopt, m_world.clock.steady());
      } else {
        in_flight.first_token(m_ttft[taken], m_world.clock.steady());
        in_flight.succeeded(10, m_world.clock.steady());
      }
      in_flight = {};
      m_world.clock.advance(apart);
    }
    return count;
  }

  // `callers` of whom each begins its next call when its last one has ended, `after` its first token. Returns how many
  // calls each region got; `on_begin` is told the counts in flight after each begin.
  std::vector<int> call_in_parallel(int callers, int calls, std::chrono::nanoseconds after,
                                    const std::function<void(const std::vector<std::int64_t>&)>& on_begin = {}) {
    std::vector<int> count(m_ttft.size());
    std::vector<routing::InFlight> in_flight(static_cast<std::size_t>(callers));
    std::vector<std::size_t> at(static_cast<std::size_t>(callers));
    struct Event {
      SteadyTime time;
      std::size_t caller;
      bool is_end;
      bool operator>(const Event& other) const { return time > other.time; }
    };
    std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
    const auto start = [&](std::size_t caller) {
      at[caller] = decide();
      ++count[at[caller]];
      in_flight[caller] = begin(at[caller]);
      events.push({m_world.clock.steady() + m_ttft[at[caller]], caller, false});
      if (on_begin) on_begin(counts_in_flight());
    };
    for (std::size_t caller = 0; caller < in_flight.size(); ++caller) start(caller);
    for (int begun = callers; begun < calls;) {
      const Event event = events.top();
      events.pop();
      m_world.clock.advance(event.time - m_world.clock.steady());
      if (!event.is_end) {
        in_flight[event.caller].first_token(m_ttft[at[event.caller]], m_world.clock.steady());
        events.push({m_world.clock.steady() + after, event.caller, true});
        continue;
      }
      in_flight[event.caller].succeeded(10, m_world.clock.steady());
      in_flight[event.caller] = {};
      start(event.caller);
      ++begun;
    }
    return count;
  }

 private:
  std::size_t decide() {
    call::CallSpec spec;
    spec.model = "nemo/completion";
    spec.stream = true;
    m_world.random = m_next_random++;
    REQUIRE(m_world.decide(spec));
    return static_cast<std::size_t>(m_world.decision.choices.front().deployment - m_world.table.deployments.data());
  }
  routing::InFlight begin(std::size_t region) {
    return m_world.table.deployments[region].gauge->begin("completion", routing::Answering::streamed,
                                                          m_world.clock.steady());
  }
  std::vector<std::int64_t> counts_in_flight() const {
    std::vector<std::int64_t> counts;
    for (const routing::Deployment& one : m_world.table.deployments) {
      counts.push_back(
          one.gauge->figures("completion", routing::Answering::streamed, m_world.clock.steady()).in_flight);
    }
    return counts;
  }

  World m_world;
  std::vector<Micros> m_ttft;
  std::optional<std::size_t> m_failing;
  std::uint64_t m_next_random;
};

constexpr std::array<std::chrono::nanoseconds, 7> k_spacings{0ns, 1us, 1ms, 100ms, 1s, 15s, 5min};

}  // namespace

TEST_CASE("nine of ten of the first fifty calls go to the quick region, and all but a few of the next") {
  for (const auto apart : k_spacings) {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
      CAPTURE(apart.count());
      CAPTURE(seed);
      Regions regions(routing::Strategy::latency, {80ms, 20ms}, seed);
      CHECK(regions.call(50, apart, 1) >= 45);
      CHECK(regions.call(100, apart, 1) >= 95);
    }
  }
}

TEST_CASE("when two regions swap their latencies traffic follows within a hundred calls") {
  for (const auto apart : k_spacings) {
    for (std::uint64_t seed = 1; seed <= 15; ++seed) {
      CAPTURE(apart.count());
      CAPTURE(seed);
      Regions regions(routing::Strategy::latency, {80ms, 20ms}, seed);
      regions.call(200, apart, 1);
      regions.set_ttft(0, 20ms);
      regions.set_ttft(1, 80ms);
      CHECK(regions.call(100, apart, 0) >= 75);
      CHECK(regions.call(50, apart, 0) >= 45);
    }
  }
}

TEST_CASE("callers in parallel find the quick region too, however long the answers run on") {
  for (const auto after : {0ms, 200ms, 5'000ms}) {
    CAPTURE(after.count());
    Regions regions(routing::Strategy::latency, {80ms, 20ms}, 1);
    regions.call_in_parallel(8, 50, after);
    const auto count = regions.call_in_parallel(8, 500, after);
    CHECK(count[1] >= 450);
  }
}

TEST_CASE("a region that recovered is found again") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    Regions regions(routing::Strategy::latency, {30ms, 20ms, 40ms}, seed);
    regions.call(100, 500ms, 1);
    regions.set_ttft(1, 200ms);
    CHECK(regions.call(100, 500ms, 1) < 30);
    regions.set_ttft(1, 10ms);
    regions.call(2'000, 500ms, 1);
    CHECK(regions.call(100, 500ms, 1) >= 90);
  }
}

TEST_CASE("a region that fails is left after the allowed failures, and found again when it recovers") {
  for (const auto strategy : {routing::Strategy::latency, routing::Strategy::least_busy}) {
    Regions regions(strategy, {80ms, 20ms}, 1);
    regions.call(50, 100ms, 1);
    regions.set_failing(1, true);
    // Four failures, then a probe after 5 s, 10 s and 20 s.
    CHECK(regions.call(400, 100ms, 1) <= 7);
    regions.set_failing(1, false);
    regions.advance(40s);
    CHECK(regions.call(50, 100ms, 1) >= 15);
  }
}

TEST_CASE("least-busy keeps the counts in flight within one of each other, also with one slow region") {
  Regions regions(routing::Strategy::least_busy, {20ms, 500ms, 20ms, 30ms}, 1);
  std::int64_t widest = 0;
  const auto count = regions.call_in_parallel(17, 3'000, 50ms, [&](const std::vector<std::int64_t>& counts) {
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    // Before everybody has begun as well.
    widest = std::max(widest, *most - *least);
  });
  CHECK(widest == 1);
  CHECK(count[1] < count[0] / 3);
}

TEST_CASE("usage-based fills regions in proportion to their weights") {
  Regions regions(routing::Strategy::usage_based, {20ms, 500ms, 20ms}, 1);
  const auto count = regions.call_in_parallel(6, 300, 50ms);
  for (const int calls : count) CHECK(std::abs(calls - 100) <= 3);
}

}  // namespace nemo::test::simulated_calls_test
