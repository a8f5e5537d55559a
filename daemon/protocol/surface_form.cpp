#include "daemon/protocol/surface_form.h"

#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/forms.h"

namespace nemo::protocol {
namespace {

template <Result<call::CallSpec> (*parse)(const RequestBody&)>
Result<call::CallSpec> by_body(const RequestBody& body, const PathWords& /*path*/) {
  return parse(body);
}

}  // namespace

const SurfaceForm& form_of(call::Surface surface) {
  static const SurfaceForm k_chat{by_body<parse_chat>, error_body};
  static const SurfaceForm k_completions{by_body<parse_completions>, error_body};
  static const SurfaceForm k_embeddings{by_body<parse_embeddings>, error_body};
  switch (surface) {
    case call::Surface::openai_chat:
      return k_chat;
    case call::Surface::openai_completions:
      return k_completions;
    case call::Surface::openai_embeddings:
      return k_embeddings;
    case call::Surface::openai_responses:
      return responses_form();
    case call::Surface::anthropic_messages:
      return messages_form();
    case call::Surface::gemini:
      return gemini_form();
    case call::Surface::ollama_chat:
      return ollama_chat_form();
    case call::Surface::ollama_generate:
      return ollama_generate_form();
    case call::Surface::ollama_embed:
      return ollama_embed_form();
    case call::Surface::mistral_fim:
      return mistral_fim_form();
    case call::Surface::llamacpp_infill:
      return infill_form();
    case call::Surface::llamacpp_completion:
      return llamacpp_completion_form();
  }
  return k_chat;
}

}  // namespace nemo::protocol
