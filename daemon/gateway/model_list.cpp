#include <algorithm>
#include <set>

#include "daemon/gateway/gateway.h"
#include "daemon/protocol/field_edit.h"

namespace nemo::gateway {
namespace {

// The list has to say when a model was made; nobody needs it, and the same answer each time is worth more.
constexpr std::string_view k_created = "1735689600";

std::string model_json(std::string_view id, std::string_view owner) {
  std::string json = "{\"id\":" + protocol::quote_json(id) + ",\"object\":\"model\",\"created\":";
  return json.append(k_created).append(",\"owned_by\":").append(protocol::quote_json(owner)).append("}");
}

// The names that a caller may use now: what some upstream serves, the lanes, and the aliases.
std::vector<std::pair<std::string, std::string>> names_for(const Snapshot& world, const call::Principal& principal) {
  const auto allowed = [&](const std::string& id) {
    return principal.models.empty() ||
           std::find(principal.models.begin(), principal.models.end(), id) != principal.models.end();
  };
  std::vector<std::pair<std::string, std::string>> names{{"nemo/auto", "nemo"}};
  for (const auto& [lane, unused] : world.table.lanes) names.emplace_back("nemo/" + lane, "nemo");
  for (const auto& [alias, model] : world.table.aliases) {
    if (allowed(model)) names.emplace_back(alias, "nemo");
  }
  std::set<std::string> served;
  for (const routing::Deployment& one : world.table.deployments) served.insert(one.model);
  for (const std::string& id : served) {
    const catalog::Model* model = world.catalog.find(id);
    if (model != nullptr && allowed(id)) names.emplace_back(id, model->publisher);
  }
  return names;
}

}  // namespace

Answer Gateway::list_models(const Secret& key) const {
  const auto world = m_live.get();
  const auto principal = identify(*world, key);
  if (!principal) return error_answer(principal.error());
  Answer answer;
  answer.body = R"({"object":"list","data":[)";
  bool first = true;
  for (const auto& [id, owner] : names_for(*world, **principal)) {
    if (!std::exchange(first, false)) answer.body.push_back(',');
    answer.body.append(model_json(id, owner));
  }
  answer.body.append("]}");
  return answer;
}

Answer Gateway::show_model(const Secret& key, const std::string& id) const {
  const auto world = m_live.get();
  const auto principal = identify(*world, key);
  if (!principal) return error_answer(principal.error());
  for (const auto& [name, owner] : names_for(*world, **principal)) {
    if (name != id) continue;
    Answer answer;
    answer.body = model_json(name, owner);
    return answer;
  }
  std::string message = "There is no model \"" + id + "\".";
  for (const std::string& near : world->catalog.nearest(id)) message.append(" Near: ").append(near).append(".");
  return error_answer(fail(ErrorKind::model_not_found, std::move(message), "model"));
}

}  // namespace nemo::gateway
