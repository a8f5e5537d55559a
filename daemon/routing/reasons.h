// A decision in words.
#pragma once

#include <string>

#include "daemon/routing/route.h"

namespace nemo::routing {

// "order 1", "a fallback", "its tags do not match", …
std::string reason_of(const Considered& one);

}  // namespace nemo::routing
