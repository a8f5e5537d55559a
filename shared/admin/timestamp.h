// RFC 3339 in, the inverse of to_rfc3339().
#pragma once

#include <string_view>

#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::admin {

// "2026-11-22T13:45:01Z", with or without a fraction of up to six digits, "Z" or an offset such as "+01:00".
// invalid_request: anything else, an impossible date included.
Result<WallTime> parse_rfc3339(std::string_view text);

}  // namespace nemo::admin
