// Everything that an upstream of kind "vertex" needs from its settings and the environment, put together.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/upstream/google/endpoints.h"
#include "daemon/upstream/token_source.h"
#include "daemon/upstream/transport.h"
#include "shared/clock.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo::upstream::google {

struct Access {
  std::shared_ptr<TokenSource> tokens;  // has begun to fetch the first one
  Place place;                          // with the project that was found
  std::vector<std::string> headers;     // for every call
};

// Any thread; disk. `transport` and `clock` outlive what it gives. invalid_config: what is wrong in the config or with
// the credentials, with the upstream's name and what to do. Whether Google takes them is known later, by token().
Result<Access> open_access(const config::Upstream& settings, const Environment& env, Transport& transport,
                           const Clock& clock);

}  // namespace nemo::upstream::google
