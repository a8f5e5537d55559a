// The head of an answer whose body is at hand, as HTTP/1.1 bytes (RFC 9112).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/gateway/answer.h"

namespace nemo::http {

// Headers with a line break in name or value are left out: some come from upstream, some from the caller.
std::string answer_head(const gateway::Answer& answer, std::string_view allowed_origin, bool closes);

}  // namespace nemo::http
