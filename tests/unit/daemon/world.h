// A config file of the test's own and what the daemon makes of it, without a network.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config/parse_settings.h"
#include "daemon/configuration.h"
#include "temp_folder.h"

namespace nemo::test {

inline config::Settings settings_of(const std::string& text) {
  auto settings = config::parse_settings(text, "nemo.toml");
  REQUIRE_MESSAGE(settings.ok(), settings.error().message);
  return std::move(*settings);
}

inline void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
}

// What `gcloud auth application-default login` writes: no private key is needed to read it.
inline std::string user_credentials(const std::string& refresh_token = "1//r") {
  return R"({"type":"authorized_user","client_id":"id","client_secret":"s","refresh_token":")" + refresh_token + "\"}";
}

class NoTokens final : public upstream::TokenSource {
 public:
  Result<Secret> token() override { return Secret("token"); }
  Result<Secret> renew(const Secret& /*refused*/) override { return Secret("another"); }
};

struct World {
  TempFolder folder;
  std::filesystem::path file = folder.path() / "nemo.toml";
  std::map<std::string, std::string> environment;
  int sources_made = 0;
  secrets::SecretStore secret_store{folder.path() / "secrets"};
  gateway::Live live;
  Environment env = [this](const char* name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  };
  TokenSources::Make make = [this](upstream::google::Identity /*identity*/, const config::Upstream& /*upstream*/) {
    ++sources_made;
    return std::make_shared<NoTokens>();
  };
  Configuration configuration{file, secret_store, env, live, make};

  explicit World(const std::string& text = {}) { write_file(file, text); }

  std::string path(const std::string& name) const { return (folder.path() / name).string(); }
  const routing::Deployment* deployment(const std::string& id) const {
    snapshot = live.get();
    for (const routing::Deployment& one : snapshot->table.deployments) {
      if (one.id == id) return &one;
    }
    return nullptr;
  }

 private:
  mutable std::shared_ptr<const gateway::Snapshot> snapshot;  // what deployment() pointed into last
};

}  // namespace nemo::test
