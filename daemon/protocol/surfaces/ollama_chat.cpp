// Ollama's POST /api/chat. Source: Ollama API reference (docs/api.md: generate a chat completion).
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/surfaces/ollama_answer.h"
#include "daemon/protocol/surfaces/ollama_messages.h"
#include "daemon/protocol/surfaces/ollama_request.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

Status read_tools(const RequestBody& body, call::CallSpec& spec) {
  const std::string_view raw = given_value(body, "tools");
  if (raw.empty()) return Done{};
  const Field* tools = body.find("tools");
  if (raw.front() != '[') return refuse_field("tools", "must be a list");
  if (tools->item_count == 0) return Done{};
  spec.has_tools = true;
  spec.prompt_bytes += raw.size();
  return Done{};
}

Result<call::CallSpec> parse(const RequestBody& body, const PathWords& /*path*/) {
  auto spec = read_ollama_request(body, call::Surface::ollama_chat);
  if (!spec) return spec;
  const std::string_view raw = given_value(body, "messages");
  const Field* messages = body.find("messages");
  if (!raw.empty() && raw.front() != '[') return refuse_field("messages", "must be a list");
  if (raw.empty() || messages->item_count == 0) {
    spec->only_warms_up = true;
    return spec;
  }
  if (messages->items != Items::objects) return refuse_field("messages", "must be a list of objects");
  spec->prompt_bytes = raw.size();
  if (Status read = read_tools(body, *spec); !read) return read.error();
  return spec;
}

Result<std::string> request(const RequestBody& body, const call::CallSpec& spec) {
  auto messages = ollama_messages_to_chat(given_value(body, "messages"));
  if (!messages) return messages;
  HubBody out;
  out.put("messages", *messages);
  if (spec.has_tools) out.put("tools", given_value(body, "tools"));  // the same shape in both
  if (Status put = put_ollama_settings(body, spec, out); !put) return put.error();
  if (Status put = put_stops(body, Stops::first_four, out); !put) return put.error();
  return out.take();
}

Result<std::string> answer(std::string_view hub_answer, const Telling& telling) {
  return tell_in_ollama(hub_answer, telling, OllamaShape::chat);
}

std::unique_ptr<stream::Translator> translator(const Telling& telling) {
  return make_ollama_translator(telling, OllamaShape::chat);
}

}  // namespace

const SurfaceForm& ollama_chat_form() {
  static const SurfaceForm k_form{parse, ollama_error_body, k_ollama_stream_type, HubForm{request, answer, translator}};
  return k_form;
}

}  // namespace nemo::protocol
