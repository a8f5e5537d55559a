#include "daemon/routing/gauge.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "fake_clock.h"

namespace nemo::test::gauge_test {

using namespace nemo;
using namespace nemo::routing;
using namespace std::chrono_literals;

namespace {

struct Bench {
  test::FakeClock clock;
  std::shared_ptr<Gauge> gauge = std::make_shared<Gauge>();

  InFlight begin(std::string_view lane = "completion", Answering answering = Answering::streamed) {
    return gauge->begin(lane, answering, clock.steady());
  }
  Figures figures(std::string_view lane = "completion", Answering answering = Answering::streamed) const {
    return gauge->figures(lane, answering, clock.steady());
  }
  void measure(Micros took, std::string_view lane = "completion", Answering answering = Answering::streamed) {
    auto call = begin(lane, answering);
    call.first_token(took, clock.steady());
    call.succeeded(0, clock.steady());
  }
  void fail(int times) {
    for (int i = 0; i < times; ++i) begin().failed(Trouble::connect, "upstream_error", std::nullopt, clock.steady());
  }
};

}  // namespace

TEST_CASE("a call is in flight while it is held, however it ends") {
  Bench bench;
  {
    auto first = bench.begin();
    auto second = bench.begin("reasoning");
    CHECK(bench.figures().in_flight == 2);
    CHECK(bench.figures().waiting == 1);
    first.first_token(1ms, bench.clock.steady());
    CHECK(bench.figures().waiting == 0);
    first.succeeded(10, bench.clock.steady());
    second.failed(Trouble::timeout, "upstream_timeout", std::nullopt, bench.clock.steady());
    CHECK(bench.figures().in_flight == 2);
    const auto third = bench.begin();
    CHECK(bench.figures().in_flight == 3);
  }
  CHECK(bench.figures().in_flight == 0);
  CHECK(bench.figures().waiting == 0);
}

TEST_CASE("a call that is moved is still one call, and one that is moved over has ended") {
  Bench bench;
  auto first = bench.begin();
  InFlight second = std::move(first);
  CHECK(bench.figures().in_flight == 1);
  second = bench.begin();
  CHECK(bench.figures().in_flight == 1);
  second = InFlight();
  CHECK(bench.figures().in_flight == 0);
  second.first_token(1ms, bench.clock.steady());
  second.succeeded(1, bench.clock.steady());
  CHECK(!bench.figures().ttft);
}

TEST_CASE("calls count when they begin and tokens when they end, for sixty seconds") {
  Bench bench;
  auto call = bench.begin();
  bench.clock.advance(30s);
  call.succeeded(120, bench.clock.steady());
  bench.begin();
  CHECK(bench.figures().calls_this_minute == 2);
  CHECK(bench.figures().tokens_this_minute == 120);
  bench.clock.advance(30s);
  CHECK(bench.figures().calls_this_minute == 1);
  CHECK(bench.figures().tokens_this_minute == 120);
  bench.clock.advance(30s);
  CHECK(bench.figures().calls_this_minute == 0);
  CHECK(bench.figures().tokens_this_minute == 0);
  bench.begin();
  bench.clock.advance(24h);
  CHECK(bench.figures().calls_this_minute == 0);
}

TEST_CASE("it is known when enough of a minute's calls have left it") {
  Bench bench;
  bench.begin();
  bench.clock.advance(20s);
  bench.begin();
  bench.clock.advance(10s);
  const auto until = [&](std::int64_t calls) { return bench.gauge->until_fewer_than(calls, bench.clock.steady()); };
  CHECK(until(3) == 0s);
  CHECK(until(2) == 30s);
  CHECK(until(1) == 50s);
  bench.clock.advance(30s);
  CHECK(until(2) == 0s);
}

TEST_CASE("the time to first token is an average of its lane and kind alone") {
  Bench bench;
  CHECK(!bench.figures().ttft);
  bench.measure(20ms);
  bench.measure(900ms, "reasoning");
  bench.measure(3s, "completion", Answering::whole);
  CHECK(bench.figures().ttft == 20ms);
  CHECK(bench.figures("reasoning").ttft == 900ms);
  CHECK(bench.figures("completion", Answering::whole).ttft == 3s);
  bench.measure(40ms);
  CHECK(bench.figures().ttft == 30ms);
  CHECK(bench.figures().measured == 2);
  bench.clock.advance(5s);
  CHECK(bench.figures().since_measured == 5s);
}

TEST_CASE("the average follows a change within a few calls, whether they come at once or minutes apart") {
  for (const auto apart : {0ns, 1000ns, 1'000'000ns, 1'000'000'000ns, 300'000'000'000ns}) {
    Bench bench;
    for (int i = 0; i < 1'000; ++i) {
      bench.measure(20ms);
      bench.clock.advance(apart);
    }
    for (int i = 0; i < 20; ++i) {
      bench.measure(80ms);
      bench.clock.advance(apart);
    }
    CHECK(*bench.figures().ttft > 79ms);
  }
}

TEST_CASE("the longer ago the others were measured, the more a new measurement counts, but never more than half") {
  const auto after = [](std::chrono::nanoseconds pause) {
    Bench bench;
    for (int i = 0; i < 10; ++i) bench.measure(100ms);
    bench.clock.advance(pause);
    bench.measure(200ms);
    return *bench.figures().ttft;
  };
  CHECK(after(0s) == 120ms);
  CHECK(after(4s) > 120ms);
  CHECK(after(4s) < after(6s));
  CHECK(after(24h) == 150ms);
}

TEST_CASE("only the first token that is told of counts, and one that never came counts nothing") {
  Bench bench;
  auto call = bench.begin();
  call.first_token(20ms, bench.clock.steady());
  call.first_token(90ms, bench.clock.steady());
  CHECK(bench.figures().ttft == 20ms);
  CHECK(bench.figures().measured == 1);
  bench.begin().failed(Trouble::server_error, "upstream_error", std::nullopt, bench.clock.steady());
  bench.begin();
  CHECK(bench.figures().measured == 1);
}

TEST_CASE("a call that timed out is known to have taken at least so long") {
  Bench bench;
  auto call = bench.begin();
  bench.clock.advance(2s);
  call.failed(Trouble::timeout, "upstream_timeout", std::nullopt, bench.clock.steady());
  CHECK(bench.figures().ttft == 2s);
  auto answered = bench.begin();
  answered.first_token(1ms, bench.clock.steady());
  bench.clock.advance(60s);
  answered.failed(Trouble::timeout, "upstream_timeout", std::nullopt, bench.clock.steady());
  CHECK(*bench.figures().ttft < 2s);
}

TEST_CASE("p95 needs twenty recent streams, and looks at the last sixty-four") {
  Bench bench;
  const auto p95 = [&] { return bench.gauge->p95("completion", bench.clock.steady()); };
  for (int i = 1; i <= 19; ++i) bench.measure(i * 1ms);
  for (int i = 0; i < 30; ++i) bench.measure(5s, "completion", Answering::whole);
  for (int i = 0; i < 30; ++i) bench.measure(5s, "reasoning");
  CHECK(!p95());
  bench.measure(20ms);
  CHECK(p95() == 19ms);
  for (int i = 0; i < 64; ++i) bench.measure(7ms);
  CHECK(p95() == 7ms);
  bench.clock.advance(11min);
  CHECK(!p95());
}

TEST_CASE("trouble is told with its code until the next success") {
  Bench bench;
  bench.fail(4);
  CHECK(bench.figures().condition == Condition::cooling);
  CHECK(bench.figures().until_ready == 5s);
  CHECK(bench.figures().last_trouble == "upstream_error");
  bench.clock.advance(5s);
  CHECK(bench.figures().condition == Condition::half_open);
  bench.measure(10ms);
  CHECK(bench.figures().condition == Condition::healthy);
  CHECK(bench.figures().last_trouble.empty());
}

TEST_CASE("the probe's ticket comes back when its client left") {
  Bench bench;
  bench.fail(4);
  bench.clock.advance(5s);
  {
    const auto probe = bench.begin();
    CHECK(bench.figures().condition == Condition::cooling);
    const auto other = bench.begin();
  }
  CHECK(bench.figures().condition == Condition::half_open);
}

TEST_CASE("how a call ended is said once") {
  Bench bench;
  for (int i = 0; i < 4; ++i) {
    auto call = bench.begin();
    call.succeeded(5, bench.clock.steady());
    call.failed(Trouble::connect, "upstream_error", std::nullopt, bench.clock.steady());
    call.succeeded(5, bench.clock.steady());
  }
  CHECK(bench.figures().condition == Condition::healthy);
  CHECK(bench.figures().tokens_this_minute == 20);
}

TEST_CASE("an unpaid question that is not answered is a failure; an answer ends only a cooldown that is over") {
  Bench bench;
  for (int i = 0; i < 4; ++i) bench.gauge->probed(false, "upstream_timeout", bench.clock.steady());
  CHECK(bench.figures().condition == Condition::cooling);
  CHECK(bench.figures().last_trouble == "upstream_timeout");
  bench.gauge->probed(true, "", bench.clock.steady());
  CHECK(bench.figures().condition == Condition::cooling);
  bench.clock.advance(5s);
  bench.gauge->probed(false, "upstream_timeout", bench.clock.steady());
  CHECK(bench.figures().until_ready == 10s);
  bench.clock.advance(10s);
  bench.gauge->probed(true, "", bench.clock.steady());
  CHECK(bench.figures().condition == Condition::healthy);
  CHECK(bench.figures().in_flight == 0);
  CHECK(bench.figures().calls_this_minute == 0);
}

TEST_CASE("an unpaid question's answer does not make failed calls forgotten") {
  Bench bench;
  bench.fail(3);
  bench.gauge->probed(true, "", bench.clock.steady());
  CHECK(bench.figures().last_trouble == "upstream_error");
  bench.fail(1);
  CHECK(bench.figures().condition == Condition::cooling);
}

TEST_CASE("it is known when the last call began") {
  Bench bench;
  bench.clock.advance(3s);
  bench.begin();
  const SteadyTime begun = bench.clock.steady();
  bench.clock.advance(3s);
  CHECK(bench.gauge->last_begun() == begun);
}

TEST_CASE("lanes that anybody may name do not grow without bound, and the newest are kept") {
  Bench bench;
  const auto waits = bench.begin("waits");
  for (int i = 0; i < 100; ++i) {
    bench.measure(10ms, "lane-" + std::to_string(i));
    bench.clock.advance(1ms);
  }
  CHECK(!bench.figures("lane-0").ttft);
  CHECK(bench.figures("lane-99").ttft == 10ms);
  CHECK(bench.figures("waits").waiting == 1);
}

TEST_CASE("more lanes that wait than are kept are counted in flight all the same") {
  Bench bench;
  {
    std::vector<InFlight> calls;
    for (int i = 0; i < 40; ++i) calls.push_back(bench.begin("lane-" + std::to_string(i)));
    CHECK(bench.figures().in_flight == 40);
    CHECK(bench.figures("lane-0").waiting == 1);
    for (InFlight& call : calls) call.first_token(1ms, bench.clock.steady());
  }
  CHECK(bench.figures().in_flight == 0);
  CHECK(bench.figures("lane-0").waiting == 0);
}

TEST_CASE("many threads that begin and end calls leave none behind") {
  Bench bench;
  constexpr int k_threads = 8;
  constexpr int k_calls = 2'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < k_threads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < k_calls; ++i) {
        auto call = bench.begin(t % 2 == 0 ? "completion" : "reasoning");
        if (i % 3 != 0) call.first_token(Micros(i), bench.clock.steady());
        if (i % 5 == 1) call.succeeded(2, bench.clock.steady());
        if (i % 5 == 2) call.failed(Trouble::connect, "upstream_error", std::nullopt, bench.clock.steady());
        if (i % 5 == 3) call.failed(Trouble::rate_limited, "rate_limited", 1s, bench.clock.steady());
        if (bench.figures().in_flight > k_threads) std::abort();
        bench.gauge->p95("completion", bench.clock.steady());
        if (i % 100 == 0) bench.clock.advance(1s);
        if (i % 50 == 0) bench.gauge->set_rules({i % 4, 10ms, 1s});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const char* lane : {"completion", "reasoning"}) {
    CHECK(bench.figures(lane).in_flight == 0);
    CHECK(bench.figures(lane).waiting == 0);
  }
  bench.clock.advance(2min);
  CHECK(bench.figures().calls_this_minute == 0);
  CHECK(bench.figures().condition != Condition::cooling);  // no probe's ticket was lost
}

}  // namespace nemo::test::gauge_test
