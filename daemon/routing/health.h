// Whether a deployment is worth a call: consecutive failures and the rate of failures open a cooldown that grows; one
// probe at its end decides. Pure: a state machine that is told the time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "shared/clock.h"

namespace nemo::routing {

struct HealthRules {
  int allowed_fails = 3;                          // in a row; the next one begins a cooldown. 0: the first one does
  std::chrono::milliseconds cooldown{5'000};      // the first; each one after a failed probe is twice as long,
  std::chrono::milliseconds longest{5 * 60'000};  // up to this
  friend bool operator==(const HealthRules&, const HealthRules&) = default;
};

enum class Condition : std::uint8_t {
  healthy,
  half_open,     // a cooldown has ended: one call may try it
  cooling,       // failed too often; used only when nothing else is left
  rate_limited,  // upstream said when to come back; not used before
};

enum class Trouble : std::uint8_t { connect, timeout, server_error, rate_limited, broken_answer, unauthorized };

// (class Health: the implementer's)

}  // namespace nemo::routing
