// What calls see of the configuration now: one immutable snapshot, swapped whole. A call keeps the one it began with.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/catalog/catalog.h"
#include "daemon/config/settings.h"
#include "daemon/routing/route.h"
#include "daemon/upstream/token_source.h"
#include "shared/guarded.h"
#include "shared/secret.h"

namespace nemo::gateway {

struct Endpoint {
  config::Upstream settings;
  Secret key;                                     // empty: none is configured
  std::shared_ptr<upstream::TokenSource> tokens;  // kind vertex: in place of a key; settings.project is then known
  std::string quota_project = {};                 // kind vertex: whose quota is used, where not the project's own
  std::string unusable = {};                      // why nothing can be asked there; empty: it can
};

struct Snapshot {
  config::Settings settings;
  catalog::Catalog catalog;
  routing::Table table;
  std::map<std::string, Endpoint> endpoints;  // by upstream name
};

// Any thread.
class Live {
 public:
  std::shared_ptr<const Snapshot> get() const {
    return m_snapshot.with([](const auto& snapshot) { return snapshot; });
  }
  void set(std::shared_ptr<const Snapshot> next) {
    m_snapshot.with([&](auto& snapshot) { snapshot.swap(next); });
  }

 private:
  Guarded<std::shared_ptr<const Snapshot>> m_snapshot{std::make_shared<const Snapshot>()};
};

}  // namespace nemo::gateway
