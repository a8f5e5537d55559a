#include "daemon/routing/fleet.h"

#include <utility>

namespace nemo::routing {

void Fleet::attach(Table& table, HealthRules rules) {
  const SteadyTime now = std::chrono::steady_clock::now();
  m_gauges.with([&](auto& gauges) {
    std::map<std::string, std::shared_ptr<Gauge>> kept;
    for (Deployment& one : table.deployments) {
      std::shared_ptr<Gauge>& gauge = kept[one.id];
      if (!gauge) {
        const auto found = gauges.find(one.id);
        gauge = found == gauges.end() ? std::make_shared<Gauge>(rules, now) : found->second;
        gauge->set_rules(rules);
      }
      one.gauge = gauge;
    }
    gauges = std::move(kept);
  });
}

}  // namespace nemo::routing
