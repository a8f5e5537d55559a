// What the ledger knows of an experiment's calls, for its report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/call/call_record.h"
#include "shared/clock.h"
#include "shared/money.h"

namespace nemo::ledger {

// More calls than a difference that matters needs, some 15 MB of memory and a second of reading.
inline constexpr std::size_t k_most_experiment_samples = 200'000;

// One call.
struct ExperimentSample {
  call::Outcome outcome = call::Outcome::ok;
  std::optional<Micros> ttft;
  Micros latency{0};
  NanoUsd cost;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::optional<bool> accepted;  // wholly or in part; absent: not known, or no completion
};

struct ArmSamples {
  std::string arm;
  std::vector<ExperimentSample> samples;  // in no order
};

struct ExperimentSamples {
  std::vector<ArmSamples> arms;  // by name
  bool complete = true;          // false: there are older calls than these
};

}  // namespace nemo::ledger
