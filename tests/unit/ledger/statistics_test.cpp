// Against tables in textbooks, and values worked out by hand.
#include "daemon/ledger/statistics.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

namespace nemo::test::statistics_test {

using namespace nemo::ledger;

namespace {

bool near(double value, double expected, double within = 1e-4) {
  return std::abs(value - expected) <= within * std::max(1.0, std::abs(expected));
}

bool is(const Ranks& ranks, std::int64_t low, std::int64_t high) {
  return ranks.low == low && ranks.high == high;
}

}  // namespace

TEST_CASE("quantiles of the normal distribution are those of the tables") {
  CHECK(near(normal_quantile(0.5), 0, 1e-9));
  CHECK(near(normal_quantile(0.975), 1.959964, 1e-6));
  CHECK(near(normal_quantile(0.025), -1.959964, 1e-6));
  CHECK(near(normal_quantile(0.9995), 3.290527, 1e-6));
  CHECK(near(normal_quantile(1e-6), -4.753424, 1e-6));
}

TEST_CASE("quantiles of Student's distribution are those of the tables, for few degrees of freedom and for many") {
  CHECK(near(student_quantile(0.05, 1), 12.7062));
  CHECK(near(student_quantile(0.05, 2), 4.30265));
  CHECK(near(student_quantile(0.05, 3), 3.18245));
  CHECK(near(student_quantile(0.05, 5), 2.57058));
  CHECK(near(student_quantile(0.05, 9), 2.26216));
  CHECK(near(student_quantile(0.01, 3), 5.84091));
  CHECK(near(student_quantile(0.001, 10), 4.58689));
  CHECK(near(student_quantile(0.05, 30), 2.04227));
  CHECK(near(student_quantile(0.05, 1e6), 1.95997));
  // Whole or not, more freedom means a nearer bound.
  double last = student_quantile(0.007, 1);
  for (double freedom = 1.25; freedom < 50; freedom += 0.25) {
    const double next = student_quantile(0.007, freedom);
    CHECK(next < last);
    last = next;
  }
}

TEST_CASE("Wilson's interval of none, of all and of half") {
  const Interval none = wilson_interval(0, 10, 0.05);
  CHECK(none.low == 0);
  CHECK(near(none.high, 0.277533));
  const Interval all = wilson_interval(10, 10, 0.05);
  CHECK(near(all.low, 0.722467));
  CHECK(all.high == 1);
  const Interval half = wilson_interval(5, 10, 0.05);
  CHECK(near(half.low, 0.236593));
  CHECK(near(half.high, 0.763407));
  const Interval one = wilson_interval(1, 1, 0.05);
  CHECK(near(one.low, 0.206549));
  CHECK(one.high == 1);
}

TEST_CASE("the interval of a mean is Student's, but reaches further to the side of its tail when it has one") {
  const Interval even = mean_interval({200, 10'000, 0, 1}, 0.05);
  CHECK(near(even.low, 200 - 1270.62));
  CHECK(near(even.high, 200 + 1270.62));
  // With a skew of 0.3: 10 - 10 * (cbrt(1 + 0.3 * (-2.26216 - 0.05)) - 1).
  const Interval skewed = mean_interval({10, 1, 0.3, 9}, 0.05);
  CHECK(near(skewed.low, 10 - 2.26216));
  CHECK(near(skewed.high, 10 + 3.25875));
  const Interval mirrored = mean_interval({10, 1, -0.3, 9}, 0.05);
  CHECK(near(10 - mirrored.low, skewed.high - 10));
  const Interval constant = mean_interval({5, 0, 0, 9}, 0.05);
  CHECK(constant.low == 5);
  CHECK(constant.high == 5);
}

TEST_CASE("a quantile lies between the samples that sums of the binomial distribution name") {
  // Of ten samples at most one lies below the median with 11/1024, at most two with 56/1024.
  CHECK(is(quantile_ranks(10, 0.5, 0.05), 2, 9));
  // All six lie on one side with 1/64 each.
  CHECK(is(quantile_ranks(6, 0.5, 0.05), 1, 6));
  CHECK(is(quantile_ranks(5, 0.5, 0.05), 0, 6));
  // All 72 lie below the 95th percentile with 0.02489, all 71 with 0.0262.
  CHECK(quantile_ranks(72, 0.95, 0.05).high == 72);
  CHECK(quantile_ranks(71, 0.95, 0.05).high == 72);
  // Eleven or more of a hundred lie above it with 0.0115, ten or more with 0.0282; none with 0.0059, one at most
  // 0.0371.
  CHECK(is(quantile_ranks(100, 0.95, 0.05), 90, 100));
}

TEST_CASE("no sample and one sample bound no quantile") {
  CHECK(is(quantile_ranks(0, 0.5, 0.05), 0, 1));
  CHECK(is(quantile_ranks(1, 0.5, 0.05), 0, 2));
  CHECK(is(quantile_ranks(2, 0.5, 0.05), 0, 3));
}

TEST_CASE("the ranks of many samples are what the normal distribution says of them") {
  // 100,000 and 1.96 times the root of 50,000 to both sides.
  const Ranks median = quantile_ranks(200'000, 0.5, 0.05);
  CHECK(std::abs(median.low - 99'562) <= 2);
  CHECK(std::abs(median.high - 100'439) <= 2);
  const Ranks tail = quantile_ranks(200'000, 0.95, 0.05);
  CHECK(std::abs(tail.low - 189'809) <= 3);
  CHECK(std::abs(tail.high - 190'192) <= 3);
}

TEST_CASE("an interval around a quantile leaves out the true one no oftener than it may") {
  std::mt19937 random(20261122);
  std::uniform_real_distribution<double> uniform;
  constexpr int k_trials = 4000;
  for (const double p : {0.5, 0.95}) {
    int missed = 0;
    for (int trial = 0; trial < k_trials; ++trial) {
      std::vector<double> samples(120);
      for (double& sample : samples) sample = uniform(random);
      std::sort(samples.begin(), samples.end());
      const Ranks ranks = quantile_ranks(120, p, 0.05);
      const auto at = [&](std::int64_t rank) { return samples[static_cast<std::size_t>(rank) - 1]; };
      REQUIRE(ranks.low >= 1);
      REQUIRE(ranks.high <= 120);
      missed += at(ranks.low) > p || at(ranks.high) < p ? 1 : 0;
    }
    CHECK(missed <= 0.05 * k_trials);
    CHECK(missed > 0.01 * k_trials);
  }
}

}  // namespace nemo::test::statistics_test
