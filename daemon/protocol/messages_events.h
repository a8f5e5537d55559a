// What Anthropic's answers say, whole or as events. Source: Anthropic API reference (messages, streaming messages).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/usage.h"
#include "daemon/protocol/json_cursor.h"

namespace nemo::protocol {

// Counts as stated so far. Anthropic's input_tokens excludes what was read from and written to the cache.
class MessagesUsage {
 public:
  // Stands before the usage object and passes it. Counts are cumulative: the last that is stated wins, but for a zero
  // of input after a count, which some gateways send at the end. Null and absurd counts are not stated.
  void read(JsonCursor& cursor);
  bool is_stated() const { return m_is_stated; }
  call::Usage to_usage() const;

 private:
  std::int64_t m_input = 0;
  std::int64_t m_cache_read = 0;
  std::int64_t m_cache_write = 0;
  std::int64_t m_output = 0;
  bool m_is_stated = false;
};

// A block of an answer's content, or the delta of one. Views are raw JSON; empty: not there.
struct MessageBlock {
  std::string_view type, id, name, text, thinking, signature, data, input, partial_json, stop_reason;
};
MessageBlock read_message_block(JsonCursor& cursor);

enum class MessagesEventKind : std::uint8_t {
  message_start,
  block_start,
  block_delta,
  block_stop,
  message_delta,
  message_stop,
  ping,
  error,
  other,  // of a type that is not known: to be passed over
};

// Views point into the event's data.
struct MessagesEvent {
  MessagesEventKind kind = MessagesEventKind::other;
  std::int64_t index = 0;      // of the block
  MessageBlock block;          // content_block, delta
  std::string_view id, model;  // message_start; raw JSON
  std::string_view usage;      // raw object; empty: none
};
// `name` is the event's, which counts for an error whose data is no JSON. nullopt: not what the dialect says.
std::optional<MessagesEvent> read_messages_event(std::string_view name, std::string_view data);

// Between the quotes of a raw text; empty when it is none.
std::string_view text_body(std::string_view raw);

}  // namespace nemo::protocol
