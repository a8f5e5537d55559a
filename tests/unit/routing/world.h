// A small catalog and a table to decide over.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "daemon/routing/route.h"
#include "fake_clock.h"

namespace nemo::test {

struct World {
  catalog::Catalog catalog{overrides()};
  routing::Table table;
  routing::Decision decision;
  std::vector<std::string> allowed;
  FakeClock clock;
  std::string seat = "alice";
  std::string request_id = "req_1";
  std::uint64_t random = 1;

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
    return routing::decide(table, catalog, spec, {allowed, seat, request_id, clock.steady(), random}, decision);
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
  std::vector<std::string> chosen_in_any_order() const {
    std::vector<std::string> ids = chosen();
    std::sort(ids.begin(), ids.end());
    return ids;
  }
  std::string reason_for(const std::string& deployment) const { return explained(deployment).reason; }
  call::Candidate explained(const std::string& deployment) const {
    for (call::Candidate& one : routing::explain(decision)) {
      if (one.deployment == deployment) return std::move(one);
    }
    return {deployment, "not considered", false, {}};
  }
  routing::InFlight begin(const std::string& deployment, const std::string& lane = "reasoning") {
    for (const routing::Deployment& one : table.deployments) {
      if (one.id == deployment) return one.gauge->begin(lane, routing::Answering::whole, clock.steady());
    }
    return {};
  }
  // Beyond what is allowed: its cooldown begins.
  void break_down(const std::string& deployment) {
    for (int i = 0; i < 4; ++i) {
      begin(deployment).failed(routing::Trouble::server_error, "upstream_error", std::nullopt, clock.steady());
    }
  }
  void limit(const std::string& deployment, std::chrono::seconds retry_after) {
    begin(deployment).failed(routing::Trouble::rate_limited, "rate_limited", retry_after, clock.steady());
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
