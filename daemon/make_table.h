// From what is configured and what is known of the upstreams to what decisions look at. Pure functions.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/catalog/catalog.h"
#include "daemon/config/settings.h"
#include "daemon/routing/experiment.h"
#include "daemon/routing/health.h"
#include "daemon/routing/table.h"
#include "shared/result.h"

namespace nemo {

// What is known of an upstream beside its settings.
struct UpstreamState {
  bool ready = true;                            // it has the key or the credentials that it needs
  std::optional<std::set<std::string>> listed;  // what its own list names; absent: not known (yet), or it has none
  std::string unusable = {};                    // why it is not ready, where it is more than a key that is missing
};
using UpstreamStates = std::map<std::string, UpstreamState>;  // by name; one that is missing is ready and not listed

// The built-in models, the config's, and those that only an upstream lists: these have no price, so that a call can be
// refused for that and not as unknown.
catalog::Catalog make_catalog(const config::Settings& settings, const UpstreamStates& upstreams);

// Everything but the gauges, which a Fleet attaches. An upstream without a [[deployment]] serves what it lists: of kind
// vertex every built-in model that is spoken there, of kind anthropic the catalog's models of that publisher under
// Anthropic's names. Of `experiments` those that run and can_run().
routing::Table make_table(const config::Settings& settings, const catalog::Catalog& catalog,
                          const UpstreamStates& upstreams, const std::vector<routing::Experiment>& experiments);

// Whether its lane and its models are still there. conflict: what to change.
Status can_run(const routing::Experiment& experiment, const config::Settings& settings,
               const catalog::Catalog& catalog);

routing::HealthRules health_rules(const config::Routing& routing);

}  // namespace nemo
