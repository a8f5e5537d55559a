// Ollama's POST /api/generate. Source: Ollama API reference (docs/api.md: generate a completion).
//
// A prompt goes on as a completion, with `suffix` or without. Ollama itself would put one that is neither `raw` nor to
// be filled in into the model's chat template; here that is what a model that only chats makes of it anyway, and a
// `system` text is put before it. `template` and `context` are left out: each model brings its own.
#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/surfaces/ollama_answer.h"
#include "daemon/protocol/surfaces/ollama_request.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

Status check_text(const RequestBody& body, std::string_view key) {
  const std::string_view raw = given_value(body, key);
  return raw.empty() || raw.front() == '"' ? Status(Done{}) : Status(refuse_field(key, "must be text"));
}

Status check_flag(const RequestBody& body, std::string_view key) {
  const std::string_view raw = given_value(body, key);
  const bool is_flag = raw.empty() || raw == "true" || raw == "false";
  return is_flag ? Status(Done{}) : Status(refuse_field(key, "must be true or false"));
}

Result<call::CallSpec> parse(const RequestBody& body, const PathWords& /*path*/) {
  auto spec = read_ollama_request(body, call::Surface::ollama_generate);
  if (!spec) return spec;
  for (const std::string_view key : {"prompt", "suffix", "system"}) {
    if (Status checked = check_text(body, key); !checked) return checked.error();
  }
  if (Status checked = check_flag(body, "raw"); !checked) return checked.error();
  const std::string_view prompt = given_value(body, "prompt");
  const std::string_view suffix = given_value(body, "suffix");
  spec->fill_in_middle = !text_body(suffix).empty();
  // At the beginning of a file there is only what follows.
  spec->only_warms_up = text_body(prompt).empty() && !spec->fill_in_middle;
  const Field* images = body.find("images");
  if (images != nullptr && images->item_count != 0) {
    return refuse_field("images", "cannot be served here; send them with /api/chat");
  }
  spec->prompt_bytes = prompt.size() + suffix.size() + given_value(body, "system").size();
  return spec;
}

// Texts are joined as they stand, escapes and all.
std::string prompt_of(const RequestBody& body, const call::CallSpec& spec) {
  const std::string_view prompt = text_body(given_value(body, "prompt"));
  const std::string_view system = text_body(given_value(body, "system"));
  const bool takes_system = !spec.fill_in_middle && given_value(body, "raw") != "true" && !system.empty();
  std::string text = "\"";
  if (takes_system) text.append(system).append("\\n\\n");
  return text.append(prompt).append("\"");
}

Result<std::string> request(const RequestBody& body, const call::CallSpec& spec) {
  HubBody out;
  out.put("prompt", prompt_of(body, spec));
  if (spec.fill_in_middle) out.put("suffix", given_value(body, "suffix"));
  if (Status put = put_ollama_settings(body, spec, out); !put) return put.error();
  if (Status put = put_stops(body, Stops::all, out); !put) return put.error();
  return out.take();
}

Result<std::string> answer(std::string_view hub_answer, const Telling& telling) {
  return tell_in_ollama(hub_answer, telling, OllamaShape::generate);
}

std::unique_ptr<stream::Translator> translator(const Telling& telling) {
  return make_ollama_translator(telling, OllamaShape::generate);
}

}  // namespace

const SurfaceForm& ollama_generate_form() {
  static const SurfaceForm k_form{parse, ollama_error_body, k_ollama_stream_type, HubForm{request, answer, translator}};
  return k_form;
}

}  // namespace nemo::protocol
