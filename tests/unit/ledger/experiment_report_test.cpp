#include "daemon/ledger/experiment_report.h"

#include <doctest/doctest.h>

#include <cmath>

namespace nemo::test::experiment_report_test {

using namespace nemo;
using namespace std::chrono_literals;
using call::Outcome;
using ledger::Comparison;
using ledger::Estimate;
using ledger::ExperimentReport;
using ledger::ExperimentSample;
using ledger::ExperimentSamples;
using ledger::Measure;
using ledger::report_experiment;

namespace {

bool near(const std::optional<double>& value, double expected) {
  return value && std::abs(*value - expected) <= 1e-4 * std::max(1.0, std::abs(expected));
}

bool is_empty(const Estimate& estimate) {
  return !estimate.value && !estimate.low && !estimate.high;
}

bool is_bare(const Estimate& estimate, double value) {
  return near(estimate.value, value) && !estimate.low && !estimate.high;
}

std::vector<ExperimentSample> calls(int count, const ExperimentSample& sample = {}) {
  return {static_cast<std::size_t>(count), sample};
}

ExperimentSample cost_of(std::int64_t nanos) {
  ExperimentSample sample;
  sample.cost = NanoUsd{nanos};
  return sample;
}

// `count` calls, `failed` of them with an error.
std::vector<ExperimentSample> with_errors(int count, int failed) {
  auto samples = calls(count);
  for (int i = 0; i < failed; ++i) samples[static_cast<std::size_t>(i)].outcome = Outcome::error;
  return samples;
}

ExperimentReport report(std::vector<ExperimentSample> first, std::vector<ExperimentSample> second) {
  return report_experiment({{{"a", std::move(first)}, {"b", std::move(second)}}}, {"a", "b"});
}

ledger::ArmReport report_of(std::vector<ExperimentSample> samples) {
  return report(std::move(samples), {}).arms.at(0);
}

const Comparison& comparison_of(const ExperimentReport& report, Measure measure) {
  for (const Comparison& one : report.comparisons) {
    if (one.measure == measure) return one;
  }
  throw std::logic_error("it is not compared");
}

}  // namespace

TEST_CASE("an arm without calls is in the report, and nothing is said of it") {
  const ExperimentReport empty = report_experiment({}, {"a", "b"});
  REQUIRE(empty.arms.size() == 2);
  const ledger::ArmReport& arm = empty.arms[1];
  CHECK(arm.arm == "b");
  CHECK(arm.calls == 0);
  CHECK(arm.cost == NanoUsd{0});
  for (const Estimate& estimate : {arm.error_share, arm.ttft_p50, arm.ttft_p95, arm.latency_p50, arm.latency_p95,
                                   arm.cost_per_call, arm.tokens_per_call, arm.accepted_share})
    CHECK(is_empty(estimate));
  REQUIRE(empty.comparisons.size() == 7);
  for (const Comparison& one : empty.comparisons) {
    CHECK_FALSE(one.distinct);
    CHECK(is_empty(one.difference));
    CHECK(one.text.find("no difference can be told yet") != std::string::npos);
  }
  CHECK(report_experiment({}, {}).arms.empty());
  CHECK(report_experiment({}, {"a"}).comparisons.empty());
}

TEST_CASE("one call has figures, and intervals of its shares only") {
  ExperimentSample sample = cost_of(1500);
  sample.ttft = 20ms;
  sample.latency = 300ms;
  sample.input_tokens = 100;
  sample.output_tokens = 30;
  sample.accepted = true;
  const auto arm = report_of({sample});
  CHECK(arm.calls == 1);
  CHECK(is_bare(arm.ttft_p50, 20'000));
  CHECK(is_bare(arm.ttft_p95, 20'000));
  CHECK(is_bare(arm.latency_p50, 300'000));
  CHECK(is_bare(arm.cost_per_call, 1500));
  CHECK(is_bare(arm.tokens_per_call, 130));
  CHECK(arm.input_tokens == 100);
  CHECK(arm.output_tokens == 30);
  CHECK(near(arm.error_share.value, 0));
  CHECK(near(arm.error_share.low, 0));
  CHECK(near(arm.error_share.high, 0.793451));
  CHECK(arm.judged == 1);
  CHECK(arm.accepted == 1);
  CHECK(near(arm.accepted_share.low, 0.206549));
  CHECK(near(arm.accepted_share.high, 1));
}

TEST_CASE("two calls have a mean with Student's interval, and no bounds of a median") {
  auto samples = {cost_of(100), cost_of(300)};
  const auto arm = report_of(samples);
  CHECK(arm.cost == NanoUsd{400});
  // They vary by 141.42 around 200, their mean by 100: 12.7062 times as much to both sides.
  CHECK(near(arm.cost_per_call.value, 200));
  CHECK(near(arm.cost_per_call.low, 200 - 1270.62));
  CHECK(near(arm.cost_per_call.high, 200 + 1270.62));
  CHECK(is_bare(arm.latency_p50, 0));
}

TEST_CASE("quantiles are samples, and so are their bounds") {
  std::vector<ExperimentSample> samples;
  // In no order.
  for (const int millis : {7, 1, 9, 3, 10, 5, 2, 8, 6, 4}) {
    samples.emplace_back();
    samples.back().ttft = std::chrono::milliseconds(millis);
    samples.back().latency = 10 * std::chrono::milliseconds(millis);
  }
  const auto arm = report_of(samples);
  CHECK(near(arm.ttft_p50.value, 5'000));
  CHECK(near(arm.ttft_p50.low, 2'000));
  CHECK(near(arm.ttft_p50.high, 9'000));
  // Three or more of ten lie above the 95th percentile with 0.0115, two or more with 0.0861.
  CHECK(near(arm.ttft_p95.value, 10'000));
  CHECK(near(arm.ttft_p95.low, 8'000));
  CHECK_FALSE(arm.ttft_p95.high.has_value());
  CHECK(near(arm.latency_p50.low, 20'000));
  CHECK(near(arm.latency_p95.low, 80'000));
}

TEST_CASE("what was refused is counted apart, and what ended early has no latency") {
  ExperimentSample ok;
  ok.latency = 100ms;
  ok.cost = NanoUsd{10};
  ExperimentSample refused;
  refused.outcome = Outcome::refused;
  refused.latency = 1us;
  ExperimentSample cancelled;
  cancelled.outcome = Outcome::cancelled;
  cancelled.latency = 5ms;
  cancelled.ttft = 4ms;
  cancelled.cost = NanoUsd{2};
  ExperimentSample failed;
  failed.outcome = Outcome::error;
  failed.latency = 7us;
  const auto arm = report_of({ok, refused, cancelled, failed, refused});
  CHECK(arm.calls == 3);
  CHECK(arm.refused == 2);
  CHECK(arm.errors == 1);
  CHECK(near(arm.error_share.value, 1.0 / 3));
  CHECK(near(arm.latency_p50.value, 100'000));
  CHECK(near(arm.ttft_p50.value, 4'000));
  CHECK(arm.cost == NanoUsd{12});
  CHECK(near(arm.cost_per_call.value, 4));
  CHECK(arm.judged == 0);
}

TEST_CASE("the sum of costs is exact where doubles are not") {
  // 2^53 + 1, and 1.
  const auto arm = report_of({cost_of(9'007'199'254'740'993), cost_of(1), cost_of(1)});
  CHECK(arm.cost == NanoUsd{9'007'199'254'740'995});
}

TEST_CASE("arms come in the order asked for, each other one is compared with the first, and strangers are left out") {
  const ExperimentSamples samples{{{"a", calls(1)}, {"b", calls(2)}, {"old", calls(9)}}};
  const ExperimentReport found = report_experiment(samples, {"b", "new", "a"});
  REQUIRE(found.arms.size() == 3);
  CHECK(found.arms[0].calls == 2);
  CHECK(found.arms[1].calls == 0);
  CHECK(found.arms[2].calls == 1);
  REQUIRE(found.comparisons.size() == 14);
  for (std::size_t i = 0; i < 14; ++i) {
    CHECK(found.comparisons[i].first == "b");
    CHECK(found.comparisons[i].second == (i < 7 ? "new" : "a"));
  }
}

TEST_CASE("a difference of shares has Newcombe's interval, widened for seven measures at once") {
  const auto differ = report(with_errors(100, 10), with_errors(100, 40));
  const Comparison& errors = comparison_of(differ, Measure::error_share);
  CHECK(near(errors.difference.value, 0.3));
  CHECK(near(errors.difference.low, 0.137057));
  CHECK(near(errors.difference.high, 0.445208));
  CHECK(errors.distinct);
  CHECK(errors.text == "b: share of errors is 30.0 percentage points higher than of a (13.7 to 44.5)");
  const auto few = report(with_errors(10, 0), with_errors(10, 3));
  const Comparison& noise = comparison_of(few, Measure::error_share);
  CHECK(near(noise.difference.low, -0.176146));
  CHECK(near(noise.difference.high, 0.692542));
  CHECK_FALSE(noise.distinct);
  CHECK(noise.text == "share of errors: no difference can be told yet");
}

TEST_CASE("with more arms each difference has to be clearer, since more of them are looked at") {
  const ExperimentSamples samples{{{"a", with_errors(100, 10)}, {"b", with_errors(100, 40)}, {"c", calls(100)}}};
  const auto two = report_experiment(samples, {"a", "b"});
  const auto three = report_experiment(samples, {"a", "b", "c"});
  const Estimate& narrow = comparison_of(two, Measure::error_share).difference;
  const Estimate& wide = comparison_of(three, Measure::error_share).difference;
  CHECK(*wide.low < *narrow.low);
  CHECK(*wide.high > *narrow.high);
}

TEST_CASE("a quicker arm is told from a slower one when there are enough calls, and not before") {
  const auto timed = [](int count, Micros from) {
    std::vector<ExperimentSample> samples;
    for (int i = 0; i < count; ++i) {
      samples.emplace_back();
      samples.back().ttft = from + std::chrono::microseconds(i * 100);
    }
    return samples;
  };
  const auto few = report(timed(3, 80ms), timed(3, 20ms));
  CHECK(near(comparison_of(few, Measure::ttft_p50).difference.value, -60'000));
  CHECK_FALSE(comparison_of(few, Measure::ttft_p50).distinct);
  const auto many = report(timed(40, 80ms), timed(40, 20ms));
  const Comparison& median = comparison_of(many, Measure::ttft_p50);
  CHECK(median.distinct);
  // Of forty samples the twelfth and the 29th are the bounds, 0.8 ms below and 0.9 ms above the twentieth.
  CHECK(near(median.difference.low, -60'000 - std::hypot(800, 900)));
  CHECK(near(median.difference.high, -60'000 + std::hypot(800, 900)));
  CHECK(median.text == "b: time to first token (p50) is 60.0 ms lower than of a (58.8 to 61.2)");
  // Forty samples do not bound the 95th percentile.
  CHECK_FALSE(comparison_of(many, Measure::ttft_p95).distinct);
}

TEST_CASE("costs that are all the same differ when they differ, and rounding is no difference") {
  const auto same = report(calls(32, cost_of(9'007'199'254'740'993)), calls(31, cost_of(9'007'199'254'740'993)));
  CHECK_FALSE(comparison_of(same, Measure::cost_per_call).distinct);
  const auto dearer = report(calls(30, cost_of(1'000'000)), calls(30, cost_of(3'000'000)));
  const Comparison& cost = comparison_of(dearer, Measure::cost_per_call);
  CHECK(cost.distinct);
  CHECK(cost.text == "b: cost per call is 0.002000 dollars higher than of a (0.002000 to 0.002000)");
  const auto too_few = report(calls(29, cost_of(1'000'000)), calls(30, cost_of(3'000'000)));
  CHECK(is_bare(comparison_of(too_few, Measure::cost_per_call).difference, 2'000'000));
  CHECK_FALSE(comparison_of(too_few, Measure::cost_per_call).distinct);
}

TEST_CASE("a difference of means has Welch's interval") {
  // Thirty of 0 and 2 around 1, and thirty of 0 and 20 around 10, in nano-dollars: the variances of the means are 1/29
  // and 100/29, with 29.58 degrees of freedom together, of which Student's quantile at 0.05 / 7 is 2.8902.
  std::vector<ExperimentSample> first;
  std::vector<ExperimentSample> second;
  for (int i = 0; i < 30; ++i) {
    first.push_back(cost_of(i % 2 == 0 ? 0 : 2));
    second.push_back(cost_of(i % 2 == 0 ? 0 : 20));
  }
  const auto found = report(first, second);
  const Estimate& difference = comparison_of(found, Measure::cost_per_call).difference;
  CHECK(near(difference.value, 9));
  const double reach = 2.8902 * std::sqrt(101.0 / 29);
  CHECK(near(difference.low, 9 - reach));
  CHECK(near(difference.high, 9 + reach));
}

TEST_CASE("a difference of means reaches further to the side where one of them has its tail") {
  // 39 times nothing and once 40 nano-dollars: mean, variance of the mean and its skew are 1. With 39 degrees of
  // freedom Student's quantile at 0.05 / 7 is 2.8394; to the side of the tail it is 3 - 3 * cbrt(1 - 2.8394 - 1 / 6).
  auto rare = calls(39, cost_of(0));
  rare.push_back(cost_of(40));
  const auto free = calls(40, cost_of(0));
  const auto tail_above = comparison_of(report(free, rare), Measure::cost_per_call).difference;
  CHECK(near(tail_above.low, 1 - 2.83943));
  CHECK(near(tail_above.high, 1 + 6.78360));
  const auto tail_below = comparison_of(report(rare, free), Measure::cost_per_call).difference;
  CHECK(near(tail_below.low, -1 - 6.78360));
  CHECK(near(tail_below.high, -1 + 2.83943));
}

}  // namespace nemo::test::experiment_report_test
