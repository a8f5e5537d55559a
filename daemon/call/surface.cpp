#include "daemon/call/surface.h"

namespace nemo::call {

std::string_view to_string(Surface surface) {
  switch (surface) {
    case Surface::openai_chat:
      return "openai-chat";
    case Surface::openai_completions:
      return "openai-completions";
    case Surface::openai_embeddings:
      return "openai-embeddings";
    case Surface::openai_responses:
      return "openai-responses";
    case Surface::anthropic_messages:
      return "anthropic-messages";
    case Surface::gemini:
      return "gemini";
    case Surface::ollama_chat:
      return "ollama-chat";
    case Surface::ollama_generate:
      return "ollama-generate";
    case Surface::ollama_embed:
      return "ollama-embed";
    case Surface::mistral_fim:
      return "mistral-fim";
    case Surface::llamacpp_infill:
      return "llamacpp-infill";
    case Surface::llamacpp_completion:
      return "llamacpp-completion";
  }
  return "?";
}

Hub hub_of(Surface surface) {
  switch (surface) {
    case Surface::openai_chat:
    case Surface::openai_responses:
    case Surface::anthropic_messages:
    case Surface::gemini:
    case Surface::ollama_chat:
      return Hub::chat;
    case Surface::openai_completions:
    case Surface::ollama_generate:
    case Surface::mistral_fim:
    case Surface::llamacpp_infill:
    case Surface::llamacpp_completion:
      return Hub::completions;
    case Surface::openai_embeddings:
    case Surface::ollama_embed:
      return Hub::embeddings;
  }
  return Hub::chat;
}

}  // namespace nemo::call
