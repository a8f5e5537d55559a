// Owns: the way of experiments from where they are kept to the table in force. Must not know: who asks for a change.
#pragma once

#include <string>
#include <vector>

#include "daemon/configuration.h"
#include "daemon/gateway/live.h"
#include "daemon/routing/experiment.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo {

// Any thread; changes come one at a time (admin::Control says so).
class Experiments {
 public:
  Experiments(routing::ExperimentStore& store, Configuration& configuration, const gateway::Live& live,
              const Clock& clock);

  Status open();  // those that ran when the daemon stopped run on
  Result<std::vector<routing::Experiment>> all() const { return m_store.load_experiments(); }

  // Kept, and not yet run. Errors of routing::check(); conflict: the name is taken.
  Status add(const routing::Experiment& experiment);
  // In force for the next call. not_found; conflict: check_transition(), or its lane or a model is gone.
  Result<routing::Experiment> set_state(const std::string& name, routing::ExperimentState state);

 private:
  routing::ExperimentStore& m_store;
  Configuration& m_configuration;
  const gateway::Live& m_live;
  const Clock& m_clock;
};

}  // namespace nemo
