// How often and when a call is tried again. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "shared/clock.h"

namespace nemo::routing {

// Another candidate is tried at once. When a deployment must be tried a second time because no other is left, this is
// how long to wait before it: 100 ms, doubled with each round, of which a random part between half and all is taken; at
// least what upstream asked for with retry-after. `round` 1 is the first repetition. Nothing: above 5 s is not worth
// waiting for, the error is the answer.
std::optional<std::chrono::milliseconds> delay_before_round(int round, std::optional<std::chrono::seconds> retry_after,
                                                            std::uint64_t random);

}  // namespace nemo::routing
