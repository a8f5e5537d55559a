#include "daemon/protocol/meant_path.h"

#include <algorithm>
#include <array>
#include <string>

namespace nemo::protocol {
namespace {

using call::Surface;

struct Sign {
  std::string_view field;  // that no other surface's body has beside `with`
  std::string_view with;   // empty: the field alone tells
  Surface surface;
  std::string_view path;
};

// The clearer sign comes first.
constexpr std::array<Sign, 16> k_signs{{
    {"contents", "", Surface::gemini, "POST /v1beta/models/MODEL:generateContent"},
    {"input_prefix", "", Surface::llamacpp_infill, "POST /infill"},
    {"input_suffix", "", Surface::llamacpp_infill, "POST /infill"},
    {"anthropic_version", "", Surface::anthropic_messages, "POST /v1/messages"},
    {"system", "messages", Surface::anthropic_messages, "POST /v1/messages"},
    {"stop_sequences", "messages", Surface::anthropic_messages, "POST /v1/messages"},
    {"keep_alive", "messages", Surface::ollama_chat, "POST /api/chat"},
    {"keep_alive", "prompt", Surface::ollama_generate, "POST /api/generate"},
    {"messages", "", Surface::openai_chat, "POST /v1/chat/completions"},
    {"random_seed", "prompt", Surface::mistral_fim, "POST /v1/fim/completions"},
    {"n_predict", "prompt", Surface::llamacpp_completion, "POST /completion"},
    {"prompt", "", Surface::openai_completions, "POST /v1/completions"},
    {"instructions", "input", Surface::openai_responses, "POST /v1/responses"},
    {"max_output_tokens", "input", Surface::openai_responses, "POST /v1/responses"},
    {"tools", "input", Surface::openai_responses, "POST /v1/responses"},
    {"input", "", Surface::openai_embeddings, "POST /v1/embeddings (or /v1/responses)"},
}};

// Both read a chat of the same shape: what one of them refuses is not for the other to take.
bool is_alike(Surface a, Surface b) {
  const auto is_chat = [](Surface one) { return one == Surface::openai_chat || one == Surface::ollama_chat; };
  return a == b || (is_chat(a) && is_chat(b)) ||
         (call::hub_of(a) == call::Hub::completions && call::hub_of(b) == call::Hub::completions) ||
         (call::hub_of(a) == call::Hub::embeddings && call::hub_of(b) == call::Hub::embeddings);
}

}  // namespace

std::string_view meant_path(Surface came_to, const RequestBody& body) {
  const auto has = [&](std::string_view field) { return field.empty() || body.find(field) != nullptr; };
  const auto sign =
      std::find_if(k_signs.begin(), k_signs.end(), [&](const Sign& one) { return has(one.field) && has(one.with); });
  if (sign == k_signs.end() || is_alike(sign->surface, came_to)) return {};
  return sign->path;
}

Error with_meant_path(Error error, Surface came_to, const RequestBody& body) {
  const std::string_view path = meant_path(came_to, body);
  if (!path.empty()) error.message.append(". This looks like a body for ").append(path).append(".");
  return error;
}

}  // namespace nemo::protocol
