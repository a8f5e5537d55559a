// Names for things: random, safe to show, sortable by time where that helps.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "shared/clock.h"

namespace nemo {

// "req_" and 26 characters: 48 bits of milliseconds, then 80 random bits, in Crockford base32. Sorts by time.
std::string make_request_id(WallTime now);

// `count` bytes from the system's random source, safe for keys. Throws if there is none.
std::string random_bytes(std::size_t count);

// Lower-case base32 (RFC 4648 alphabet, no padding) of any bytes.
std::string to_base32(std::string_view bytes);
std::string to_hex(std::string_view bytes);

}  // namespace nemo
