// Experiments as rows, and the rows of their calls. All throw lib::sqlite::Failure.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "daemon/ledger/experiment_samples.h"
#include "daemon/lib/sqlite/connection.h"
#include "daemon/routing/experiment.h"

namespace nemo::store {

std::vector<routing::Experiment> load_all_experiments(lib::sqlite::Connection& connection);  // oldest first
void insert_row(lib::sqlite::Connection& connection, const routing::Experiment& experiment);
// All but the name, by the name. False: there is none.
bool update_row(lib::sqlite::Connection& connection, const routing::Experiment& experiment);

// Of an experiment's newest calls, at most `most`.
ledger::ExperimentSamples load_samples(lib::sqlite::Connection& connection, std::string_view experiment,
                                       std::size_t most);

}  // namespace nemo::store
