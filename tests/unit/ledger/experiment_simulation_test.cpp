// A thousand experiments whose truth is known.
#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "daemon/ledger/experiment_report.h"

namespace nemo::test::experiment_simulation_test {

using namespace nemo;
using ledger::Comparison;
using ledger::ExperimentSample;

namespace {

constexpr int k_trials = 1000;
constexpr int k_one_in_twenty = k_trials / 20;

// What an arm is like in truth.
struct Truth {
  double ttft_ms = 30;
  double cost = 200'000;
  double error_share = 0.05;
  double accepted_share = 0.3;
};

// Times and costs are skewed, as those of real calls are.
std::vector<ExperimentSample> draw(std::mt19937& random, int count, const Truth& truth) {
  std::lognormal_distribution<double> spread(0, 0.8);
  std::bernoulli_distribution fails(truth.error_share);
  std::bernoulli_distribution is_judged(0.7);
  std::bernoulli_distribution is_taken(truth.accepted_share);
  std::vector<ExperimentSample> samples(static_cast<std::size_t>(count));
  for (ExperimentSample& sample : samples) {
    if (fails(random)) {
      sample.outcome = call::Outcome::error;
      continue;
    }
    const auto ttft = static_cast<std::int64_t>(truth.ttft_ms * 1000 * spread(random));
    sample.ttft = Micros(ttft);
    sample.latency = Micros(ttft + static_cast<std::int64_t>(300'000 * spread(random)));
    sample.cost = NanoUsd{static_cast<std::int64_t>(truth.cost * spread(random))};
    if (is_judged(random)) sample.accepted = is_taken(random);
  }
  return samples;
}

bool claims(const std::vector<Comparison>& comparisons) {
  return std::any_of(comparisons.begin(), comparisons.end(), [](const Comparison& one) { return one.distinct; });
}

// Of experiments with as many calls for each arm as given, and all arms alike: how many reports claim a difference.
int false_claims(const std::vector<int>& calls) {
  std::mt19937 random(20261122);
  int claimed = 0;
  for (int trial = 0; trial < k_trials; ++trial) {
    ledger::ExperimentSamples samples;
    std::vector<std::string> arms;
    for (const int count : calls) {
      arms.push_back(std::to_string(arms.size()));
      samples.arms.push_back({arms.back(), draw(random, count, {})});
    }
    if (claims(report_experiment(samples, arms).comparisons)) ++claimed;
  }
  return claimed;
}

}  // namespace

TEST_CASE("two equal arms are called different in no more than one report of twenty, whatever the number of calls") {
  for (const int calls : {2, 12, 40, 200, 1000}) {
    CAPTURE(calls);
    const int claimed = false_claims({calls, calls});
    CHECK(claimed <= k_one_in_twenty);
    // A report that never claims anything would pass too; the one on different arms below could not.
  }
}

TEST_CASE("equal arms of which one has few calls, and several equal arms, are not called different oftener") {
  CHECK(false_claims({300, 20}) <= k_one_in_twenty);
  CHECK(false_claims({20, 300}) <= k_one_in_twenty);
  CHECK(false_claims({100, 100, 100, 100}) <= k_one_in_twenty);
}

TEST_CASE("arms that differ are told apart in what they differ in, the right way round") {
  std::mt19937 random(4711);
  constexpr int k_few_trials = 100;
  int quicker = 0;
  int dearer = 0;
  int better = 0;
  int fails_more = 0;
  for (int trial = 0; trial < k_few_trials; ++trial) {
    const ledger::ExperimentSamples samples{
        {{"slow", draw(random, 500, {})}, {"quick", draw(random, 500, {18, 320'000, 0.15, 0.5})}}};
    const auto report = report_experiment(samples, {"slow", "quick"});
    for (const Comparison& one : report.comparisons) {
      if (!one.distinct) continue;
      const double difference = *one.difference.value;
      quicker += one.measure == ledger::Measure::ttft_p50 && difference < 0 ? 1 : 0;
      dearer += one.measure == ledger::Measure::cost_per_call && difference > 0 ? 1 : 0;
      better += one.measure == ledger::Measure::accepted_share && difference > 0 ? 1 : 0;
      fails_more += one.measure == ledger::Measure::error_share && difference > 0 ? 1 : 0;
    }
  }
  CHECK(quicker >= 95);
  CHECK(dearer >= 95);
  CHECK(better >= 95);
  CHECK(fails_more >= 95);
}

TEST_CASE("the interval of a difference holds the true difference in at least nineteen reports of twenty") {
  std::mt19937 random(99);
  const Truth other{18, 320'000, 0.15, 0.5};
  int missed = 0;
  for (int trial = 0; trial < k_trials; ++trial) {
    const ledger::ExperimentSamples samples{{{"a", draw(random, 400, {})}, {"b", draw(random, 400, other)}}};
    const auto report = report_experiment(samples, {"a", "b"});
    bool miss = false;
    for (const Comparison& one : report.comparisons) {
      double truth = 0;
      // The median of the spread is 1, its 95th percentile exp(0.8 * 1.644854).
      if (one.measure == ledger::Measure::ttft_p50)
        truth = (18 - 30) * 1000;
      else if (one.measure == ledger::Measure::ttft_p95)
        truth = (18 - 30) * 1000 * std::exp(0.8 * 1.644854);
      else if (one.measure == ledger::Measure::error_share)
        truth = 0.10;
      else if (one.measure == ledger::Measure::accepted_share)
        truth = 0.2;
      else
        continue;
      miss = miss || (one.difference.low && *one.difference.low > truth) ||
             (one.difference.high && *one.difference.high < truth);
    }
    missed += miss ? 1 : 0;
  }
  CHECK(missed <= k_one_in_twenty);
}

}  // namespace nemo::test::experiment_simulation_test
