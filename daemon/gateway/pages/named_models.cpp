#include <algorithm>
#include <set>

#include "daemon/gateway/pages/page_view.h"

namespace nemo::gateway {

std::vector<NamedModel> named_models(const Snapshot& world, const call::Principal& principal) {
  const auto allowed = [&](const std::string& id) {
    return principal.models.empty() ||
           std::find(principal.models.begin(), principal.models.end(), id) != principal.models.end();
  };
  std::vector<NamedModel> names{{"nemo/auto"}};
  for (const auto& [lane, route] : world.table.lanes) {
    names.push_back({"nemo/" + lane, world.catalog.find(route.model)});
  }
  for (const auto& [alias, id] : world.table.aliases) {
    if (allowed(id)) names.push_back({alias, world.catalog.find(id), true});
  }
  std::set<std::string> served;
  for (const routing::Deployment& one : world.table.deployments) served.insert(one.model);
  for (const std::string& id : served) {
    const catalog::Model* model = world.catalog.find(id);
    if (model != nullptr && allowed(id)) names.push_back({id, model});
  }
  return names;
}

Result<NamedModel> find_named_model(const PageView& view, const std::string& name) {
  for (NamedModel& one : named_models(view.world, view.principal)) {
    if (one.name == name) return std::move(one);
  }
  std::string message = "There is no model \"" + name + "\".";
  for (const std::string& near : view.world.catalog.nearest(name)) message.append(" Near: ").append(near).append(".");
  return fail(ErrorKind::model_not_found, std::move(message), "model");
}

}  // namespace nemo::gateway
