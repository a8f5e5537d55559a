// Anthropic's events as chunks of a chat completion. Texts and tool arguments go over as they stand between their
// quotes: nothing is decoded, so a character that is split over two events comes out as it went in.
#include <algorithm>
#include <string>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/anthropic.h"
#include "daemon/protocol/translate/message_to_chat.h"

namespace nemo::protocol {
namespace {

using Kind = MessagesEventKind;

// Blocks come one after the other; the bounds keep an upstream that never ends one from filling the memory.
constexpr std::size_t k_most_open_blocks = 256;
constexpr std::size_t k_longest_thinking = std::size_t{4} << 20U;

// A block that needs remembering until it ends.
struct OpenBlock {
  std::int64_t index = 0;
  bool is_tool = false;
  std::size_t tool = 0;    // its place among the tool calls
  bool has_input = false;  // a part of the arguments went out
  std::string input;       // the whole arguments, where the block began with them
  std::string thinking;    // between the quotes
  std::string signature;   // between the quotes
};

// One stream.
class MessagesToChat final : public stream::Translator {
 public:
  explicit MessagesToChat(UsageChunk usage) : m_usage_chunk(usage) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (m_over) return;
    if (event.data.empty()) {
      if (event.raw.substr(0, 1) == ":") out.append(event.raw);
      return;
    }
    const auto read = read_messages_event(event.event, event.data);
    if (!read) {
      break_off(fail(ErrorKind::upstream_error, "an event of the upstream's stream cannot be read"), out);
      return;
    }
    if (!read->usage.empty()) {
      JsonCursor usage(read->usage);
      m_usage.read(usage);
    }
    take(*read, event.data, out);
  }

  void finish(std::string& out) override {
    if (!m_over) out.append(k_openai_end);
    m_over = true;
  }
  void break_off(const Error& error, std::string& out) override {
    if (!m_over) out.append(error_event(error));
    m_over = true;
  }

 private:
  void take(const MessagesEvent& event, std::string_view data, std::string& out) {
    switch (event.kind) {
      case Kind::message_start:
        begin(event, out);
        break;
      case Kind::block_start:
        begin_block(event, out);
        break;
      case Kind::block_delta:
        append_delta(event, out);
        break;
      case Kind::block_stop:
        end_block(event.index, out);
        break;
      case Kind::message_delta:
        if (!text_body(event.block.stop_reason).empty()) end_choice(chat_finish_reason(event.block.stop_reason), out);
        break;
      case Kind::message_stop:
        end_choice(m_tools == 0 ? "\"stop\"" : "\"tool_calls\"", out);
        finish(out);
        break;
      case Kind::ping:
        out.append(": keepalive\n\n");  // keeps what lies between here and the client from taking the stream for dead
        break;
      case Kind::error:
        break_off(fail(ErrorKind::upstream_error, read_complaint(data).message), out);
        break;
      case Kind::other:
        break;
    }
  }

  void begin(const MessagesEvent& event, std::string& out) {
    if (!m_head.empty()) return;
    m_head = "data: {\"id\":" + chat_id(event.id) + ",\"object\":\"chat.completion.chunk\",\"created\":";
    m_head.append(std::to_string(seconds_since_1970())).append(",\"model\":");
    m_head.append(quoted_text(event.model)).append(",\"choices\":[");
    append_chunk(R"("role":"assistant","content":"")", "null", out);
  }

  void begin_block(const MessagesEvent& event, std::string& out) {
    const MessageBlock& block = event.block;
    end_block(event.index, out);  // one that was never ended
    if (block.type == "\"tool_use\"") {
      begin_tool(event, out);
    } else if (block.type == "\"thinking\"") {
      if (OpenBlock* open = remember(event.index); open != nullptr) {
        open->signature = text_body(block.signature);
        append_thinking(text_body(block.thinking), *open, out);
      }
    } else if (block.type == "\"redacted_thinking\"") {
      append_chunk("\"thinking_blocks\":[" + redacted_thinking_block(text_body(block.data)) + "]", "null", out);
    } else if (block.type == "\"text\"") {
      append_text(block.text, out);
    }
  }

  void begin_tool(const MessagesEvent& event, std::string& out) {
    OpenBlock* open = remember(event.index);
    if (open == nullptr) return;
    open->is_tool = true;
    open->tool = m_tools++;
    const MessageBlock& block = event.block;
    if (block.input.size() > 2 && block.input.front() == '{') open->input = compact_json(block.input);
    std::string delta = "\"tool_calls\":[{\"index\":" + std::to_string(open->tool) + ",";
    delta.append(chat_tool_head(block.id, block.name, open->tool)).append("\"\"}}]");
    append_chunk(delta, "null", out);
  }

  // The kind of a delta is its own; its block matters only for what is gathered.
  void append_delta(const MessagesEvent& event, std::string& out) {
    const MessageBlock& delta = event.block;
    if (delta.type == "\"text_delta\"") {
      append_text(delta.text, out);
      return;
    }
    OpenBlock* open = find(event.index);
    if (open == nullptr) return;
    if (delta.type == "\"input_json_delta\"" && open->is_tool) {
      append_arguments(text_body(delta.partial_json), *open, out);
    } else if (delta.type == "\"thinking_delta\"") {
      append_thinking(text_body(delta.thinking), *open, out);
    } else if (delta.type == "\"signature_delta\"" && open->signature.size() < k_longest_thinking) {
      open->signature.append(text_body(delta.signature));
    }
  }

  void append_text(std::string_view raw, std::string& out) {
    if (!text_body(raw).empty()) append_chunk("\"content\":" + std::string(raw), "null", out);
  }

  void append_thinking(std::string_view body, OpenBlock& open, std::string& out) {
    if (body.empty()) return;
    if (open.thinking.size() <= k_longest_thinking) open.thinking.append(body);
    append_chunk("\"reasoning_content\":\"" + std::string(body) + "\"", "null", out);
  }

  void append_arguments(std::string_view body, OpenBlock& open, std::string& out) {
    if (body.empty()) return;
    open.has_input = true;
    std::string delta = "\"tool_calls\":[{\"index\":" + std::to_string(open.tool);
    append_chunk(delta.append(",\"function\":{\"arguments\":\"").append(body).append("\"}}]"), "null", out);
  }

  void end_block(std::int64_t index, std::string& out) {
    OpenBlock* open = find(index);
    if (open == nullptr) return;
    if (open->is_tool && !open->has_input) {
      // Clients parse the arguments: they must be JSON for a tool that takes none, too.
      const std::string whole = open->input.empty() ? "{}" : open->input;
      const std::string quoted = quote_json(whole);
      append_arguments(text_body(quoted), *open, out);
    }
    // Without its signature a block cannot be sent back, and cut short its signature does not fit.
    if (!open->is_tool && !open->signature.empty() && open->thinking.size() <= k_longest_thinking) {
      append_chunk("\"thinking_blocks\":[" + thinking_block(open->thinking, open->signature) + "]", "null", out);
    }
    m_open.erase(m_open.begin() + (open - m_open.data()));
  }

  void end_choice(std::string_view reason, std::string& out) {
    if (m_ended) return;
    m_ended = true;
    while (!m_open.empty()) end_block(m_open.front().index, out);
    append_chunk({}, reason, out);
    if (m_usage_chunk == UsageChunk::omit || !m_usage.is_stated()) return;
    out.append(m_head).append("],\"usage\":").append(chat_usage(m_usage.to_usage())).append("}\n\n");
  }

  void append_chunk(std::string_view delta, std::string_view reason, std::string& out) {
    if (m_head.empty()) begin({}, out);  // upstream left message_start out
    out.append(m_head).append("{\"index\":0,\"delta\":{").append(delta);
    out.append("},\"finish_reason\":").append(reason).append("}]}\n\n");
  }

  OpenBlock* find(std::int64_t index) {
    const auto found = std::find_if(m_open.begin(), m_open.end(), [&](const OpenBlock& b) { return b.index == index; });
    return found == m_open.end() ? nullptr : &*found;
  }

  OpenBlock* remember(std::int64_t index) {
    if (m_open.size() == k_most_open_blocks) return nullptr;
    m_open.emplace_back().index = index;
    return &m_open.back();
  }

  UsageChunk m_usage_chunk;
  std::string m_head;
  std::vector<OpenBlock> m_open;
  std::size_t m_tools = 0;
  MessagesUsage m_usage;
  bool m_ended = false;  // the finish reason is out
  bool m_over = false;   // nothing more goes out
};

}  // namespace

std::unique_ptr<stream::Translator> make_messages_to_chat_translator(UsageChunk usage) {
  return std::make_unique<MessagesToChat>(usage);
}

}  // namespace nemo::protocol
