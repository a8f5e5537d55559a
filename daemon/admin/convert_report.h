// What the ledger says of an experiment, as the command line sees it: milliseconds and dollars. Pure.
#pragma once

#include "daemon/ledger/experiment_report.h"
#include "daemon/routing/experiment.h"
#include "shared/admin/experiment.h"

namespace nemo::admin {

// Its arms in the experiment's order.
ExperimentReport to_report(const routing::Experiment& experiment, const ledger::ExperimentSamples& samples);

}  // namespace nemo::admin
