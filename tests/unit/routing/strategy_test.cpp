#include "daemon/routing/strategy.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "daemon/catalog/catalog.h"

namespace nemo::test::strategy_test {

using namespace nemo;
using namespace nemo::routing;
using namespace std::chrono_literals;

namespace {

// Contenders with figures of their own, known by their places.
struct Field {
  std::vector<std::shared_ptr<Figures>> figures;
  std::vector<Contender> contenders;

  Field& add(Figures shown, int weight = 1, std::optional<std::int64_t> rpm = {}, std::int64_t price = 0) {
    figures.push_back(std::make_shared<Figures>(std::move(shown)));
    contenders.push_back({figures.back().get(), weight, rpm, price, contenders.size()});
    return *this;
  }
  std::vector<std::size_t> ranked(Strategy strategy, std::uint64_t random,
                                  std::vector<Contender>* out = nullptr) const {
    std::vector<Contender> copy = contenders;
    rank(strategy, copy, random);
    std::vector<std::size_t> order;
    for (const Contender& one : copy) order.push_back(one.at);
    if (out != nullptr) *out = copy;
    return order;
  }
  // How often each comes first.
  std::vector<int> firsts(Strategy strategy, int times = 10'000) const {
    std::vector<int> count(contenders.size());
    for (int i = 0; i < times; ++i) ++count[ranked(strategy, static_cast<std::uint64_t>(i)).front()];
    return count;
  }
};

Figures in_flight(std::int64_t count) {
  Figures figures;
  figures.in_flight = count;
  return figures;
}

Figures used(std::int64_t calls, std::int64_t tokens = 0) {
  Figures figures;
  figures.calls_this_minute = calls;
  figures.tokens_this_minute = tokens;
  return figures;
}

Figures measured(Micros ttft, Micros age = 1s, std::int64_t waiting = 0) {
  Figures figures;
  figures.ttft = ttft;
  figures.since_measured = age;
  figures.measured = 5;
  figures.waiting = waiting;
  figures.in_flight = waiting;
  return figures;
}

constexpr std::array k_all{Strategy::simple_shuffle, Strategy::least_busy, Strategy::usage_based, Strategy::latency,
                           Strategy::cost};

bool about(int count, double expected) {
  return std::abs(count - expected) < 4 * std::sqrt(expected) + 1;
}

}  // namespace

TEST_CASE("every strategy has a name, and no other name is one") {
  for (const Strategy strategy : k_all) CHECK(strategy_named(to_string(strategy)) == strategy);
  for (const char* name : {"", "random", "Latency", "least_busy"}) CHECK(!strategy_named(name));
}

TEST_CASE("whatever the strategy, everyone is ranked once, and the same chance gives the same order") {
  Field field;
  for (int i = 0; i < 12; ++i) field.add(i % 3 == 0 ? Figures() : measured(i * 10ms, i * 7s), i % 4, 100 * i, i);
  for (const Strategy strategy : k_all) {
    for (std::uint64_t random = 0; random < 50; ++random) {
      auto order = field.ranked(strategy, random);
      CHECK(order == field.ranked(strategy, random));
      std::sort(order.begin(), order.end());
      for (std::size_t i = 0; i < order.size(); ++i) CHECK(order[i] == i);
    }
    std::vector<Contender> none;
    rank(strategy, none, 1);
  }
}

TEST_CASE("whatever the strategy, a weight of 0 comes after all others, unless all are 0") {
  Field field;
  field.add(measured(5ms), 0, 1'000, 1).add(measured(50ms), 1, 10, 2).add(Figures(), 0).add(measured(60ms), 2, 10, 3);
  Field zeros;
  for (int i = 0; i < 4; ++i) zeros.add(measured(10ms), 0);
  for (const Strategy strategy : k_all) {
    CAPTURE(to_string(strategy));
    for (std::uint64_t random = 0; random < 200; ++random) {
      const auto order = field.ranked(strategy, random);
      CHECK(order[0] % 2 == 1);
      CHECK(order[1] % 2 == 1);
    }
    for (const int count : zeros.firsts(strategy)) CHECK(about(count, 2'500));
  }
  CHECK(Field().add(measured(20ms), 0).add({}, 0).firsts(Strategy::latency)[0] == 0);  // explored as others are
}

TEST_CASE("simple-shuffle puts each first in proportion to its weight") {
  const Field field = Field().add({}, 1).add({}, 2).add({}, 7);
  const auto count = field.firsts(Strategy::simple_shuffle);
  CHECK(about(count[0], 1'000));
  CHECK(about(count[1], 2'000));
  CHECK(about(count[2], 7'000));
}

TEST_CASE("least-busy takes the fewest in flight relative to the weight, and equals by chance") {
  const Field field = Field().add(in_flight(3)).add(in_flight(1)).add(in_flight(2));
  CHECK(field.ranked(Strategy::least_busy, 1) == std::vector<std::size_t>{1, 2, 0});
  const Field weighted = Field().add(in_flight(3)).add(in_flight(9), 10);
  CHECK(weighted.ranked(Strategy::least_busy, 1) == std::vector<std::size_t>{1, 0});
  const auto count = Field().add(in_flight(1)).add(in_flight(0)).add(in_flight(0)).firsts(Strategy::least_busy);
  CHECK(count[0] == 0);
  CHECK(about(count[1], 5'000));
}

TEST_CASE("usage-based takes the least used share of calls a minute") {
  const Field field = Field().add(used(50), 1, 100).add(used(90), 1, 1'000).add(used(5), 1, 20);
  CHECK(field.ranked(Strategy::usage_based, 1) == std::vector<std::size_t>{1, 2, 0});
}

TEST_CASE("usage-based takes the fewest calls and tokens relative to the weight where not all have a capacity") {
  const Field calls = Field().add(used(50), 1, 1'000).add(used(20)).add(used(30));
  CHECK(calls.ranked(Strategy::usage_based, 1) == std::vector<std::size_t>{1, 2, 0});
  const Field tokens = Field().add(used(10, 9'000)).add(used(10, 100)).add(used(10, 3'000));
  CHECK(tokens.ranked(Strategy::usage_based, 1) == std::vector<std::size_t>{1, 2, 0});
  const Field weighted = Field().add(used(10, 1'000), 1).add(used(30, 3'000), 10);
  CHECK(weighted.ranked(Strategy::usage_based, 1) == std::vector<std::size_t>{1, 0});
}

TEST_CASE("cost takes the cheapest, and among equals the quickest") {
  const Field field =
      Field().add(measured(10ms), 1, {}, 500).add(measured(90ms), 1, {}, 100).add(measured(30ms), 1, {}, 100);
  CHECK(field.ranked(Strategy::cost, 1) == std::vector<std::size_t>{2, 1, 0});
}

TEST_CASE("a usual call has three tokens of input to each of output") {
  catalog::Model model;
  CHECK(usual_price(model) == 0);
  model.pricing = catalog::Pricing{{{400}, std::nullopt, std::nullopt, {2'000}}, std::nullopt};
  CHECK(usual_price(model) == 800);
}

TEST_CASE("latency takes the quickest, and more calls that wait there make it as many times slower") {
  const Field field = Field().add(measured(80ms)).add(measured(20ms)).add(measured(50ms));
  CHECK(field.ranked(Strategy::latency, 1) == std::vector<std::size_t>{1, 2, 0});
  const Field waiting = Field().add(measured(80ms)).add(measured(20ms, 1s, 4)).add(measured(50ms, 1s, 1));
  std::vector<Contender> ranked;
  CHECK(waiting.ranked(Strategy::latency, 1, &ranked) == std::vector<std::size_t>{0, 1, 2});
  CHECK(ranked[0].score == 80);
  CHECK(ranked[1].score == 100);
  CHECK(ranked[2].score == 100);
}

TEST_CASE("a stream that has its first token is no reason to call its deployment slow") {
  Figures busy = measured(20ms);
  busy.in_flight = 50;
  CHECK(Field().add(measured(80ms)).add(busy).firsts(Strategy::latency)[0] == 0);
}

TEST_CASE("those that are nearly as quick as the quickest share the calls, so that no herd runs to one") {
  const Field field = Field().add(measured(20ms)).add(measured(21ms)).add(measured(20'500us)).add(measured(40ms));
  const auto count = field.firsts(Strategy::latency, 9'000);
  for (int i = 0; i < 3; ++i) CHECK(about(count[static_cast<std::size_t>(i)], 3'000));
  CHECK(count[3] == 0);
}

TEST_CASE("of two that are nearly as quick the one with fewer calls in flight is taken, relative to its weight") {
  Figures busy = measured(20ms);
  busy.in_flight = 3;
  CHECK(Field().add(busy).add(measured(21ms)).firsts(Strategy::latency)[0] == 0);
  Figures half_as_busy = measured(21ms);
  half_as_busy.in_flight = 2;
  CHECK(Field().add(busy, 3).add(half_as_busy, 1).firsts(Strategy::latency)[1] == 0);
}

TEST_CASE("one that has never been measured is tried at once, by one call at a time") {
  Figures being_tried;
  being_tried.waiting = being_tried.in_flight = 1;
  const Field field = Field().add(measured(20ms)).add(being_tried).add({}).add({});
  const auto count = field.firsts(Strategy::latency);
  CHECK(count[0] == 0);
  CHECK(count[1] == 0);
  CHECK(about(count[2], 5'000));
  std::vector<Contender> ranked;
  field.ranked(Strategy::latency, 1, &ranked);
  CHECK(ranked[0].explored);
  CHECK(!ranked[1].explored);
  CHECK(ranked[1].at == 0);  // whoever comes next is the quickest of the known
  // Where all are being tried, nothing is known: one that waits less is better.
  CHECK(Field().add(being_tried).add(measured(500ms)).firsts(Strategy::latency)[0] == 0);
}

TEST_CASE("one that only ever failed is tried now and then, and no more") {
  Figures failing;
  failing.last_trouble = "upstream_error";
  const int count = Field().add(measured(20ms)).add(failing).firsts(Strategy::latency)[1];
  CHECK(count > 50);
  CHECK(count < 600);
}

TEST_CASE("old figures are measured again now and then: the older and the more promising, the more often") {
  const auto tried = [](Micros ttft, Micros age) {
    return Field().add(measured(20ms)).add(measured(ttft, age)).firsts(Strategy::latency, 20'000)[1];
  };
  CHECK(tried(40ms, 10s) == 0);
  const int young = tried(40ms, 20s);
  const int old = tried(40ms, 70s);
  CHECK(young > 10);
  CHECK(old > 3 * young);
  CHECK(tried(40ms, 24h) > old / 2);
  CHECK(tried(200ms, 70s) < old / 5);
  CHECK(tried(200ms, 70s) > 0);
}

TEST_CASE("what is measured again is told as explored, and is never one that has a call waiting") {
  const Field field = Field().add(measured(20ms)).add(measured(40ms, 90s)).add(measured(40ms, 90s, 1));
  int explored = 0;
  for (std::uint64_t random = 0; random < 2'000; ++random) {
    std::vector<Contender> ranked;
    field.ranked(Strategy::latency, random, &ranked);
    CHECK(ranked[0].at != 2);
    CHECK(ranked[0].explored == (ranked[0].at == 1));
    if (ranked[0].explored) ++explored;
    for (std::size_t i = 1; i < ranked.size(); ++i) CHECK(!ranked[i].explored);
  }
  CHECK(explored > 5);
  const Field quickest_is_old = Field().add(measured(20ms, 1h)).add(measured(80ms));
  for (std::uint64_t random = 0; random < 1'000; ++random) {
    std::vector<Contender> ranked;
    quickest_is_old.ranked(Strategy::latency, random, &ranked);
    CHECK(!ranked[0].explored);
  }
}

TEST_CASE("however many have old figures, few calls are spent on measuring them") {
  Field field;
  field.add(measured(20ms));
  for (int i = 0; i < 40; ++i) field.add(measured(23ms, 1h));
  int elsewhere = 10'000 - field.firsts(Strategy::latency)[0];
  CHECK(elsewhere > 200);
  CHECK(elsewhere < 400);
}

}  // namespace nemo::test::strategy_test
