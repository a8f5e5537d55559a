// What differs between the client surfaces, in one table: how a request is read and where it goes upstream.
#pragma once

#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/openai.h"

namespace nemo::gateway {

struct SurfaceForm {
  Result<call::CallSpec> (*parse)(const protocol::RequestBody& body);
  std::string_view upstream_path;  // appended to an upstream's base_url
};

const SurfaceForm& form_of(call::Surface surface);

}  // namespace nemo::gateway
