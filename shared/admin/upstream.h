// POST /upstreams/{name}/key and /upstreams/{name}/probe.
#pragma once

#include <cstdint>

#include "shared/admin/json.h"
#include "shared/secret.h"

namespace nemo::admin {

struct UpstreamKey {
  Secret key;
};

struct ProbeReply {
  std::int64_t models = 0;  // how many the upstream listed
};

void to_json(Json& json, const UpstreamKey& value);  // the one place where the key is written out
void from_json(const Json& json, UpstreamKey& value);
void to_json(Json& json, const ProbeReply& value);
void from_json(const Json& json, ProbeReply& value);

}  // namespace nemo::admin
