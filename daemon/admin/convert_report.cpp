#include "daemon/admin/convert_report.h"

#include "daemon/admin/convert_route.h"
#include "shared/money.h"

namespace nemo::admin {
namespace {

using ledger::Measure;

constexpr double k_as_it_is = 1;
constexpr double k_micros_in_milli = 1'000;
constexpr double k_nanos_in_dollar = 1'000'000'000;

std::optional<double> over(const std::optional<double>& value, double unit) {
  return value ? std::optional(*value / unit) : std::nullopt;
}

Estimate in_units_of(const ledger::Estimate& estimate, double unit) {
  return {over(estimate.value, unit), over(estimate.low, unit), over(estimate.high, unit)};
}

double unit_of(Measure measure) {
  switch (measure) {
    case Measure::ttft_p50:
    case Measure::ttft_p95:
    case Measure::latency_p50:
    case Measure::latency_p95:
      return k_micros_in_milli;
    case Measure::cost_per_call:
      return k_nanos_in_dollar;
    case Measure::error_share:
    case Measure::accepted_share:
      return k_as_it_is;
  }
  return k_as_it_is;
}

ArmReport to_arm(const ledger::ArmReport& arm) {
  ArmReport view;
  view.arm = arm.arm;
  view.calls = arm.calls;
  view.refused = arm.refused;
  view.errors = arm.errors;
  view.error_share = in_units_of(arm.error_share, k_as_it_is);
  view.ttft_p50_ms = in_units_of(arm.ttft_p50, k_micros_in_milli);
  view.ttft_p95_ms = in_units_of(arm.ttft_p95, k_micros_in_milli);
  view.latency_p50_ms = in_units_of(arm.latency_p50, k_micros_in_milli);
  view.latency_p95_ms = in_units_of(arm.latency_p95, k_micros_in_milli);
  view.cost = to_dollars(arm.cost);
  view.cost_per_call = in_units_of(arm.cost_per_call, k_nanos_in_dollar);
  view.input_tokens = arm.input_tokens;
  view.output_tokens = arm.output_tokens;
  view.input_tokens_per_call = in_units_of(arm.input_tokens_per_call, k_as_it_is);
  view.output_tokens_per_call = in_units_of(arm.output_tokens_per_call, k_as_it_is);
  view.tokens_per_call = in_units_of(arm.tokens_per_call, k_as_it_is);
  view.judged = arm.judged;
  view.accepted = arm.accepted;
  view.accepted_share = in_units_of(arm.accepted_share, k_as_it_is);
  return view;
}

}  // namespace

ExperimentReport to_report(const routing::Experiment& experiment, const ledger::ExperimentSamples& samples) {
  std::vector<std::string> names;
  for (const routing::Arm& arm : experiment.arms) names.push_back(arm.model);
  const ledger::ExperimentReport report = ledger::report_experiment(samples, names);
  ExperimentReport view;
  view.experiment = to_view(experiment);
  for (const ledger::ArmReport& arm : report.arms) view.arms.push_back(to_arm(arm));
  for (const ledger::Comparison& one : report.comparisons) {
    view.verdicts.push_back({std::string(to_string(one.measure)), one.first, one.second,
                             in_units_of(one.difference, unit_of(one.measure)), one.distinct, one.text});
  }
  view.complete = samples.complete;
  return view;
}

}  // namespace nemo::admin
