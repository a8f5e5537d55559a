#include "daemon/routing/strategy.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "daemon/routing/draws.h"

namespace nemo::routing {
namespace {

constexpr double k_us_per_ms = 1'000;

// Tuned with scripts/sim.
constexpr double k_nearly_as_quick = 1.1;    // so many times the quickest's figure tells nobody apart
constexpr std::chrono::seconds k_fresh{10};  // younger figures are believed,
constexpr std::chrono::seconds k_old{60};    // those older than both together are as good as none
constexpr double k_curiosity = 0.05;         // the chance of one with old figures that was as quick as the quickest
constexpr double k_most_curious = 0.03;      // of all calls that are spent on measuring again

// Gives everyone their luck; where all weights are 0 they are equals.
void prepare(std::span<Contender> contenders, Draws& draws) {
  const bool any_weight =
      std::any_of(contenders.begin(), contenders.end(), [](const Contender& one) { return one.weight > 0; });
  for (Contender& one : contenders) {
    one.luck = draws.share();
    if (!any_weight) one.weight = 1;
  }
}

double share_of(const Contender& one, double load) {
  return one.weight > 0 ? load / one.weight : load;
}

// An object and not a function, so that the sort has it inline.
struct Before {
  bool operator()(const Contender& a, const Contender& b) const {
    if ((a.weight > 0) != (b.weight > 0)) return a.weight > 0;
    return a.score != b.score ? a.score < b.score : a.luck < b.luck;
  }
};

void sort_by_score(std::span<Contender> contenders) {
  std::sort(contenders.begin(), contenders.end(), Before{});
}

// In milliseconds. One that has never been measured, though it is being tried or was, is no better than all others.
void score_by_latency(std::span<Contender> contenders) {
  Micros slowest(0);
  for (const Contender& one : contenders) slowest = std::max(slowest, one.figures->ttft.value_or(Micros(0)));
  for (Contender& one : contenders) {
    const Micros took = one.figures->ttft.value_or(std::max(2 * slowest, Micros(1)));
    one.score = static_cast<double>(took.count() * (1 + one.figures->waiting)) / k_us_per_ms;
  }
}

// How much it is worth to measure this one again: the older its figures are and the nearer it was to the best.
double curiosity(const Contender& one, double best) {
  const Figures& figures = *one.figures;
  if (figures.waiting > 0 || (figures.ttft && figures.since_measured <= k_fresh)) return 0;
  const double age = figures.ttft ? std::chrono::duration<double>(figures.since_measured - k_fresh) / k_old : 1;
  const double promise = one.score > best ? best / one.score : 1;
  return std::min(1.0, age) * promise * promise * k_curiosity;
}

// Of contenders in the order of their scores. What nobody has measured is tried at once, by one call at a time.
std::optional<std::size_t> to_explore(std::span<const Contender> contenders, Draws& draws) {
  if (contenders.size() < 2) return std::nullopt;
  const double best = contenders.front().score;
  std::optional<std::size_t> unknown;
  double curious = 0;
  double luckiest = 2;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const Contender& one = contenders[i];
    curious += curiosity(one, best);
    const bool is_unknown = !one.figures->ttft && one.figures->waiting == 0 && one.figures->last_trouble.empty();
    if (!is_unknown || one.luck >= luckiest) continue;
    luckiest = one.luck;
    unknown = i;
  }
  if (unknown) return unknown;
  if (curious <= 0) return std::nullopt;
  // At most so many of all calls are spent on it.
  double at = draws.share() * std::max(1.0, curious / k_most_curious);
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    at -= curiosity(contenders[i], best);
    if (at < 0) return i == 0 ? std::nullopt : std::optional(i);  // the first would be taken anyhow
  }
  return std::nullopt;
}

// Power of two choices: of two of those that are nearly as quick as the first, the one with fewer calls in flight.
std::size_t of_the_quickest(std::span<const Contender> contenders, Draws& draws) {
  const auto slower = std::find_if(contenders.begin(), contenders.end(), [&](const Contender& one) {
    return one.score > contenders.front().score * k_nearly_as_quick;
  });
  const auto count = static_cast<std::size_t>(slower - contenders.begin());
  if (count < 2) return 0;
  const std::size_t a = draws.below(count);
  const std::size_t b = (a + 1 + draws.below(count - 1)) % count;
  const auto load = [&](std::size_t at) {
    return share_of(contenders[at], static_cast<double>(contenders[at].figures->in_flight));
  };
  return load(b) < load(a) ? b : a;
}

}  // namespace

std::int64_t usual_price(const catalog::Model& model) {
  if (!model.pricing) return 0;
  const catalog::Price& price = model.pricing->base;
  return (3 * price.input.value + price.output.value) / 4;
}

void simple_shuffle(std::span<Contender> contenders, std::uint64_t random) {
  Draws draws(random);
  prepare(contenders, draws);
  // The first of several waits whose rates are the weights: a weighted permutation (Efraimidis and Spirakis, 2006).
  for (Contender& one : contenders) one.score = share_of(one, -std::log(1 - one.luck));
  sort_by_score(contenders);
}

void least_busy(std::span<Contender> contenders, std::uint64_t random) {
  Draws draws(random);
  prepare(contenders, draws);
  for (Contender& one : contenders) one.score = share_of(one, static_cast<double>(one.figures->in_flight + 1));
  sort_by_score(contenders);
}

void usage_based(std::span<Contender> contenders, std::uint64_t random) {
  Draws draws(random);
  prepare(contenders, draws);
  const bool by_capacity =
      std::all_of(contenders.begin(), contenders.end(), [](const Contender& one) { return one.rpm.value_or(0) > 0; });
  double calls = 0;
  double tokens = 1;
  for (const Contender& one : contenders) {
    calls += static_cast<double>(one.figures->calls_this_minute + 1);
    tokens += static_cast<double>(one.figures->tokens_this_minute);
  }
  for (Contender& one : contenders) {
    const auto own_calls = static_cast<double>(one.figures->calls_this_minute + 1);
    one.score = by_capacity
                    ? own_calls / static_cast<double>(*one.rpm)
                    : share_of(one, own_calls / calls + static_cast<double>(one.figures->tokens_this_minute) / tokens);
  }
  sort_by_score(contenders);
}

void latency(std::span<Contender> contenders, std::uint64_t random) {
  if (contenders.empty()) return;
  Draws draws(random);
  prepare(contenders, draws);
  score_by_latency(contenders);
  sort_by_score(contenders);
  const auto used = static_cast<std::size_t>(
      std::count_if(contenders.begin(), contenders.end(), [](const Contender& one) { return one.weight > 0; }));
  const auto explored = to_explore(contenders.first(used), draws);
  const std::size_t first = explored ? *explored : of_the_quickest(contenders.first(used), draws);
  contenders[first].explored = explored.has_value();
  std::rotate(contenders.begin(), contenders.begin() + static_cast<std::ptrdiff_t>(first),
              contenders.begin() + static_cast<std::ptrdiff_t>(first) + 1);
}

void cost(std::span<Contender> contenders, std::uint64_t random) {
  Draws draws(random);
  prepare(contenders, draws);
  const auto key = [](const Contender& one) { return std::pair(one.weight <= 0, one.price); };
  const auto is_before = [&](const Contender& a, const Contender& b) { return key(a) < key(b); };
  if (!std::is_sorted(contenders.begin(), contenders.end(), is_before)) {
    std::sort(contenders.begin(), contenders.end(), is_before);
  }
  for (auto first = contenders.begin(); first != contenders.end();) {
    const auto end =
        std::find_if(first, contenders.end(), [&](const Contender& one) { return key(one) != key(*first); });
    latency({first, end}, draws.next());
    for (; first != end; ++first) first->score = static_cast<double>(first->price) / 1e9;
  }
}

void rank(Strategy strategy, std::span<Contender> contenders, std::uint64_t random) {
  if (contenders.empty()) return;
  switch (strategy) {
    case Strategy::simple_shuffle:
      return simple_shuffle(contenders, random);
    case Strategy::least_busy:
      return least_busy(contenders, random);
    case Strategy::usage_based:
      return usage_based(contenders, random);
    case Strategy::latency:
      return latency(contenders, random);
    case Strategy::cost:
      return cost(contenders, random);
  }
}

}  // namespace nemo::routing
