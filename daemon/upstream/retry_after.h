// When an upstream says that it may be asked again: the answer's retry-after (RFC 9110, 10.2.3 and 5.6.7).
#pragma once

#include <chrono>
#include <optional>

#include "daemon/upstream/transport.h"
#include "shared/clock.h"

namespace nemo::upstream {

// Seconds, or a date in any of HTTP's three forms counted from `now` and rounded up: 0 for one that has passed, a day
// at most. Nothing: there is none, or none that can be read.
std::optional<std::chrono::seconds> retry_after(const Head& head, WallTime now);

}  // namespace nemo::upstream
