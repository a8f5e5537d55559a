#include "daemon/protocol/surfaces/anthropic_stream.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/anthropic_answer.h"
#include "daemon/protocol/surfaces/anthropic_blocks.h"
#include "daemon/protocol/surfaces/anthropic_errors.h"
#include "daemon/protocol/translate/message_to_chat.h"

namespace nemo::protocol {
namespace {

// Raw values of a chunk and the delta of its choice 0; empty: not there, or null.
struct Chunk {
  std::string_view id, usage, error, finish_reason;
  std::string_view content, refusal, reasoning, thinking_blocks, tool_calls;
};

void read_delta(JsonCursor& cursor, Chunk& chunk) {
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (value == "null") return;
    if (key == "content") {
      chunk.content = value;
    } else if (key == "tool_calls") {
      chunk.tool_calls = value;
    } else if (key == "reasoning_content" || (key == "reasoning" && chunk.reasoning.empty())) {
      chunk.reasoning = value;
    } else if (key == "refusal") {
      chunk.refusal = value;
    } else if (key == "thinking_blocks") {
      chunk.thinking_blocks = value;
    }
  });
}

void read_choice(JsonCursor& cursor, Chunk& chunk) {
  each_field(cursor, [&](std::string_view key) {
    if (key == "delta") {
      read_delta(cursor, chunk);
    } else if (key == "finish_reason") {
      const std::string_view reason = cursor.take();
      if (!text_body(reason).empty()) chunk.finish_reason = reason;
    } else {
      cursor.skip();
    }
  });
}

std::optional<Chunk> read_chunk(std::string_view data) {
  Chunk chunk;
  JsonCursor cursor(data);
  if (!cursor.begin_object()) return std::nullopt;
  while (const auto key = cursor.next_field()) {
    if (*key == "choices") {
      bool is_first = true;  // a message is one answer; the request asks for no more
      each_element(cursor, [&] {
        if (std::exchange(is_first, false)) {
          read_choice(cursor, chunk);
        } else {
          cursor.skip();
        }
      });
      continue;
    }
    const std::string_view value = cursor.take();
    if (value == "null") continue;
    if (*key == "id") {
      chunk.id = value;
    } else if (*key == "usage") {
      chunk.usage = value;
    } else if (*key == "error") {
      chunk.error = value;
    }
  }
  if (!cursor.at_end()) return std::nullopt;
  return chunk;
}

// What an element of tool_calls says.
CallPiece read_call(JsonCursor& cursor) {
  CallPiece piece;
  each_field(cursor, [&](std::string_view key) {
    if (key == "index") {
      piece.index = read_integer(cursor.take());
    } else if (key == "id") {
      piece.id = text_body(cursor.take());
    } else if (key == "function") {
      each_field(cursor, [&](std::string_view name) {
        const std::string_view value = cursor.take();
        if (name == "name") piece.name = text_body(value);
        if (name == "arguments") piece.arguments = value;
      });
    } else {
      cursor.skip();
    }
  });
  return piece;
}

// One stream.
class ChatToMessages final : public stream::Translator {
 public:
  explicit ChatToMessages(const Telling& telling) : m_model(quote_json(telling.model)), m_at(telling.at) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (m_over) return;
    const std::string_view data = trim(event.data);
    if (data.empty()) {
      pass_silence(event.raw, out);
      return;
    }
    if (data == "[DONE]") {
      finish(out);
      return;
    }
    const auto chunk = read_chunk(data);
    if (event.event == "error" || (chunk && !chunk->error.empty())) {
      break_off(fail(ErrorKind::upstream_error, read_complaint(data).message), out);
    } else if (!chunk) {
      break_off(fail(ErrorKind::upstream_error, "an event of the upstream's stream cannot be read"), out);
    } else {
      take(*chunk, data, out);
    }
  }

  void finish(std::string& out) override {
    if (m_over) return;
    begin({}, out);
    m_blocks.end_all(out);
    const ToolCalls calls = m_blocks.calls() == 0 ? ToolCalls::none : ToolCalls::some;
    out.append("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":");
    out.append(message_stop_reason(m_finish_reason, calls)).append(",\"stop_sequence\":null},\"usage\":");
    out.append(message_usage(m_usage)).append("}\n\n").append(k_message_stop);
    m_over = true;
  }

  void break_off(const Error& error, std::string& out) override {
    if (m_over) return;
    m_blocks.show_all(out);
    out.append(messages_error_event(error));
    m_over = true;
  }

 private:
  // Comments keep a connection open while upstream thinks; clients of this dialect know its ping, and no comments.
  void pass_silence(std::string_view raw, std::string& out) {
    if (raw.size() >= stream::SseScanner::k_largest_event) {
      break_off(fail(ErrorKind::upstream_error, "an event of the upstream's stream is larger than 4 MiB"), out);
    } else if (m_has_begun && raw.starts_with(":")) {
      out.append("event: ping\ndata: {\"type\":\"ping\"}\n\n");
    }
  }

  void take(const Chunk& chunk, std::string_view data, std::string& out) {
    if (chunk.usage.starts_with("{")) {
      if (const auto usage = read_chat_usage(data)) m_usage = *usage;
    }
    begin(chunk.id, out);
    if (!chunk.finish_reason.empty()) m_finish_reason = chunk.finish_reason;
    m_blocks.think(text_body(chunk.reasoning));
    if (!chunk.thinking_blocks.empty()) take_thinking_blocks(chunk);
    if (!chunk.content.empty()) take_content(chunk.content);
    m_blocks.say(text_body(chunk.refusal));
    if (!chunk.tool_calls.empty()) take_calls(chunk.tool_calls);
    if (const char* fault = m_blocks.fault(); fault != nullptr) {
      break_off(fail(ErrorKind::upstream_error, fault), out);
    } else {
      m_blocks.show(out);
    }
  }

  void take_content(std::string_view raw) {
    if (raw.front() == '"') {
      m_blocks.say(text_body(raw));
      return;
    }
    for (const SpokenPiece& piece : read_spoken(raw)) {
      piece.kind == Spoken::text ? m_blocks.say(piece.body) : m_blocks.think(piece.body);
    }
  }

  // With reasoning beside it, and at the end of thinking that came as reasoning, only the signature is new.
  void take_thinking_blocks(const Chunk& chunk) {
    JsonCursor cursor(chunk.thinking_blocks);
    each_element(cursor, [&] {
      const MessageBlock block = read_message_block(cursor);
      if (block.type == "\"redacted_thinking\"") {
        m_blocks.add_whole(redacted_thinking_block(text_body(block.data)));
        return;
      }
      const std::string_view signature = text_body(block.signature);
      const bool ends_thinking = m_blocks.is_thinking() && !signature.empty();
      if (chunk.reasoning.empty() && !ends_thinking) m_blocks.think(text_body(block.thinking));
      m_blocks.sign(signature);
    });
  }

  void take_calls(std::string_view raw) {
    JsonCursor cursor(raw);
    each_element(cursor, [&] { m_blocks.call(read_call(cursor)); });
  }

  void begin(std::string_view chat_id, std::string& out) {
    if (std::exchange(m_has_begun, true)) return;
    const std::string id = message_id(chat_id, m_at);
    m_blocks.name_calls_after(text_body(id).substr(4));
    out.append("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":").append(id);
    out.append(R"(,"type":"message","role":"assistant","model":)").append(m_model);
    out.append(R"(,"content":[],"stop_reason":null,"stop_sequence":null,"usage":)").append(message_usage(m_usage));
    out.append("}}\n\n");
  }

  std::string m_model;  // with its quotes
  WallTime m_at;
  MessageBlocks m_blocks;
  std::string m_finish_reason;  // raw
  call::Usage m_usage;          // as stated last; a chat tells it at its end
  bool m_has_begun = false;
  bool m_over = false;  // nothing more goes out
};

}  // namespace

std::unique_ptr<stream::Translator> make_chat_to_messages_translator(const Telling& telling) {
  return std::make_unique<ChatToMessages>(telling);
}

}  // namespace nemo::protocol
