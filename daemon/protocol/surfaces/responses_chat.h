// What a chat completion says that a response has to tell, whole or as one chunk of a stream.
// Source: OpenAI API reference (chat completions); "reasoning_content" as DeepSeek, vLLM and llama.cpp send it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/call/usage.h"

namespace nemo::protocol {

// A tool call, or the next piece of one. Views into the JSON; raw but where it is said.
struct ChatToolPiece {
  std::string_view index;      // empty: not there
  std::string_view id;         // between its quotes
  std::string_view name;       // between its quotes
  std::string_view arguments;  // between its quotes
  std::string_view extra;      // extra_content: Gemini's signature of a thought, which it wants back
};

// Of choice 0. Texts are what stands between the quotes, escapes and all; they may be joined as they stand.
struct ChatPiece {
  std::string reasoning;
  std::string text;
  std::string refusal;
  std::string_view thinking_blocks;  // raw, what stands between the brackets
  std::vector<ChatToolPiece> tools;
  std::string_view finish_reason;  // between its quotes; empty: none
  std::optional<call::Usage> usage;
  bool is_answer = false;  // there are choices, or usage
  bool is_error = false;
};

// nullopt: it is not a JSON object. Views are valid as long as `json` is.
std::optional<ChatPiece> read_chat_piece(std::string_view json);

}  // namespace nemo::protocol
