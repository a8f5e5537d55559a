// Times as people write and read them on the command line. Dates and shown times are in the machine's own time zone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::cli {

// "90s", "30m", "12h", "7d", "2w"; invalid_request for anything else.
Result<std::chrono::seconds> parse_span(std::string_view text);

// A point in the past: a span before `now` ("7d"), a day ("2026-11-01", its midnight here) or RFC 3339.
Result<WallTime> parse_since(std::string_view text, WallTime now);

// A point to come: a span after `now` ("90d"), a day or RFC 3339. Refuses what has passed.
Result<WallTime> parse_expiry(std::string_view text, WallTime now);

// RFC 3339 as the daemon sends it -> "2026-11-22 13:45:01" here. Text that is no time stays as it is.
std::string show_time(std::string_view rfc3339);
// The same without the year: "11-22 13:45:01".
std::string show_short_time(std::string_view rfc3339);

}  // namespace nemo::cli
