// Measures what a request gives a model to read.
#pragma once

#include <string_view>

#include "daemon/call/prompt_size.h"

namespace nemo::protocol {

// Over the whole body, of any surface: what is not prompt is little, and the sum is meant to be too high. Images that
// lie in the body count as images and not as text: data URLs, Anthropic's base64 sources, Gemini's inlineData, Ollama's
// "images". So does every image that is only linked to.
call::PromptSize measure_prompt(std::string_view body);

}  // namespace nemo::protocol
