#include "daemon/routing/wanted.h"

#include <algorithm>
#include <utility>

namespace nemo::routing {
namespace {

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
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), model.id) == allowed.end()) {
    return fail(ErrorKind::model_not_allowed, "This key may not use the model \"" + model.id + "\".", "model");
  }
  const bool embeds = call::hub_of(spec.surface) == call::Hub::embeddings;
  if (embeds && !model.capabilities.embeddings) {
    return fail(ErrorKind::invalid_request, "\"" + model.id + "\" does not make embeddings.", "model");
  }
  if (!embeds && !model.capabilities.chat && !model.capabilities.fim && model.capabilities.embeddings) {
    return fail(ErrorKind::invalid_request, "\"" + model.id + "\" only makes embeddings.", "model");
  }
  return Done{};
}

// Takes the model of the arm in place of the lane's own.
void apply_experiment(const Table& table, const catalog::Catalog& catalog, const call::CallSpec& spec,
                      const std::string& lane, const Caller& caller, Wanted& wanted) {
  const auto found = std::find_if(table.experiments.begin(), table.experiments.end(),
                                  [&](const Experiment& one) { return one.lane == lane; });
  if (found == table.experiments.end()) return;
  const bool by_seat = found->unit == ExperimentUnit::seat;
  const Arm& arm = arm_for(*found, by_seat ? caller.seat : caller.request_id);
  const catalog::Model* model = catalog.find(arm.model);
  if (model == nullptr || !check_model(*model, spec, caller.allowed)) return;
  wanted.experiment = &*found;
  wanted.arm = &arm;
  wanted.models.push_back(model);
  wanted.reason.append("; experiment ").append(found->name).append(" gives this ").append(to_string(found->unit));
  wanted.reason.append(" the arm ").append(arm.model);
}

Status add_fallbacks(const catalog::Catalog& catalog, const call::CallSpec& spec,
                     const std::vector<std::string>& fallbacks, const Caller& caller, Wanted& wanted) {
  for (const std::string& fallback : fallbacks) {
    const catalog::Model* next = catalog.find(fallback);
    if (next == nullptr) return unknown_model(catalog, fallback);
    const bool is_there = std::find(wanted.models.begin(), wanted.models.end(), next) != wanted.models.end();
    if (!is_there && check_model(*next, spec, caller.allowed)) wanted.models.push_back(next);
  }
  return Done{};
}

}  // namespace

Result<Wanted> wanted_models(const Table& table, const catalog::Catalog& catalog, const call::CallSpec& spec,
                             const std::string& lane, const std::string& lane_reason, const Caller& caller) {
  Wanted wanted;
  const Lane* used_lane = nullptr;
  auto id = resolve_model(table, spec, lane, lane_reason, wanted.reason, &used_lane);
  if (!id) return id.error();
  if (used_lane != nullptr && !table.experiments.empty()) apply_experiment(table, catalog, spec, lane, caller, wanted);
  if (wanted.models.empty()) {
    const catalog::Model* model = catalog.find(*id);
    if (model == nullptr) return unknown_model(catalog, *id);
    if (auto checked = check_model(*model, spec, caller.allowed); !checked) return checked.error();
    wanted.models.push_back(model);
  }
  const bool by_lane = spec.fallbacks.empty() && used_lane != nullptr;
  auto added = add_fallbacks(catalog, spec, by_lane ? used_lane->fallbacks : spec.fallbacks, caller, wanted);
  if (!added) return added.error();
  wanted.tags = spec.tags.empty() && used_lane != nullptr ? &used_lane->tags : &spec.tags;
  return wanted;
}

}  // namespace nemo::routing
