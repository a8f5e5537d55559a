// What an answer of Anthropic's is in OpenAI's words, whole or in chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/call/usage.h"

namespace nemo::protocol {

// {"prompt_tokens":…}: the prompt with its cached part, as OpenAI counts.
std::string chat_usage(const call::Usage& usage);
// With its quotes; `stop_reason` is raw. A reason that is not known, and none, is "stop".
std::string_view chat_finish_reason(std::string_view stop_reason);
// "chatcmpl-…" with its quotes; `message_id` is raw and may be empty.
std::string chat_id(std::string_view message_id);
// The raw text, or "" for what is none.
std::string quoted_text(std::string_view raw);
// A tool call's fields up to its arguments: "id":…,"type":…,"function":{"name":…,"arguments":
std::string chat_tool_head(std::string_view raw_id, std::string_view raw_name, std::size_t place);
// JSON without white space between its tokens.
std::string compact_json(std::string_view json);
// An element of "thinking_blocks", which clients send back so that reasoning survives a tool loop. All are what stands
// between quotes.
std::string thinking_block(std::string_view thinking_body, std::string_view signature_body);
std::string redacted_thinking_block(std::string_view data_body);
std::int64_t seconds_since_1970();

}  // namespace nemo::protocol
