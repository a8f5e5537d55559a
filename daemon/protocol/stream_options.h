// stream_options of a request that is going upstream.
#pragma once

#include <string>

#include "daemon/protocol/request_body.h"

namespace nemo::protocol {

// The body's stream_options with include_usage true, every other byte of them as it came.
std::string stream_options_with_usage(const RequestBody& body);

}  // namespace nemo::protocol
