// Owns: the way from nemo.toml, the secrets and the upstreams' own lists to the snapshot that calls see.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/config/settings.h"
#include "daemon/gateway/live.h"
#include "daemon/make_table.h"
#include "daemon/routing/experiment.h"
#include "daemon/routing/fleet.h"
#include "daemon/secrets/secret_store.h"
#include "daemon/token_sources.h"
#include "daemon/upstream/health_prober.h"
#include "daemon/upstream/model_lists.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo {

// Reads and checks a config file; a missing one stands for the defaults.
Result<config::Settings> load_settings(const std::filesystem::path& file);

// Any thread: changes come one at a time.
class Configuration {
 public:
  Configuration(std::filesystem::path file, secrets::SecretStore& secrets, Environment env, gateway::Live& live,
                TokenSources::Make make_tokens);

  // The first load, before anything else. An unreadable file is an error: the daemon does not start on a guess.
  Status load();
  // From now on the lists are told of upstreams, and asked, and the prober is told of deployments.
  void attach(upstream::ModelLists& lists, upstream::HealthProber& prober);
  void detach();

  // A file that does not parse is refused with line and reason; what runs stays.
  Status reload();
  // Reloads when the file, or a credentials file that it names, was changed since it was last read. Returns whether it
  // was.
  bool reload_if_changed();
  Status set_lane_model(const std::string& lane, const std::string& model);
  Status set_key(const std::string& upstream, const Secret* key);      // null: forget it
  void use_experiments(std::vector<routing::Experiment> experiments);  // those that run are in force from now on
  void rebuild();                                                      // the lists have changed

  const std::filesystem::path& file() const { return m_file; }
  std::string last_error() const;

 private:
  struct Stamp {
    std::filesystem::file_time_type time;
    std::uintmax_t size = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  using Stamps = std::vector<std::optional<Stamp>>;

  Stamps stamps() const;
  Status reload_locked();
  enum class AskLists : std::uint8_t { yes, no };
  void publish(const config::Settings& settings, AskLists ask);
  void add_endpoints(gateway::Snapshot& next);
  UpstreamStates states_of(const gateway::Snapshot& next) const;
  void tell_of(const gateway::Snapshot& next);
  Secret resolve(const config::SecretRef& ref) const;

  std::filesystem::path m_file;
  secrets::SecretStore& m_secrets;
  Environment m_env;
  gateway::Live& m_live;
  mutable std::mutex m_mutex;
  TokenSources m_tokens;
  routing::Fleet m_fleet;
  std::vector<routing::Experiment> m_experiments;
  upstream::ModelLists* m_lists = nullptr;
  upstream::HealthProber* m_prober = nullptr;
  std::vector<std::filesystem::path> m_watched;  // credentials files that the config names
  Stamps m_stamps;
  std::set<std::string> m_told;  // warnings that stand
  std::string m_last_error;
};

}  // namespace nemo
