// A small catalog and a table to decide over.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/routing/route.h"

namespace nemo::test {

struct World {
  catalog::Catalog catalog{overrides()};
  routing::Table table;
  routing::Decision decision;
  std::vector<std::string> allowed;

  World() {
    table.lanes["reasoning"] = {"big", {}, {}};
    table.lanes["completion"] = {"small", {}, {}};
    for (const char* model : {"big", "small", "embedder"}) deploy(model, "up");
  }

  routing::Deployment& deploy(const std::string& model, const std::string& upstream, int order = 1) {
    routing::Deployment one;
    one.id = model + "@" + upstream;
    one.model = model;
    one.upstream = upstream;
    one.upstream_model = model;
    one.order = order;
    table.deployments.push_back(one);
    return table.deployments.back();
  }

  Status decide(const call::CallSpec& spec) {
    decision = {};
    return routing::decide(table, catalog, spec, allowed, decision);
  }
  Status decide(const std::string& model) {
    call::CallSpec spec;
    spec.model = model;
    return decide(spec);
  }

  std::vector<std::string> chosen() const {
    std::vector<std::string> ids;
    for (const auto& choice : decision.choices) ids.push_back(choice.deployment->id);
    return ids;
  }
  std::string reason_for(const std::string& deployment) const {
    for (const call::Candidate& one : decision.considered) {
      if (one.deployment == deployment) return one.reason;
    }
    return "not considered";
  }

 private:
  static catalog::ModelOverride model(std::vector<std::string> capabilities, std::vector<std::string> tags) {
    catalog::ModelOverride made;
    made.price = catalog::Price{{1}, std::nullopt, std::nullopt, {1}};
    made.capabilities = std::move(capabilities);
    made.tags = std::move(tags);
    return made;
  }
  static std::map<std::string, catalog::ModelOverride> overrides() {
    std::map<std::string, catalog::ModelOverride> all{{"big", model({"chat"}, {"reasoning"})},
                                                      {"small", model({"chat", "fim"}, {"code", "fast"})},
                                                      {"embedder", model({"embeddings"}, {})},
                                                      {"unpriced", model({"chat"}, {})}};
    all["unpriced"].price.reset();
    return all;
  }
};

using Ids = std::vector<std::string>;

}  // namespace nemo::test
