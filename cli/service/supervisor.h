// What starts nemod when its user logs in, and again when it has failed: a port with one file for each kind of system.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/service/service_plan.h"
#include "shared/clock.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo::cli::service {

struct ServiceState {
  bool installed = false;  // known to the system
  std::string active;      // "active", "inactive", "failed", "activating", …
  std::string detail;      // in the system's own words: "running", "exit-code", …; may be empty
  bool enabled = false;    // starts by itself
  std::optional<std::int64_t> pid;
  std::optional<WallTime> since;
};

struct LogWishes {
  int lines = 50;
  bool follow = false;
  bool json = false;
};

// One thread. What fails says in the system's own words why.
class Supervisor {
 public:
  virtual ~Supervisor() = default;

  virtual std::string_view name() const = 0;       // "systemd", "launchd"
  virtual std::filesystem::path file() const = 0;  // where the service is written down
  virtual Result<std::string> text(const ServicePlan& plan) const = 0;
  // not_found: this machine has no such thing, or it does not answer.
  virtual Status reach() const = 0;

  virtual Status prepare(const ServicePlan& plan) const = 0;  // once the file is there: it will start by itself
  virtual Status start() const = 0;                           // waits until it is ready; does nothing when it runs
  virtual Status restart() const = 0;
  virtual Status stop() const = 0;
  virtual Status withdraw() const = 0;  // while the file is still there: stopped, and will not start by itself
  virtual Status forget() const = 0;    // once the file is gone
  virtual Result<ServiceState> state() const = 0;
  // Shows them on this program's own output; the exit status of what did.
  virtual Result<int> show_logs(const LogWishes& wishes) const = 0;
};

// Of the given kind, or of this system's own.
enum class Kind : std::uint8_t { native, systemd, launchd };
std::unique_ptr<Supervisor> make_supervisor(Kind kind, const Environment& env, const Clock& clock);

// Runs a program of PATH and gives what it said. not_found: there is none. conflict: it refused, with its words.
Result<std::string> run_tool(const Environment& env, const std::string& tool,
                             const std::vector<std::string>& arguments);

}  // namespace nemo::cli::service
