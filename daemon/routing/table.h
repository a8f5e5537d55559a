// What a decision looks at: deployments, lanes, aliases, experiments. Immutable; built anew when the config, an
// upstream's model list or an experiment changes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/catalog/catalog.h"
#include "daemon/routing/experiment.h"
#include "daemon/routing/gauge.h"
#include "daemon/routing/strategy_name.h"

namespace nemo::routing {

struct Deployment {
  std::string id;     // "gemini-2.5-flash@nemo"
  std::string model;  // catalog id
  std::string upstream;
  std::string upstream_model;  // what goes into the request
  int order = 1;
  int weight = 1;
  std::vector<std::string> tags;
  std::optional<std::int64_t> rpm;  // its capacity, in calls a minute
  bool drain_on_disconnect = false;
  bool unpriced_allowed = false;
  bool keyless = false;       // its upstream needs a key and has none: never eligible, but named in the reasons
  std::string unusable = {};  // keyless: why, where it is more than a key that is missing
  std::shared_ptr<Gauge> gauge = std::make_shared<Gauge>();
};

struct Lane {
  std::string model;
  std::vector<std::string> fallbacks;
  std::vector<std::string> tags;
  Strategy strategy = Strategy::simple_shuffle;
};

struct Table {
  std::vector<Deployment> deployments;
  std::map<std::string, Lane> lanes;
  std::map<std::string, std::string> aliases;
  std::vector<Experiment> experiments;  // those that run
};

// What the config says of upstreams, and what their own lists say, as deployments. An upstream without explicit
// deployments serves every catalog model that it lists; while its list is not known, every catalog model.
struct UpstreamFacts {
  std::string name;
  bool unpriced_allowed = false;
  bool keyless = false;
  std::optional<std::set<std::string>> listed;  // absent: not known (yet)
};
void add_implicit_deployments(Table& table, const catalog::Catalog& catalog, const UpstreamFacts& upstream);

}  // namespace nemo::routing
