// What the command line can ask of the running daemon (admin::Control), answered from its parts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "daemon/access/key_book.h"
#include "daemon/admin/control.h"
#include "daemon/configuration.h"
#include "daemon/gateway/live.h"
#include "daemon/http/editor_server.h"
#include "daemon/ledger/request_log.h"
#include "daemon/upstream/model_lists.h"

namespace nemo {

class DaemonControl final : public admin::Control {
 public:
  struct Parts {
    Configuration& configuration;
    const gateway::Live& live;
    const access::KeyBook& keys;
    const ledger::RequestLog& log;
    const http::EditorServer& editors;
    upstream::ModelLists& lists;
    const Clock& clock;
    std::filesystem::path data_folder;
    std::string host;
  };
  explicit DaemonControl(Parts parts);

  admin::DaemonStatus status() override;
  std::vector<admin::Model> models() override;
  std::string config_text() override;
  Status reload() override { return m_parts.configuration.reload(); }
  Status set_lane_model(const std::string& lane, const std::string& model) override;
  Status login(const std::string& upstream, const Secret& key) override;
  Status logout(const std::string& upstream) override;
  Result<int> probe(const std::string& upstream) override { return m_parts.lists.probe(upstream); }

 private:
  Parts m_parts;
  SteadyTime m_started_at;
};

}  // namespace nemo
