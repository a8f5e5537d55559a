// The models that a call asks for, before deployments are looked at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/call/call_spec.h"
#include "daemon/catalog/catalog.h"
#include "daemon/routing/table.h"
#include "shared/result.h"

namespace nemo::routing {

struct Caller {
  const std::vector<std::string>& allowed;  // empty: every model
  std::string_view seat;
  std::string_view request_id;
};

struct Wanted {
  std::vector<const catalog::Model*> models;  // the wanted one, then its fallbacks, each once
  std::string reason;
  const std::vector<std::string>* tags = nullptr;  // of the call or its lane
  const Experiment* experiment = nullptr;
  const Arm* arm = nullptr;
};

// `lane` and `lane_reason` as lane_of() has them. Errors: as decide().
Result<Wanted> wanted_models(const Table& table, const catalog::Catalog& catalog, const call::CallSpec& spec,
                             const std::string& lane, const std::string& lane_reason, const Caller& caller);

}  // namespace nemo::routing
