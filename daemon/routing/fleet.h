// Owns: the gauge of every deployment, kept across reloads of the config. Must not know: what is configured.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "daemon/routing/table.h"
#include "shared/guarded.h"

namespace nemo::routing {

// Any thread.
class Fleet {
 public:
  // Gives every deployment of the table its gauge: the one it had, or a new one. Those of deployments that are gone are
  // forgotten; calls that still run there keep theirs until they end.
  void attach(Table& table, HealthRules rules);

 private:
  Guarded<std::map<std::string, std::shared_ptr<Gauge>>> m_gauges;
};

}  // namespace nemo::routing
