#include "daemon/ledger/experiment_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "daemon/ledger/comparison_text.h"
#include "daemon/ledger/statistics.h"

namespace nemo::ledger {
namespace {

constexpr double k_miss = 0.05;
constexpr double k_median = 0.5;
constexpr double k_tail_quantile = 0.95;
// With fewer calls a mean of costs, most of them small and few large, is no base for a claim.
constexpr std::int64_t k_fewest_for_means = 30;

constexpr std::array k_measures{Measure::error_share,   Measure::ttft_p50,    Measure::ttft_p95,
                                Measure::latency_p50,   Measure::latency_p95, Measure::cost_per_call,
                                Measure::accepted_share};

struct Share {
  std::int64_t hits = 0;
  std::int64_t of = 0;

  Estimate estimate(double miss) const {
    if (of == 0) return {};
    const Interval interval = wilson_interval(hits, of, miss);
    return {static_cast<double>(hits) / static_cast<double>(of), interval.low, interval.high};
  }
};

class Times {
 public:
  void add(Micros time) { m_times.push_back(time.count()); }
  void sort() { std::sort(m_times.begin(), m_times.end()); }

  // Sorted. The value is the smallest time that a share of `p` of all does not exceed.
  Estimate quantile(double p, double miss) const {
    const auto n = static_cast<std::int64_t>(m_times.size());
    if (n == 0) return {};
    const auto place = static_cast<std::int64_t>(std::ceil(static_cast<double>(n) * p - 1e-9));
    const Ranks ranks = quantile_ranks(n, p, miss);
    return {at(std::clamp<std::int64_t>(place, 1, n)), at(ranks.low), at(ranks.high)};
  }

 private:
  // The place is counted from 1; absent: there is none.
  std::optional<double> at(std::int64_t place) const {
    if (place < 1 || place > static_cast<std::int64_t>(m_times.size())) return std::nullopt;
    return static_cast<double>(m_times[static_cast<std::size_t>(place) - 1]);
  }

  std::vector<std::int64_t> m_times;
};

// Of amounts that are whole numbers: their sum is exact.
struct Amounts {
  std::int64_t n = 0;
  std::int64_t sum = 0;
  double squares = 0;  // of the distances from the mean, together
  double cubes = 0;

  // With fewer than two nobody knows how much it varies.
  SkewedMean mean() const {
    const auto count = static_cast<double>(n);
    SkewedMean mean{static_cast<double>(sum) / count, 0, 0, count - 1};
    if (n > 1) mean.variance = squares / (count - 1) / count;
    if (n > 2) mean.third_moment = cubes / ((count - 1) * (count - 2) * count);
    return mean;
  }
  Estimate estimate(double miss) const {
    if (n == 0) return {};
    if (n == 1) return {mean().value, std::nullopt, std::nullopt};
    const Interval interval = mean_interval(mean(), miss);
    return {mean().value, interval.low, interval.high};
  }
};

template <typename AmountOf>
Amounts sum_up(const std::vector<ExperimentSample>& samples, AmountOf amount_of) {
  Amounts amounts;
  for (const ExperimentSample& sample : samples) {
    amounts.sum += amount_of(sample);
    ++amounts.n;
  }
  const double mean = amounts.n > 0 ? amounts.mean().value : 0;
  for (const ExperimentSample& sample : samples) {
    const double distance = static_cast<double>(amount_of(sample)) - mean;
    amounts.squares += distance * distance;
    amounts.cubes += distance * distance * distance;
  }
  return amounts;
}

// All that is asked of an arm's samples.
struct ArmFigures {
  std::string arm;
  std::int64_t refused = 0;
  Share errors, accepted;
  Times ttft, latency;
  Amounts cost, input, output, tokens;
};

ArmFigures figures_of(const std::string& arm, std::vector<ExperimentSample> samples) {
  ArmFigures figures;
  figures.arm = arm;
  // Who was refused says something about a budget, and nothing about the model.
  figures.refused = static_cast<std::int64_t>(
      std::erase_if(samples, [](const ExperimentSample& one) { return one.outcome == call::Outcome::refused; }));
  for (const ExperimentSample& sample : samples) {
    ++figures.errors.of;
    figures.errors.hits += sample.outcome == call::Outcome::error ? 1 : 0;
    if (sample.ttft) figures.ttft.add(*sample.ttft);
    // How long a call would have taken that ended early, nobody knows.
    if (sample.outcome == call::Outcome::ok) figures.latency.add(sample.latency);
    if (!sample.accepted) continue;
    ++figures.accepted.of;
    figures.accepted.hits += *sample.accepted ? 1 : 0;
  }
  figures.ttft.sort();
  figures.latency.sort();
  figures.cost = sum_up(samples, [](const ExperimentSample& one) { return one.cost.value; });
  figures.input = sum_up(samples, [](const ExperimentSample& one) { return one.input_tokens; });
  figures.output = sum_up(samples, [](const ExperimentSample& one) { return one.output_tokens; });
  figures.tokens = sum_up(samples, [](const ExperimentSample& one) { return one.input_tokens + one.output_tokens; });
  return figures;
}

ArmReport report_of(const ArmFigures& figures) {
  ArmReport report;
  report.arm = figures.arm;
  report.calls = figures.errors.of;
  report.refused = figures.refused;
  report.errors = figures.errors.hits;
  report.error_share = figures.errors.estimate(k_miss);
  report.ttft_p50 = figures.ttft.quantile(k_median, k_miss);
  report.ttft_p95 = figures.ttft.quantile(k_tail_quantile, k_miss);
  report.latency_p50 = figures.latency.quantile(k_median, k_miss);
  report.latency_p95 = figures.latency.quantile(k_tail_quantile, k_miss);
  report.cost = NanoUsd{figures.cost.sum};
  report.cost_per_call = figures.cost.estimate(k_miss);
  report.input_tokens = figures.input.sum;
  report.output_tokens = figures.output.sum;
  report.input_tokens_per_call = figures.input.estimate(k_miss);
  report.output_tokens_per_call = figures.output.estimate(k_miss);
  report.tokens_per_call = figures.tokens.estimate(k_miss);
  report.judged = figures.accepted.of;
  report.accepted = figures.accepted.hits;
  report.accepted_share = figures.accepted.estimate(k_miss);
  return report;
}

// The interval of a difference from those of its two sides, which may be lopsided: R. G. Newcombe's for shares (1998),
// G. Y. Zou's and A. Donner's for all else (2008).
Estimate difference_of(const Estimate& first, const Estimate& second) {
  if (!first.value || !second.value) return {};
  const double difference = *second.value - *first.value;
  Estimate found{difference, std::nullopt, std::nullopt};
  if (second.low && first.high)
    found.low = difference - std::hypot(*second.value - *second.low, *first.high - *first.value);
  if (second.high && first.low)
    found.high = difference + std::hypot(*second.high - *second.value, *first.value - *first.low);
  return found;
}

// B. L. Welch's: the two may vary differently.
Estimate difference_of_means(const Amounts& first, const Amounts& second, double miss) {
  if (first.n == 0 || second.n == 0) return {};
  const SkewedMean a = first.mean();
  const SkewedMean b = second.mean();
  SkewedMean difference{b.value - a.value, a.variance + b.variance, b.third_moment - a.third_moment, 1};
  if (std::min(first.n, second.n) < k_fewest_for_means) return {difference.value, std::nullopt, std::nullopt};
  if (difference.variance > 0)
    difference.freedom = difference.variance * difference.variance /
                         (a.variance * a.variance / a.freedom + b.variance * b.variance / b.freedom);
  const Interval interval = mean_interval(difference, miss);
  // What rounding leaves of two means that are the same.
  const double rounding = 1e-9 * (std::abs(a.value) + std::abs(b.value));
  return {difference.value, interval.low - rounding, interval.high + rounding};
}

Estimate difference_in(Measure measure, const ArmFigures& first, const ArmFigures& second, double miss) {
  switch (measure) {
    case Measure::error_share:
      return difference_of(first.errors.estimate(miss), second.errors.estimate(miss));
    case Measure::ttft_p50:
      return difference_of(first.ttft.quantile(k_median, miss), second.ttft.quantile(k_median, miss));
    case Measure::ttft_p95:
      return difference_of(first.ttft.quantile(k_tail_quantile, miss), second.ttft.quantile(k_tail_quantile, miss));
    case Measure::latency_p50:
      return difference_of(first.latency.quantile(k_median, miss), second.latency.quantile(k_median, miss));
    case Measure::latency_p95:
      return difference_of(first.latency.quantile(k_tail_quantile, miss),
                           second.latency.quantile(k_tail_quantile, miss));
    case Measure::cost_per_call:
      return difference_of_means(first.cost, second.cost, miss);
    case Measure::accepted_share:
      return difference_of(first.accepted.estimate(miss), second.accepted.estimate(miss));
  }
  return {};
}

Comparison compare(Measure measure, const ArmFigures& first, const ArmFigures& second, double miss) {
  Comparison comparison{measure, first.arm, second.arm, difference_in(measure, first, second, miss), false, {}};
  const Estimate& difference = comparison.difference;
  comparison.distinct = (difference.low && *difference.low > 0) || (difference.high && *difference.high < 0);
  comparison.text = text_of(comparison);
  return comparison;
}

}  // namespace

std::string_view to_string(Measure measure) {
  switch (measure) {
    case Measure::error_share:
      return "errors";
    case Measure::ttft_p50:
      return "ttft_p50";
    case Measure::ttft_p95:
      return "ttft_p95";
    case Measure::latency_p50:
      return "latency_p50";
    case Measure::latency_p95:
      return "latency_p95";
    case Measure::cost_per_call:
      return "cost";
    case Measure::accepted_share:
      return "accepted";
  }
  return "?";
}

ExperimentReport report_experiment(const ExperimentSamples& samples, const std::vector<std::string>& arms) {
  std::vector<ArmFigures> figures;
  for (const std::string& arm : arms) {
    const auto found = std::find_if(samples.arms.begin(), samples.arms.end(),
                                    [&](const ArmSamples& candidate) { return candidate.arm == arm; });
    figures.push_back(figures_of(arm, found == samples.arms.end() ? std::vector<ExperimentSample>() : found->samples));
  }
  ExperimentReport report;
  for (const ArmFigures& one : figures) report.arms.push_back(report_of(one));
  if (figures.size() < 2) return report;
  // C. E. Bonferroni: each interval misses so seldom that all of them together miss no more than once in twenty.
  const double miss = k_miss / static_cast<double>(k_measures.size() * (figures.size() - 1));
  for (std::size_t other = 1; other < figures.size(); ++other) {
    for (const Measure measure : k_measures)
      report.comparisons.push_back(compare(measure, figures.front(), figures[other], miss));
  }
  return report;
}

}  // namespace nemo::ledger
