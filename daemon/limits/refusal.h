// Why a call was not let in, in words.
#pragma once

#include <cstdint>
#include <limits>

#include "daemon/call/scope.h"
#include "shared/result.h"

namespace nemo::limits {

struct Refusal {
  static constexpr std::int64_t k_never = std::numeric_limits<std::int64_t>::max();

  ErrorKind kind = ErrorKind::rate_limit_exceeded;  // or tpm_limit_exceeded, too_many_parallel
  std::int64_t limit = 0;
  std::int64_t wait_s = 0;  // k_never for a limit of 0
};

// `tokens` is the estimate of the refused call.
Error describe(const Refusal& refusal, const call::Scope& scope, std::int64_t tokens);

}  // namespace nemo::limits
