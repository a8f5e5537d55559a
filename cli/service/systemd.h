// nemod as a unit of the user's systemd: systemctl(1), journalctl(1), systemd.unit(5).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/service/supervisor.h"

namespace nemo::cli::service {

class Systemd final : public Supervisor {
 public:
  Systemd(Environment env, const Clock& clock) : m_env(std::move(env)), m_clock(clock) {}

  std::string_view name() const override { return "systemd"; }
  std::filesystem::path file() const override;
  Result<std::string> text(const ServicePlan& plan) const override;
  Status reach() const override;
  Status prepare(const ServicePlan& plan) const override;
  Status start() const override { return tell({"start", "nemod.service"}); }
  Status restart() const override { return tell({"restart", "nemod.service"}); }
  Status stop() const override { return tell({"stop", "nemod.service"}); }
  Status withdraw() const override { return tell({"disable", "--now", "nemod.service"}); }
  Status forget() const override { return tell({"daemon-reload"}); }
  Result<ServiceState> state() const override;
  Result<int> show_logs(const LogWishes& wishes) const override;

 private:
  Status tell(std::vector<std::string> words) const;

  Environment m_env;
  const Clock& m_clock;
};

// What `systemctl show` printed, as a state. Times there are counted from the machine's start.
ServiceState read_properties(const std::string& text, const Clock& clock);

}  // namespace nemo::cli::service
