// OpenAI chat served by Anthropic's Messages API: both directions, streams included.
// Sources: Anthropic API reference (messages, streaming, tool use, extended thinking, prompt caching); OpenAI API
// reference (chat completions). facts: input_tokens excludes what was read from and written to the cache.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/conversation.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/request_body.h"
#include "daemon/stream/chunk_reader.h"
#include "daemon/stream/translator.h"
#include "shared/result.h"

namespace nemo::protocol {

enum class MessagesFor : std::uint8_t { anthropic, vertex };
// "anthropic_version" of a body for Vertex.
inline constexpr std::string_view k_vertex_version = "\"vertex-2023-10-16\"";

// invalid_request names the field: n above 1, audio, an image that is no data URL where the upstream takes none, …
// max_tokens: `output_cap`, else the caller's, else `max_output_tokens`, else 4096. response_format is an instruction
// in the system text: nothing enforces it. reasoning_effort is left out where Anthropic would refuse thinking: no room
// below max_tokens, a forced tool, a tool loop whose "thinking_blocks" did not come back. Of temperature and top_p one
// goes up; models that refuse sampling (chat_to_messages_model.h) get neither.
Result<std::string> chat_request_to_messages(const RequestBody& body, const call::CallSpec& spec,
                                             std::string_view upstream_model, MessagesFor target,
                                             std::optional<std::int64_t> output_cap, std::int64_t max_output_tokens);

// Usage: input_tokens of the ledger = Anthropic's three input counts together.
std::unique_ptr<stream::ChunkReader> make_messages_event_reader();
std::optional<AnswerFacts> read_message_facts(std::string_view message);

// Thinking is reasoning_content, and "thinking_blocks" with their signatures for the client to send back.
Result<std::string> message_to_chat_answer(std::string_view message);
// `usage`: whether the client asked for a last chunk with usage (stream_options.include_usage).
enum class UsageChunk : std::uint8_t { omit, append };
// [DONE] comes with message_stop and the usage with the finish reason; an error is an OpenAI error event, after which
// nothing more comes. finish() adds nothing: a stream that broke off has no end.
std::unique_ptr<stream::Translator> make_messages_to_chat_translator(UsageChunk usage);

}  // namespace nemo::protocol
