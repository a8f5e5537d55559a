// nemod as an agent of the user's launchd: launchctl(1), launchd.plist(5).
#pragma once

#include <string>
#include <vector>

#include "cli/service/supervisor.h"

namespace nemo::cli::service {

class Launchd final : public Supervisor {
 public:
  explicit Launchd(Environment env) : m_env(std::move(env)) {}

  std::string_view name() const override { return "launchd"; }
  std::filesystem::path file() const override;
  Result<std::string> text(const ServicePlan& plan) const override;
  Status reach() const override;
  Status prepare(const ServicePlan& plan) const override;
  Status start() const override;
  Status restart() const override;
  Status stop() const override;
  Status withdraw() const override;
  Status forget() const override { return Done{}; }
  Result<ServiceState> state() const override;
  Result<int> show_logs(const LogWishes& wishes) const override;

 private:
  bool is_loaded() const;
  Status tell(const std::vector<std::string>& words) const;
  std::filesystem::path log_file() const;

  Environment m_env;
};

// What `launchctl print` said of the agent, as a state.
ServiceState read_print(const std::string& text);

}  // namespace nemo::cli::service
