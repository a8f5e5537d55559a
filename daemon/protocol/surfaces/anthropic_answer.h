// A chat's answer as Anthropic's message. Sources: Anthropic API reference (messages, stop reasons, extended thinking);
// OpenAI API reference (chat completions).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/call/usage.h"
#include "daemon/protocol/surface_form.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::protocol {

// Arguments that are no JSON object (a model that was cut off, or wrote nonsense) come as {"INVALID_JSON":"…"}, which
// fits no tool, so that the model is told. Reasoning without a signature has an empty one.
Result<std::string> chat_answer_to_message(std::string_view chat_answer, const Telling& telling);

// What both the whole answer and the stream say.

// "msg_…" with its quotes; `chat_id` is raw and may be empty.
std::string message_id(std::string_view chat_id, WallTime at);
// For a call whose server gave it none: another one in every message.
std::string made_tool_id(std::string_view message_id_body, std::size_t place);
// With its quotes; `finish_reason` is raw. Some servers say "stop" beside tool calls.
enum class ToolCalls : std::uint8_t { none, some };
std::string_view message_stop_reason(std::string_view finish_reason, ToolCalls calls);
// Anthropic's input_tokens leaves out what was read from and written to the cache.
std::string message_usage(const call::Usage& usage);
// Of a whole answer or a chunk that states it.
std::optional<call::Usage> read_chat_usage(std::string_view json);

// One text of a message's content, between its quotes: content is a text, or parts, which may hold thinking.
enum class Spoken : std::uint8_t { text, thinking };
struct SpokenPiece {
  Spoken kind = Spoken::text;
  std::string_view body;
};
std::vector<SpokenPiece> read_spoken(std::string_view raw_content);

}  // namespace nemo::protocol
