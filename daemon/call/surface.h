// The client-facing APIs, by the names that the ledger shows.
#pragma once

#include <cstdint>
#include <string_view>

namespace nemo::call {

enum class Surface : std::uint8_t {
  openai_chat,
  openai_completions,
  openai_embeddings,
  openai_responses,
  anthropic_messages,
  gemini,
  ollama_chat,
  ollama_generate,
  ollama_embed,
  mistral_fim,
  llamacpp_infill,
  llamacpp_completion,
};

std::string_view to_string(Surface surface);  // "openai-chat", …

// The OpenAI form that a surface is served through wherever upstream does not speak the surface's own dialect.
enum class Hub : std::uint8_t { chat, completions, embeddings };
Hub hub_of(Surface surface);

}  // namespace nemo::call
