#include "daemon/routing/table.h"

#include <algorithm>
#include <utility>

namespace nemo::routing {

void add_implicit_deployments(Table& table, const catalog::Catalog& catalog, const UpstreamFacts& upstream) {
  const bool has_own = std::any_of(table.deployments.begin(), table.deployments.end(),
                                   [&](const Deployment& one) { return one.upstream == upstream.name; });
  if (has_own) return;
  for (const catalog::Model& model : catalog.models()) {
    if (upstream.listed && !upstream.listed->contains(model.id)) continue;
    Deployment deployment;
    deployment.id = model.id + "@" + upstream.name;
    deployment.model = model.id;
    deployment.upstream = upstream.name;
    deployment.upstream_model = model.id;
    deployment.unpriced_allowed = upstream.unpriced_allowed;
    deployment.keyless = upstream.keyless;
    table.deployments.push_back(std::move(deployment));
  }
}

}  // namespace nemo::routing
