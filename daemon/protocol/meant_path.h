// Which path a body was meant for that came to another one.
#pragma once

#include <string_view>

#include "daemon/call/surface.h"
#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// "POST /v1/messages", by fields that only that surface has; empty: the body does not say, or it came to the right one.
std::string_view meant_path(call::Surface came_to, const RequestBody& body);

// `error`, which the surface's own reading gave, with the path that the body was meant for where it says so.
Error with_meant_path(Error error, call::Surface came_to, const RequestBody& body);

}  // namespace nemo::protocol
