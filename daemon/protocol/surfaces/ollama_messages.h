// The messages of Ollama's chat in OpenAI's words. Source: Ollama API reference (docs/api.md: generate a chat
// completion; docs/capabilities: tool calling, vision).
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::protocol {

// `messages`: a raw list of objects. Images become data: URLs by what their bytes begin with; a tool call's arguments
// become text; calls and answers of tools that carry no id are paired by name and order. What a model thought is left
// out: it cannot be sent back without the signature that Ollama has no place for. invalid_request names the field.
Result<std::string> ollama_messages_to_chat(std::string_view messages);

}  // namespace nemo::protocol
