// Anthropic's Messages as a surface: what a request says, and how it is served through a chat. Source: Anthropic API
// reference (messages).
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/anthropic_answer.h"
#include "daemon/protocol/surfaces/anthropic_errors.h"
#include "daemon/protocol/surfaces/anthropic_request.h"
#include "daemon/protocol/surfaces/anthropic_stream.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::int64_t k_most_tokens = std::numeric_limits<std::int32_t>::max();

// A body that was meant for another path.
Error missing_messages(const RequestBody& body) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> k_others{{
      {"input", "POST /v1/responses or POST /v1/embeddings"},
      {"prompt", "POST /v1/completions"},
      {"contents", "POST /v1beta/models/MODEL:generateContent"},
  }};
  for (const auto& [field, path] : k_others) {
    if (body.find(field) == nullptr) continue;
    return fail(ErrorKind::invalid_request,
                "messages is missing; a body with \"" + std::string(field) + "\" goes to " + std::string(path),
                "messages");
  }
  return fail(ErrorKind::invalid_request, "messages is missing", "messages");
}

Status read_messages(const RequestBody& body, call::CallSpec& spec) {
  const Field* messages = body.find("messages");
  if (messages == nullptr) return missing_messages(body);
  if (messages->value.front() != '[' || messages->items != Items::objects) {
    return refuse_field("messages", "must be a list of objects that is not empty");
  }
  spec.prompt_bytes += messages->value.size();
  const std::string_view system = given_value(body, "system");
  if (!system.empty() && system.front() != '"' && system.front() != '[') {
    return refuse_field("system", "must be text or a list of text blocks");
  }
  spec.prompt_bytes += system.size();
  const Field* tools = body.find("tools");
  if (tools == nullptr || tools->value == "null") return Done{};
  if (tools->value.front() != '[') return refuse_field("tools", "must be a list");
  spec.has_tools = tools->item_count != 0;
  if (spec.has_tools) spec.prompt_bytes += tools->value.size();
  return Done{};
}

// Anthropic has no answer without it.
Status read_max_tokens(const RequestBody& body, call::CallSpec& spec) {
  const std::string_view raw = given_value(body, "max_tokens");
  if (raw.empty()) {
    if (body.find("max_completion_tokens") != nullptr) {
      return refuse_field("max_tokens",
                          "is missing; a body with \"max_completion_tokens\" goes to POST /v1/chat/completions");
    }
    return refuse_field("max_tokens", "is missing; say how long the answer may be, for example 4096");
  }
  spec.max_tokens = read_integer(raw);
  if (!spec.max_tokens || *spec.max_tokens < 0 || *spec.max_tokens > k_most_tokens) {
    return refuse_field("max_tokens", "must be a whole number from 0 to " + std::to_string(k_most_tokens));
  }
  return Done{};
}

Result<call::CallSpec> parse_messages(const RequestBody& body, const PathWords& /*path*/) {
  call::CallSpec spec;
  spec.surface = call::Surface::anthropic_messages;
  const std::string_view model = given_value(body, "model");
  if (!model.empty()) {
    auto name = read_text(model);
    if (!name) return refuse_field("model", "must be text");
    spec.model = std::move(*name);
  }
  if (Status read = read_extensions(body, spec); !read) return read.error();
  const std::string_view stream = given_value(body, "stream");
  if (!stream.empty() && stream != "true" && stream != "false") return refuse_field("stream", "must be true or false");
  spec.stream = stream == "true";
  if (Status read = read_messages(body, spec); !read) return read.error();
  if (Status read = read_max_tokens(body, spec); !read) return read.error();
  return spec;
}

}  // namespace

const SurfaceForm& messages_form() {
  static const SurfaceForm k_form{
      parse_messages, messages_error_body, "text/event-stream",
      HubForm{messages_request_to_chat, chat_answer_to_message, make_chat_to_messages_translator}};
  return k_form;
}

}  // namespace nemo::protocol
