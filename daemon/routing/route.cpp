#include "daemon/routing/route.h"

#include <algorithm>

namespace nemo::routing {
namespace {

bool contains(const std::vector<std::string>& list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

// The model a call asks for, and the models to fall back to, before deployments are looked at.
struct Wanted {
  std::vector<const catalog::Model*> models;
  std::string reason;
  std::vector<std::string> tags;
};

Error unknown_model(const catalog::Catalog& catalog, const std::string& id) {
  std::string message = "There is no model \"" + id + "\".";
  const auto near = catalog.nearest(id);
  for (std::size_t i = 0; i < near.size(); ++i) {
    message.append(i == 0 ? " Did you mean \"" : "\" or \"").append(near[i]);
  }
  message.append(near.empty() ? " `nemo models` lists them." : "\"? `nemo models` lists all.");
  return fail(ErrorKind::model_not_found, std::move(message), "model");
}

bool is_automatic(std::string_view model) {
  return model.empty() || model == "nemo/auto" || model == "auto";
}

// The id that the request's model stands for, and why.
Result<std::string> resolve_model(const Table& table, const call::CallSpec& spec, const std::string& lane,
                                  const std::string& lane_reason, std::string& reason, const Lane** used_lane) {
  std::string lane_name;
  if (is_automatic(spec.model)) {
    if (lane.empty()) {
      return fail(ErrorKind::invalid_request, "Embeddings need a model: name one, such as \"text-embedding-005\".",
                  "model");
    }
    lane_name = lane;
    reason = (spec.model.empty() ? "no model was named" : spec.model + " was named") + std::string(": lane ") + lane +
             ", because " + lane_reason;
  } else if (spec.model.starts_with("nemo/")) {
    lane_name = spec.model.substr(5);
    reason = "the caller named lane " + lane_name;
  }
  if (lane_name.empty()) {
    const auto alias = table.aliases.find(spec.model);
    reason = alias == table.aliases.end() ? "the caller named it" : "\"" + spec.model + "\" is its alias";
    return alias == table.aliases.end() ? spec.model : alias->second;
  }
  const auto found = table.lanes.find(lane_name);
  if (found == table.lanes.end()) {
    std::string names;
    for (const auto& [name, unused] : table.lanes) names.append(names.empty() ? "" : ", ").append(name);
    return fail(ErrorKind::model_not_found, "There is no lane \"" + lane_name + "\". The lanes are: " + names + ".",
                "model");
  }
  *used_lane = &found->second;
  return found->second.model;
}

Status check_model(const catalog::Model& model, const call::CallSpec& spec, const std::vector<std::string>& allowed) {
  if (!allowed.empty() && !contains(allowed, model.id)) {
    return fail(ErrorKind::model_not_allowed, "This key may not use the model \"" + model.id + "\".", "model");
  }
  const bool embeds = spec.surface == call::Surface::openai_embeddings;
  if (embeds && !model.capabilities.embeddings) {
    return fail(ErrorKind::invalid_request, "\"" + model.id + "\" does not make embeddings.", "model");
  }
  if (!embeds && !model.capabilities.chat && !model.capabilities.fim && model.capabilities.embeddings) {
    return fail(ErrorKind::invalid_request, "\"" + model.id + "\" only makes embeddings.", "model");
  }
  return Done{};
}

Result<Wanted> wanted_models(const Table& table, const catalog::Catalog& catalog, const call::CallSpec& spec,
                             const std::string& lane, const std::string& lane_reason,
                             const std::vector<std::string>& allowed) {
  Wanted wanted;
  const Lane* used_lane = nullptr;
  auto id = resolve_model(table, spec, lane, lane_reason, wanted.reason, &used_lane);
  if (!id) return id.error();
  const catalog::Model* model = catalog.find(*id);
  if (model == nullptr) return unknown_model(catalog, *id);
  if (auto checked = check_model(*model, spec, allowed); !checked) return checked.error();
  wanted.models.push_back(model);
  std::vector<std::string> fallbacks = spec.fallbacks;
  if (fallbacks.empty() && used_lane != nullptr) fallbacks = used_lane->fallbacks;
  for (const std::string& fallback : fallbacks) {
    const catalog::Model* next = catalog.find(fallback);
    if (next == nullptr) return unknown_model(catalog, fallback);
    if (next != model && check_model(*next, spec, allowed)) wanted.models.push_back(next);
  }
  wanted.tags = spec.tags;
  if (used_lane != nullptr && wanted.tags.empty()) wanted.tags = used_lane->tags;
  return wanted;
}

// All tags must match; "!tag" must not. Metadata such as "team:growth" attributes spend and chooses nothing.
bool tags_match(const std::vector<std::string>& tags, const catalog::Model& model, const Deployment& deployment) {
  return std::all_of(tags.begin(), tags.end(), [&](const std::string& tag) {
    if (tag.find(':') != std::string::npos) return true;
    const bool must_not = tag.starts_with('!');
    const std::string_view name = must_not ? std::string_view(tag).substr(1) : std::string_view(tag);
    return (contains(model.tags, name) || contains(deployment.tags, name)) != must_not;
  });
}

std::string reason_against(const Deployment& deployment, const catalog::Model& model,
                           const std::vector<std::string>& tags) {
  if (deployment.keyless) return "its upstream has no key: run `nemo login --upstream " + deployment.upstream + "`";
  if (!tags_match(tags, model, deployment)) return "its tags do not match";
  if (!model.pricing && !deployment.unpriced_allowed) return "the model has no price";
  return {};
}

Error nothing_eligible(const Decision& decision, const catalog::Model& model) {
  if (decision.considered.empty()) {
    return fail(ErrorKind::no_deployment_available,
                "No upstream serves \"" + model.id + "\". `nemo models` shows which models are served where.", "model");
  }
  const auto unpriced = std::all_of(decision.considered.begin(), decision.considered.end(),
                                    [](const call::Candidate& one) { return one.reason == "the model has no price"; });
  if (unpriced) {
    return fail(ErrorKind::model_not_priced,
                "\"" + model.id + "\" has no price. Give it one in the config ([model.\"" + model.id +
                    "\"] price = {…}), or say unpriced = \"allow\" at its upstream.",
                "model");
  }
  std::string message = "No deployment of \"" + model.id + "\" can be used:";
  for (const call::Candidate& one : decision.considered) {
    message.append(" ").append(one.deployment).append(" (").append(one.reason).append(")");
  }
  return fail(ErrorKind::no_deployment_available, message + ".", "model");
}

}  // namespace

Status decide(const Table& table, const catalog::Catalog& catalog, const call::CallSpec& spec,
              const std::vector<std::string>& allowed, Decision& decision) {
  std::string lane_reason;
  decision.lane = lane_of(spec, lane_reason);
  if (spec.model.starts_with("nemo/") && spec.model != "nemo/auto") decision.lane = spec.model.substr(5);
  auto wanted = wanted_models(table, catalog, spec, decision.lane, lane_reason, allowed);
  if (!wanted) return wanted.error();
  decision.model_reason = wanted->reason;
  decision.model = wanted->models.front();
  for (const catalog::Model* model : wanted->models) {
    std::vector<const Deployment*> serving;
    for (const Deployment& one : table.deployments) {
      if (one.model == model->id) serving.push_back(&one);
    }
    std::stable_sort(serving.begin(), serving.end(),
                     [](const Deployment* a, const Deployment* b) { return a->order < b->order; });
    for (const Deployment* one : serving) {
      std::string against = reason_against(*one, *model, wanted->tags);
      const bool eligible = against.empty();
      if (eligible) {
        decision.choices.push_back({one, model});
        against = model == decision.model ? "order " + std::to_string(one->order) : "a fallback";
      }
      decision.considered.push_back({one->id, std::move(against), eligible});
    }
  }
  if (decision.choices.empty()) return nothing_eligible(decision, *decision.model);
  decision.model = decision.choices.front().model;
  return Done{};
}

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
