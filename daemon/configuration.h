// Owns: the way from nemo.toml, the secrets and the upstreams' own lists to the snapshot that calls see.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/config/settings.h"
#include "daemon/gateway/live.h"
#include "daemon/secrets/secret_store.h"
#include "daemon/upstream/model_lists.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo {

// Reads and checks a config file; a missing one stands for the defaults.
Result<config::Settings> load_settings(const std::filesystem::path& file);

// Any thread: changes come one at a time.
class Configuration {
 public:
  Configuration(std::filesystem::path file, secrets::SecretStore& secrets, Environment env, gateway::Live& live);

  // The first load, before anything else. An unreadable file is an error: the daemon does not start on a guess.
  Status load();
  void attach(upstream::ModelLists& lists);  // from now on the lists are told of upstreams, and asked
  void detach();

  // A file that does not parse is refused with line and reason; what runs stays.
  Status reload();
  // Reloads when the file was changed since it was last read. Returns whether it was.
  bool reload_if_changed();
  Status set_lane_model(const std::string& lane, const std::string& model);
  Status set_key(const std::string& upstream, const Secret* key);  // null: forget it
  void rebuild();                                                  // the lists have changed

  const std::filesystem::path& file() const { return m_file; }
  std::string last_error() const;

 private:
  struct Stamp {
    std::filesystem::file_time_type time;
    std::uintmax_t size = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  std::optional<Stamp> stamp() const;
  Status reload_locked();
  enum class AskLists : std::uint8_t { yes, no };
  void publish(const config::Settings& settings, AskLists ask);
  Secret resolve(const config::SecretRef& ref) const;

  std::filesystem::path m_file;
  secrets::SecretStore& m_secrets;
  Environment m_env;
  gateway::Live& m_live;
  mutable std::mutex m_mutex;
  upstream::ModelLists* m_lists = nullptr;
  std::optional<Stamp> m_stamp;
  std::string m_last_error;
};

}  // namespace nemo
