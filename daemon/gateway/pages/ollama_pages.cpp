// What Ollama's clients ask before they call: which version, which models, what each can do. Sources: Ollama API
// reference (docs/api.md: list local models, show model information, list running models, version), its capabilities
// (types/model).
#include <algorithm>
#include <cctype>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "daemon/access/virtual_key.h"
#include "daemon/gateway/pages/page_view.h"
#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/request_body.h"

namespace nemo::gateway {
namespace {

using protocol::quote_json;

// The API that is spoken here; clients ask for at least 0.6.4. Since this one tool calls have ids.
constexpr std::string_view k_api_level = "0.12.10";
// Entries have to say when a model was made; nobody needs it, and the same answer each time is worth more.
constexpr std::string_view k_modified_at = "2025-01-01T00:00:00Z";
// Nothing is ever unloaded.
constexpr std::string_view k_expires_at = "2318-01-01T00:00:00Z";

// What can be counted on under a name: of nemo/auto, what every lane's model has.
struct Abilities {
  bool chats = true;
  bool calls_tools = true;
  bool sees = true;
  bool thinks = true;
  bool embeds = true;
  std::int64_t context = std::numeric_limits<std::int64_t>::max();  // 0: not stated
};

void narrow(Abilities& abilities, const catalog::Model& model) {
  const catalog::Capabilities& has = model.capabilities;
  abilities.chats = abilities.chats && (has.chat || has.fim);
  abilities.calls_tools = abilities.calls_tools && has.tools;
  abilities.sees = abilities.sees && has.vision;
  abilities.thinks = abilities.thinks && has.reasoning;
  abilities.embeds = abilities.embeds && has.embeddings;
  abilities.context = std::min(abilities.context, model.context_window);
}

Abilities abilities_of(const NamedModel& named, const Snapshot& world) {
  Abilities abilities;
  bool is_known = named.model != nullptr;
  if (is_known) {
    narrow(abilities, *named.model);
  } else {
    for (const auto& [lane, route] : world.table.lanes) {
      const catalog::Model* model = world.catalog.find(route.model);
      if (model == nullptr) continue;
      narrow(abilities, *model);
      is_known = true;
    }
  }
  return is_known ? abilities : Abilities{true, false, false, false, false, 0};
}

// "gemini" of "gemini-2.5-flash", "qwen" of "qwen2.5-coder:7b": letters only, for a field's name is made of it.
std::string family_of(const NamedModel& named) {
  std::string_view id = named.model == nullptr ? std::string_view() : std::string_view(named.model->id);
  id.remove_prefix(id.rfind('/') + 1);  // none: npos + 1 is 0
  std::string family;
  for (const char c : id) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    family.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return family.empty() ? "nemo" : family;
}

// Of a name, since there is no file to take it of; SHA-256 as Ollama's own are.
std::string digest_of(const std::string& name) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string digest;
  for (const std::uint8_t byte : access::hash_key(name)) {
    digest.push_back(k_digits[byte >> 4U]);
    digest.push_back(k_digits[byte & 0xFU]);
  }
  return digest;
}

std::string details_of(const NamedModel& named) {
  const std::string family = quote_json(family_of(named));
  std::string json = R"({"parent_model":"","format":"remote","family":)" + family;
  json.append(",\"families\":[").append(family);
  return json.append(R"(],"parameter_size":"unknown","quantization_level":"none"})");
}

// What tags and ps have in common, without its closing brace.
std::string entry_of(const NamedModel& named) {
  const std::string name = quote_json(named.name);
  std::string json = "{\"name\":" + name + ",\"model\":" + name + ",\"size\":0,\"digest\":\"";
  return json.append(digest_of(named.name)).append("\",\"details\":").append(details_of(named));
}

std::string capabilities_of(const Abilities& abilities) {
  std::string list = "[";
  const auto put = [&list](bool has, std::string_view name) {
    if (has) list.append(list.size() > 1 ? ",\"" : "\"").append(name).append("\"");
  };
  put(abilities.chats, "completion");
  put(abilities.chats, "insert");  // where a model cannot fill in itself, Nemo asks it through its chat
  put(abilities.chats && abilities.calls_tools, "tools");
  put(abilities.chats && abilities.sees, "vision");
  put(abilities.chats && abilities.thinks, "thinking");
  put(abilities.embeds, "embedding");
  return list.append("]");
}

std::string model_info_of(const NamedModel& named, const Abilities& abilities) {
  const std::string family = family_of(named);
  std::string json = "{\"general.architecture\":" + quote_json(family);
  json.append(",\"general.basename\":").append(quote_json(named.name));
  if (abilities.context > 0) {
    json.append(",\"").append(family).append(".context_length\":").append(std::to_string(abilities.context));
  }
  return json.append("}");
}

// A name as Ollama's clients write it: ":latest" is its word for no tag.
Result<NamedModel> find_shown_model(const PageView& view, const std::string& name) {
  auto found = find_named_model(view, name);
  constexpr std::string_view k_latest = ":latest";
  if (found || !name.ends_with(k_latest)) return found;
  return find_named_model(view, name.substr(0, name.size() - k_latest.size()));
}

Result<std::string> shown_name(const std::string& text) {
  const auto body = protocol::RequestBody::parse(text);
  if (!body) return body.error();
  for (const std::string_view key : {"model", "name"}) {
    const protocol::Field* field = body->find(key);
    if (field == nullptr || field->value == "null") continue;
    auto name = protocol::read_text(field->value);
    if (!name) return fail(ErrorKind::invalid_request, std::string(key) + ": must be text", std::string(key));
    if (!name->empty()) return std::move(*name);
  }
  return fail(ErrorKind::invalid_request, "model: is missing; name one of GET /api/tags", "model");
}

}  // namespace

Result<Answer> ollama_version_page(const PageView& /*view*/) {
  return json_page("{\"version\":\"" + std::string(k_api_level) + "\"}");
}

Result<Answer> ollama_tags_page(const PageView& view) {
  std::string body = R"({"models":[)";
  bool is_first = true;
  for (const NamedModel& named : named_models(view.world, view.principal)) {
    if (!std::exchange(is_first, false)) body.push_back(',');
    body.append(entry_of(named)).append(",\"modified_at\":\"").append(k_modified_at).append("\"}");
  }
  return json_page(body.append("]}"));
}

Result<Answer> ollama_show_page(const PageView& view) {
  const auto name = shown_name(view.body);
  if (!name) return name.error();
  const auto named = find_shown_model(view, *name);
  if (!named) return named.error();
  const Abilities abilities = abilities_of(*named, view.world);
  std::string json = R"({"license":"","modelfile":)" + quote_json("FROM " + named->name + "\n");
  const bool states_context = abilities.context > 0;
  json.append(",\"parameters\":")
      .append(quote_json(states_context ? "num_ctx " + std::to_string(abilities.context) : std::string()));
  // Clients look into it for what a model takes; it is filled in by the model's own.
  json.append(",\"template\":\"").append(abilities.chats ? "{{ .System }}{{ .Prompt }}{{ .Suffix }}" : "{{ .Prompt }}");
  json.append("\",\"details\":").append(details_of(*named));
  json.append(",\"model_info\":").append(model_info_of(*named, abilities));
  json.append(",\"capabilities\":").append(capabilities_of(abilities));
  return json_page(json.append(",\"modified_at\":\"").append(k_modified_at).append("\"}"));
}

// Clients that would load a model first find that it is loaded: none has to be.
Result<Answer> ollama_ps_page(const PageView& view) {
  std::string body = R"({"models":[)";
  bool is_first = true;
  for (const NamedModel& named : named_models(view.world, view.principal)) {
    if (!std::exchange(is_first, false)) body.push_back(',');
    body.append(entry_of(named)).append(",\"expires_at\":\"").append(k_expires_at).append("\",\"size_vram\":0");
    body.append(",\"context_length\":").append(std::to_string(abilities_of(named, view.world).context)).append("}");
  }
  return json_page(body.append("]}"));
}

}  // namespace nemo::gateway
