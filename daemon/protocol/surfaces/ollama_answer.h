// What Ollama answers to a chat or a generate call, whole or line by line, made from OpenAI's answers and events.
// Source: Ollama API reference (docs/api.md: generate a completion, generate a chat completion).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/protocol/surface_form.h"
#include "daemon/stream/translator.h"
#include "shared/result.h"

namespace nemo::protocol {

inline constexpr std::string_view k_ollama_stream_type = "application/x-ndjson";

// Where the text stands: in "message", or in "response".
enum class OllamaShape : std::uint8_t { chat, generate };

// upstream_error: not an answer in the hub's form, or a tool called with what Ollama has no place for.
Result<std::string> tell_in_ollama(std::string_view hub_answer, const Telling& telling, OllamaShape shape);
std::unique_ptr<stream::Translator> make_ollama_translator(const Telling& telling, OllamaShape shape);

}  // namespace nemo::protocol
