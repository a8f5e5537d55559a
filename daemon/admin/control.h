// Port: what the admin edge can ask of the running daemon. Implemented by daemon/; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/budget/alert_store.h"
#include "daemon/budget/book.h"
#include "daemon/budget/lease_store.h"
#include "daemon/call/call_spec.h"
#include "daemon/routing/experiment.h"
#include "shared/admin/deployment.h"
#include "shared/admin/model.h"
#include "shared/admin/route.h"
#include "shared/admin/status.h"
#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::admin {

// Whose call a route is explained for.
struct RouteCaller {
  std::string seat;                 // empty: nobody's
  std::vector<std::string> models;  // that the key may use; empty: every model
};

class Control {
 public:
  virtual ~Control() = default;
  virtual DaemonStatus status() = 0;
  virtual std::vector<Model> models() = 0;
  virtual std::string config_text() = 0;  // the settings in force, as TOML
  // Reads the config file again, and gives what of it takes effect after a restart only (see Reloaded). invalid_config
  // with file, line and reason: the running settings stay.
  virtual Result<std::vector<std::string>> reload() = 0;
  // Writes the lane's model into the config file and puts it in force; model_not_found offers the nearest ids.
  virtual Status set_lane_model(const std::string& lane, const std::string& model) = 0;
  // Keeps (or forgets) the upstream's key; takes effect on the next call. not_found: no such upstream.
  virtual Status login(const std::string& upstream, const Secret& key) = 0;
  virtual Status logout(const std::string& upstream) = 0;
  // One GET /models at the upstream, for `nemo doctor`: how many models it listed.
  virtual Result<int> probe(const std::string& upstream) = 0;

  // Keys, teams or their terms changed in the store: loads the directory and puts it in force everywhere, for the next
  // call. The caller sees to it that two changes do not overlap.
  virtual Status directory_changed() = 0;
  virtual std::vector<budget::Standing> standings() = 0;   // by scope, then window
  virtual std::vector<budget::Unsettled> unsettled() = 0;  // not yet released, oldest first
  // Records who and why, and gives the amount back to its scope. not_found: no such id, or it was released before.
  virtual Status release_unsettled(std::int64_t id, const std::string& who, const std::string& why) = 0;
  virtual std::vector<budget::Alert> alerts() = 0;  // the latest, newest first; not more than a screenful

  virtual std::vector<Deployment> deployments() = 0;  // as to_deployments() makes them of the table in force
  // Decides as for a call, on the table in force, and makes none: no gauge and no counter moves. A refusal is part of
  // the plan (see to_plan()).
  virtual RoutePlan explain_route(const call::CallSpec& spec, const RouteCaller& caller) = 0;

  // The caller of these three sees to it that two changes do not overlap.
  virtual Result<std::vector<routing::Experiment>> experiments() = 0;  // all that are kept, the oldest first
  // Keeps one that has passed routing::check() and whose lane and models are known. conflict: the name is taken.
  virtual Status add_experiment(const routing::Experiment& experiment) = 0;
  // Keeps the new state with its time, and puts it in force for the next call; as it is then. not_found; conflict as
  // routing::check_transition() says.
  virtual Result<routing::Experiment> set_experiment_state(const std::string& name, routing::ExperimentState state) = 0;
};

}  // namespace nemo::admin
