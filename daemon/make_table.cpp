#include "daemon/make_table.h"

#include <algorithm>
#include <utility>

#include "daemon/catalog/anthropic_name.h"
#include "daemon/routing/strategy_name.h"
#include "daemon/upstream/google/endpoints.h"

namespace nemo {
namespace {

using config::UpstreamKind;

const UpstreamState& state_of(const UpstreamStates& states, const std::string& upstream) {
  static const UpstreamState k_unknown;
  const auto found = states.find(upstream);
  return found == states.end() ? k_unknown : found->second;
}

bool is_claude(const catalog::Model& model) {
  return model.publisher == catalog::k_anthropic;
}

std::set<std::string> served_by_vertex() {
  std::set<std::string> ids;
  for (const catalog::Model& model : catalog::builtin_models()) {
    if (upstream::google::served_as(model.publisher, model.id)) ids.insert(model.id);
  }
  return ids;
}

std::set<std::string> served_by_anthropic(const catalog::Catalog& catalog,
                                          const std::optional<std::set<std::string>>& listed) {
  std::set<std::string> ids;
  for (const catalog::Model& model : catalog.models()) {
    const bool is_listed = !listed || listed->contains(catalog::anthropic_name(model.id));
    if (is_claude(model) && is_listed) ids.insert(model.id);
  }
  return ids;
}

// The catalog's ids of what an upstream serves by itself; absent: everything.
std::optional<std::set<std::string>> served(const config::Upstream& upstream, const catalog::Catalog& catalog,
                                            const UpstreamState& state) {
  switch (upstream.kind) {
    case UpstreamKind::vertex:
      return served_by_vertex();
    case UpstreamKind::anthropic:
      return served_by_anthropic(catalog, state.listed);
    case UpstreamKind::nemo:
    case UpstreamKind::openai:
      break;
  }
  return state.listed;
}

// "model@upstream", and "#2" behind the second one of the same.
std::string unused_id(const std::string& base, std::set<std::string>& used) {
  std::string id = base;
  for (int number = 2; !used.insert(id).second; ++number) id = base + "#" + std::to_string(number);
  return id;
}

void add_explicit_deployments(routing::Table& table, const config::Settings& settings,
                              const UpstreamStates& upstreams) {
  std::set<std::string> used;
  for (const config::Deployment& one : settings.deployments) {
    const config::Upstream* upstream = settings.find_upstream(one.upstream);
    if (upstream == nullptr) continue;  // the config refuses it
    routing::Deployment deployment;
    deployment.id = unused_id(one.model + "@" + one.upstream, used);
    deployment.model = one.model;
    deployment.upstream = one.upstream;
    deployment.upstream_model = one.upstream_model;
    deployment.order = one.order;
    deployment.weight = one.weight;
    deployment.tags = one.tags;
    deployment.rpm = one.rpm;
    deployment.drain_on_disconnect = one.on_disconnect == config::OnDisconnect::drain;
    deployment.unpriced_allowed = upstream->unpriced_allowed;
    deployment.keyless = !state_of(upstreams, one.upstream).ready;
    table.deployments.push_back(std::move(deployment));
  }
}

void add_served_deployments(routing::Table& table, const config::Upstream& upstream, const catalog::Catalog& catalog,
                            const UpstreamState& state) {
  const std::size_t before = table.deployments.size();
  add_implicit_deployments(table, catalog,
                           {upstream.name, upstream.unpriced_allowed, !state.ready, served(upstream, catalog, state)});
  if (upstream.kind != UpstreamKind::anthropic) return;
  for (std::size_t i = before; i < table.deployments.size(); ++i) {
    table.deployments[i].upstream_model = catalog::anthropic_name(table.deployments[i].model);
  }
}

void add_listed(std::map<std::string, catalog::ModelOverride>& models, const std::string& id, UpstreamKind kind) {
  catalog::ModelOverride& bare = models[id];
  if (kind == UpstreamKind::anthropic) {
    bare.publisher = catalog::k_anthropic;
    bare.capabilities = std::vector<std::string>{"chat", "tools", "vision"};
  } else if (!bare.capabilities) {
    bare.capabilities = std::vector<std::string>{"chat", "embeddings"};
  }
}

}  // namespace

catalog::Catalog make_catalog(const config::Settings& settings, const UpstreamStates& upstreams) {
  const catalog::Catalog own(settings.models);
  std::set<std::string> claude_names;
  for (const catalog::Model& model : own.models()) {
    if (is_claude(model)) claude_names.insert(catalog::anthropic_name(model.id));
  }
  std::map<std::string, catalog::ModelOverride> models;
  for (const config::Upstream& upstream : settings.upstreams) {
    const UpstreamState& state = state_of(upstreams, upstream.name);
    if (!state.listed) continue;
    for (const std::string& id : *state.listed) {
      const bool is_known_claude = upstream.kind == UpstreamKind::anthropic && claude_names.contains(id);
      if (own.find(id) == nullptr && !is_known_claude) add_listed(models, id, upstream.kind);
    }
  }
  models.insert(settings.models.begin(), settings.models.end());
  return catalog::Catalog(models);
}

routing::Table make_table(const config::Settings& settings, const catalog::Catalog& catalog,
                          const UpstreamStates& upstreams, const std::vector<routing::Experiment>& experiments) {
  routing::Table table;
  table.aliases = settings.aliases;
  for (const auto& [name, lane] : settings.lanes) {
    const auto strategy = routing::strategy_named(lane.strategy).value_or(routing::Strategy::simple_shuffle);
    table.lanes[name] = {lane.model, lane.fallbacks, lane.tags, strategy};
  }
  add_explicit_deployments(table, settings, upstreams);
  for (const config::Upstream& upstream : settings.upstreams) {
    add_served_deployments(table, upstream, catalog, state_of(upstreams, upstream.name));
  }
  for (routing::Deployment& one : table.deployments) one.unusable = state_of(upstreams, one.upstream).unusable;
  for (const routing::Experiment& one : experiments) {
    const bool runs = one.state == routing::ExperimentState::running;
    if (runs && can_run(one, settings, catalog)) table.experiments.push_back(one);
  }
  return table;
}

Status can_run(const routing::Experiment& experiment, const config::Settings& settings,
               const catalog::Catalog& catalog) {
  const std::string what = "the experiment \"" + experiment.name + "\" cannot run: ";
  if (!settings.lanes.contains(experiment.lane)) {
    std::string names;
    for (const auto& [name, unused] : settings.lanes) names.append(names.empty() ? "" : ", ").append(name);
    return fail(ErrorKind::conflict, what + "there is no lane \"" + experiment.lane + "\" any more; the lanes are " +
                                         names + ". Add [lane." + experiment.lane +
                                         "] to the config, or: nemo ab stop " + experiment.name);
  }
  for (const routing::Arm& arm : experiment.arms) {
    if (catalog.find(arm.model) != nullptr) continue;
    return fail(ErrorKind::conflict, what + "there is no model \"" + arm.model + "\" any more. Add [model.\"" +
                                         arm.model + "\"] to the config, or: nemo ab stop " + experiment.name);
  }
  return Done{};
}

routing::HealthRules health_rules(const config::Routing& routing) {
  routing::HealthRules rules;
  rules.allowed_fails = routing.allowed_fails;
  rules.cooldown = routing.cooldown;
  rules.longest = std::max(rules.longest, routing.cooldown);
  return rules;
}

}  // namespace nemo
