// Whether an experiment can be run with the models, lanes and keys that there are. Pure. What needs nothing but the
// experiment itself is looked at by routing::check().
#pragma once

#include <string>
#include <vector>

#include "daemon/access/key_store.h"
#include "daemon/routing/experiment.h"
#include "shared/admin/model.h"
#include "shared/admin/status.h"
#include "shared/result.h"

namespace nemo::admin {

// not_found with the lanes that there are.
Status check_lane(const std::string& lane, const std::vector<LaneStatus>& lanes);
// model_not_found with the nearest ids; invalid_request: it only makes embeddings.
Status check_arms(const routing::Experiment& experiment, const std::vector<Model>& models);
// model_not_allowed: a key that still works may use some of the arms and not another one; its calls would be refused
// now and then. A key that may use none of them is not made for this lane.
Status check_keys(const routing::Experiment& experiment, const std::vector<access::VirtualKey>& keys, WallTime now);
// conflict: another experiment runs on the same lane.
Status check_lane_is_free(const routing::Experiment& experiment, const std::vector<routing::Experiment>& all);

}  // namespace nemo::admin
