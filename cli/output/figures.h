// Numbers as people read them: rounded where that helps, never in --json or --csv.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nemo::cli::output {

// Exact dollars as text -> "$12.34", "$0.0012", "$0.0000015", "$0", "$1,234.50". Text that is no amount stays as it is.
std::string show_money(std::string_view dollars);

// The same without rounding, for prices: "$0.30", "$0.075", "$2.50".
std::string show_price(std::string_view dollars);

std::string show_count(std::int64_t count);        // "1,234,567"
std::string show_short_count(std::int64_t count);  // "987", "12.3k", "4.5M"
std::string show_millis(double millis);            // "0.4ms", "312ms", "1.24s", "2m05s"
std::string show_seconds(std::int64_t seconds);    // "42s", "12m", "5h 3m", "3d 4h"
std::string show_percent(double share);            // "12.5 %"

// `share` of `width` columns in eighths of a block. Anything above nothing shows at least ▏.
std::string bar(double share, std::size_t width);
// The same with what is missing dotted: "███▌······". Full only when `share` is 1 or more.
std::string gauge(double share, std::size_t width);

}  // namespace nemo::cli::output
