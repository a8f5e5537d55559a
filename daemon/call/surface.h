// The client-facing APIs, by the names that the ledger shows.
#pragma once

#include <cstdint>
#include <string_view>

namespace nemo::call {

enum class Surface : std::uint8_t { openai_chat, openai_completions, openai_embeddings };

std::string_view to_string(Surface surface);  // "openai-chat", …

}  // namespace nemo::call
