// What the command line can ask of the running daemon (admin::Control), answered from its parts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/admin/control.h"
#include "daemon/configuration.h"
#include "daemon/entitlements.h"
#include "daemon/experiments.h"
#include "daemon/gateway/live.h"
#include "daemon/http/editor_server.h"
#include "daemon/ledger/request_log.h"
#include "daemon/ollama_listener.h"
#include "daemon/start_settings.h"
#include "daemon/upstream/model_lists.h"
#include "shared/guarded.h"

namespace nemo {

class DaemonControl final : public admin::Control {
 public:
  struct Parts {
    Configuration& configuration;
    const gateway::Live& live;
    Entitlements& entitlements;
    const ledger::RequestLog& log;
    const http::EditorServer& editors;
    const http::EditorServer& ollama_clients;
    const Guarded<OllamaPlace>& ollama;  // known once that server was started
    const StartSettings& started;
    upstream::ModelLists& lists;
    Experiments& experiments;
    const Clock& clock;
    std::filesystem::path data_folder;
    std::string host;
  };
  explicit DaemonControl(Parts parts);

  admin::DaemonStatus status() override;
  std::vector<admin::Model> models() override;
  std::string config_text() override;
  Result<std::vector<std::string>> reload() override;
  Status set_lane_model(const std::string& lane, const std::string& model) override;
  Status login(const std::string& upstream, const Secret& key) override;
  Status logout(const std::string& upstream) override;
  Result<int> probe(const std::string& upstream) override;
  Status directory_changed() override { return m_parts.entitlements.refresh(); }
  std::vector<budget::Standing> standings() override { return m_parts.entitlements.budgets().standings(); }
  std::vector<budget::Unsettled> unsettled() override { return m_parts.entitlements.unsettled(); }
  Status release_unsettled(std::int64_t id, const std::string& who, const std::string& why) override {
    return m_parts.entitlements.release_unsettled(id, who, why);
  }
  std::vector<budget::Alert> alerts() override { return m_parts.entitlements.alerts(); }
  std::vector<admin::Deployment> deployments() override;
  admin::RoutePlan explain_route(const call::CallSpec& spec, const admin::RouteCaller& caller) override;
  Result<std::vector<routing::Experiment>> experiments() override { return m_parts.experiments.all(); }
  Status add_experiment(const routing::Experiment& experiment) override { return m_parts.experiments.add(experiment); }
  Result<routing::Experiment> set_experiment_state(const std::string& name, routing::ExperimentState state) override {
    return m_parts.experiments.set_state(name, state);
  }

 private:
  Parts m_parts;
  SteadyTime m_started_at;
};

}  // namespace nemo
