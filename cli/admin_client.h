// Owns: the daemon's admin API as typed calls, one method per route. Must not know: how anything is shown.
#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "shared/admin/budget.h"
#include "shared/admin/call.h"
#include "shared/admin/config.h"
#include "shared/admin/deployment.h"
#include "shared/admin/experiment.h"
#include "shared/admin/key.h"
#include "shared/admin/model.h"
#include "shared/admin/route.h"
#include "shared/admin/status.h"
#include "shared/admin/team.h"
#include "shared/admin/usage.h"
#include "shared/result.h"
#include "shared/secret.h"

namespace nemo::cli {

// Nobody answers at the socket. Thrown, because no command that needs the daemon can go on; main turns it into exit
// status 3.
class DaemonNotRunning : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One thread. Each call makes a connection of its own. Every call throws DaemonNotRunning when nobody answers; the
// daemon's refusals come back as Errors with the kind that it stated.
class AdminClient {
 public:
  explicit AdminClient(std::filesystem::path socket);

  // Is anybody there? The one call that does not throw when nobody is.
  bool answers() const;

  Result<admin::DaemonStatus> status() const;
  Result<std::vector<admin::Model>> models() const;
  Result<std::string> config_text() const;
  Result<admin::Reloaded> reload_config() const;
  Status set_lane_model(const std::string& lane, const std::string& model) const;

  Result<std::vector<admin::Key>> keys() const;
  Result<admin::CreatedKey> create_key(const admin::KeyRequest& request) const;
  Result<admin::Key> change_key(const std::string& id, const admin::KeyChange& change) const;
  Result<admin::CreatedKey> rotate_key(const std::string& id, std::chrono::seconds grace) const;
  Result<admin::Key> revoke_key(const std::string& id) const;

  Result<std::vector<admin::Team>> teams() const;
  Result<admin::Team> create_team(const admin::TeamRequest& request) const;
  Result<admin::Team> change_team(const std::string& name, const admin::TermsRequest& change) const;
  Result<admin::Team> delete_team(const std::string& name) const;  // as it was
  Result<std::vector<admin::Seat>> seats() const;
  Result<admin::Seat> change_seat(const std::string& name, const admin::TermsRequest& change) const;

  Result<std::vector<admin::Budget>> budgets() const;
  Result<std::vector<admin::Unsettled>> unsettled() const;
  Status release_unsettled(std::int64_t id, const admin::Release& release) const;
  Result<std::vector<admin::Accuracy>> accuracy(const std::string& since) const;  // RFC 3339; empty: from the beginning

  Result<std::vector<admin::Deployment>> deployments() const;
  Result<admin::RoutePlan> explain_route(const admin::RouteQuestion& question) const;

  Result<std::vector<admin::Experiment>> experiments() const;  // the oldest first
  Result<admin::Experiment> create_experiment(const admin::ExperimentRequest& request) const;
  Result<admin::Experiment> start_experiment(const std::string& name) const;
  Result<admin::Experiment> pause_experiment(const std::string& name) const;
  Result<admin::Experiment> stop_experiment(const std::string& name) const;
  Result<admin::ExperimentReport> report_experiment(const std::string& name) const;

  Result<std::vector<admin::Call>> calls(const admin::CallQuery& query) const;  // oldest first
  enum class Paths : std::uint8_t { names, whole };                             // of projects
  Result<admin::CallStory> call(const std::string& id, Paths paths = Paths::names) const;
  Result<std::vector<admin::UsageRow>> usage(const admin::UsageQuery& query) const;
  Result<std::vector<admin::AcceptanceRow>> acceptance(const admin::UsageQuery& query) const;

  Status login(const std::string& upstream, const Secret& key) const;
  Status logout(const std::string& upstream) const;
  Result<int> probe(const std::string& upstream) const;  // how many models it listed; may take as long as it does

 private:
  std::filesystem::path m_socket;
};

}  // namespace nemo::cli
