// Deployments, experiments and decisions between what routing keeps and what the command line sees. Pure, but for the
// gauges, which are read.
#pragma once

#include <string>
#include <vector>

#include "daemon/call/call_spec.h"
#include "daemon/routing/experiment.h"
#include "daemon/routing/route.h"
#include "daemon/routing/table.h"
#include "shared/admin/deployment.h"
#include "shared/admin/experiment.h"
#include "shared/admin/route.h"
#include "shared/result.h"

namespace nemo::admin {

// With the speed in every lane of the table; in the table's order.
std::vector<Deployment> to_deployments(const routing::Table& table, SteadyTime now);

// The call that a question describes.
call::CallSpec to_spec(const RouteQuestion& question);
// `decided` is what routing::decide() said of `spec`.
RoutePlan to_plan(const call::CallSpec& spec, const routing::Decision& decision, const Status& decided);

// invalid_request: `by` is neither "seat" nor "request". Not checked: what routing::check() looks at.
Result<routing::Experiment> to_experiment(const ExperimentRequest& request, WallTime now);
Experiment to_view(const routing::Experiment& experiment);

}  // namespace nemo::admin
