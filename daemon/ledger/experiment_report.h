// What an experiment's calls say about its arms, with intervals, so that nobody reads noise. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ledger/experiment_samples.h"
#include "shared/money.h"

namespace nemo::ledger {

// A figure and its 95 % interval. Each is absent while there are too few calls to say.
struct Estimate {
  std::optional<double> value;
  std::optional<double> low;
  std::optional<double> high;
};

struct ArmReport {
  std::string arm;
  std::int64_t calls = 0;    // that a budget or a limit did not refuse; all below is of them
  std::int64_t refused = 0;  // the others
  std::int64_t errors = 0;
  Estimate error_share;               // of 1
  Estimate ttft_p50, ttft_p95;        // microseconds; calls that sent content
  Estimate latency_p50, latency_p95;  // microseconds; calls that came to their end
  NanoUsd cost;                       // exact, of all calls
  Estimate cost_per_call;             // nano-dollars
  std::int64_t input_tokens = 0;      // of all calls
  std::int64_t output_tokens = 0;     //
  Estimate input_tokens_per_call;     //
  Estimate output_tokens_per_call;    //
  Estimate tokens_per_call;           // input and output
  std::int64_t judged = 0;            // completions of which it is known whether their text was taken
  std::int64_t accepted = 0;          // of those
  Estimate accepted_share;            // of 1
};

enum class Measure : std::uint8_t {
  error_share,
  ttft_p50,
  ttft_p95,
  latency_p50,
  latency_p95,
  cost_per_call,
  accepted_share
};

std::string_view to_string(Measure measure);  // "errors", "ttft_p50", "cost", "accepted", …

// Whether two arms can be told apart in one measure.
struct Comparison {
  Measure measure = Measure::error_share;
  std::string first, second;
  // second - first, in the measure's unit. All intervals of a report hold at once with 95 %, so these are wider than
  // those of the arms: who looks at twenty of them would find one difference in noise.
  Estimate difference;
  bool distinct = false;  // the interval leaves out 0
  std::string text;       // a sentence for people: "no difference can be told yet", or which and by how much
};

struct ExperimentReport {
  std::vector<ArmReport> arms;
  std::vector<Comparison> comparisons;  // of the first arm with each other, all measures of one after the other
};

// `arms`: their names in the order of the report, the one that the others are compared with first. One without calls is
// in it with none; samples of an arm that is not named are left out.
ExperimentReport report_experiment(const ExperimentSamples& samples, const std::vector<std::string>& arms);

}  // namespace nemo::ledger
