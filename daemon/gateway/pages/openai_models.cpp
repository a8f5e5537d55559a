// The model list as OpenAI has it. Source: OpenAI API reference (models).
#include <utility>

#include "daemon/gateway/pages/page_view.h"
#include "daemon/protocol/field_edit.h"

namespace nemo::gateway {
namespace {

// The list has to say when a model was made; nobody needs it, and the same answer each time is worth more.
constexpr std::string_view k_created = "1735689600";

std::string openai_model_json(const NamedModel& named) {
  const bool is_own = named.is_alias || named.name.starts_with("nemo/") || named.model == nullptr;
  std::string json = "{\"id\":" + protocol::quote_json(named.name) + ",\"object\":\"model\",\"created\":";
  json.append(k_created).append(",\"owned_by\":");
  return json.append(protocol::quote_json(is_own ? "nemo" : named.model->publisher)).append("}");
}

}  // namespace

Result<Answer> openai_models_page(const PageView& view) {
  std::string body = R"({"object":"list","data":[)";
  bool first = true;
  for (const NamedModel& named : named_models(view.world, view.principal)) {
    if (!std::exchange(first, false)) body.push_back(',');
    body.append(openai_model_json(named));
  }
  return json_page(body.append("]}"));
}

Result<Answer> openai_model_page(const PageView& view) {
  const auto named = find_named_model(view, view.rest);
  if (!named) return named.error();
  return json_page(openai_model_json(*named));
}

}  // namespace nemo::gateway
