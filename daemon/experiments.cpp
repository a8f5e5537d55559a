#include "daemon/experiments.h"

#include <algorithm>

namespace nemo {

using routing::Experiment;
using routing::ExperimentState;

Experiments::Experiments(routing::ExperimentStore& store, Configuration& configuration, const gateway::Live& live,
                         const Clock& clock)
    : m_store(store), m_configuration(configuration), m_live(live), m_clock(clock) {}

Status Experiments::open() {
  auto all = m_store.load_experiments();
  if (!all) return all.error();
  m_configuration.use_experiments(std::move(*all));
  return Done{};
}

Status Experiments::add(const Experiment& experiment) {
  if (auto checked = routing::check(experiment); !checked) return checked;
  return m_store.add_experiment(experiment);
}

Result<Experiment> Experiments::set_state(const std::string& name, ExperimentState state) {
  auto all = m_store.load_experiments();
  if (!all) return all.error();
  const auto found = std::find_if(all->begin(), all->end(), [&](const Experiment& one) { return one.name == name; });
  if (found == all->end()) {
    return fail(ErrorKind::not_found, "there is no experiment \"" + name + "\"; see: nemo ab list");
  }
  if (auto step = routing::check_transition(found->state, state); !step) return step.error();
  if (state == ExperimentState::running) {
    const auto world = m_live.get();
    if (auto fine = can_run(*found, world->settings, world->catalog); !fine) return fine.error();
    if (!found->started_at) found->started_at = m_clock.wall();
  }
  if (state == ExperimentState::completed) found->ended_at = m_clock.wall();
  found->state = state;
  if (auto kept = m_store.update_experiment(*found); !kept) return kept.error();
  const Experiment changed = *found;
  m_configuration.use_experiments(std::move(*all));
  return changed;
}

}  // namespace nemo
