#include "daemon/admin/experiment_check.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "shared/resemblance.h"

namespace nemo::admin {
namespace {

constexpr std::size_t k_most_offered = 3;

bool contains(const std::vector<std::string>& list, const std::string& what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

Error unknown_model(const std::string& id, const std::vector<Model>& models) {
  std::vector<std::pair<int, std::string>> near;
  for (const Model& model : models) {
    const int score = resemblance(id, model.id);
    if (score > 0 && model.in_catalog) near.emplace_back(-score, model.id);
  }
  std::stable_sort(near.begin(), near.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (near.size() > k_most_offered) near.resize(k_most_offered);
  std::string message = "there is no model \"" + id + "\"";
  for (std::size_t i = 0; i < near.size(); ++i) {
    message.append(i == 0 ? "; did you mean \"" : "\" or \"").append(near[i].second);
  }
  return fail(ErrorKind::model_not_found, message + (near.empty() ? "; see: nemo models" : "\"?"), "arms");
}

std::string name_of(const access::VirtualKey& key) {
  return key.id + " (seat " + key.seat + ")";
}

}  // namespace

Status check_lane(const std::string& lane, const std::vector<LaneStatus>& lanes) {
  std::string names;
  for (const LaneStatus& one : lanes) {
    if (one.name == lane) return Done{};
    names.append(names.empty() ? "" : ", ").append(one.name);
  }
  return fail(ErrorKind::not_found, "there is no lane \"" + lane + "\"; the lanes are: " + names, "lane");
}

Status check_arms(const routing::Experiment& experiment, const std::vector<Model>& models) {
  for (const routing::Arm& arm : experiment.arms) {
    const auto model = std::find_if(models.begin(), models.end(), [&arm](const Model& m) { return m.id == arm.model; });
    if (model == models.end()) return unknown_model(arm.model, models);
    if (!model->in_catalog) {
      return fail(ErrorKind::model_not_found,
                  "\"" + arm.model + "\" is listed by an upstream, but it is not in the catalog: add [model.\"" +
                      arm.model + "\"] with its price to the config",
                  "arms");
    }
    const auto& can = model->capabilities;
    if (contains(can, "embeddings") && !contains(can, "chat") && !contains(can, "fim")) {
      return fail(ErrorKind::invalid_request, "\"" + arm.model + "\" only makes embeddings; no lane sends it calls",
                  "arms");
    }
  }
  return Done{};
}

Status check_keys(const routing::Experiment& experiment, const std::vector<access::VirtualKey>& keys, WallTime now) {
  for (const access::VirtualKey& key : keys) {
    if (key.revoked_at || (key.expires_at && *key.expires_at <= now) || key.models.empty()) continue;
    bool any = false;
    std::string refused;
    for (const routing::Arm& arm : experiment.arms) {
      if (contains(key.models, arm.model)) {
        any = true;
      } else if (refused.empty()) {
        refused = arm.model;
      }
    }
    if (!any || refused.empty()) continue;
    return fail(ErrorKind::model_not_allowed,
                "the key " + name_of(key) + " may not use \"" + refused +
                    "\", so calls of that arm would be refused; allow it with: nemo keys set " + key.id +
                    " --models …, or leave the arm out",
                "arms");
  }
  return Done{};
}

Status check_lane_is_free(const routing::Experiment& experiment, const std::vector<routing::Experiment>& all) {
  for (const routing::Experiment& other : all) {
    const bool in_the_way = other.state == routing::ExperimentState::running && other.lane == experiment.lane;
    if (!in_the_way || other.name == experiment.name) continue;
    return fail(ErrorKind::conflict, "\"" + other.name + "\" runs on lane " + other.lane +
                                         " already, and a call belongs to one experiment; first: nemo ab pause " +
                                         other.name);
  }
  return Done{};
}

}  // namespace nemo::admin
