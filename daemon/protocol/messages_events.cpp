#include "daemon/protocol/messages_events.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "daemon/protocol/json_text.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/anthropic.h"

namespace nemo::protocol {
namespace {

using Kind = MessagesEventKind;

constexpr std::array<std::pair<std::string_view, Kind>, 8> k_kinds{{
    {"\"message_start\"", Kind::message_start},
    {"\"content_block_start\"", Kind::block_start},
    {"\"content_block_delta\"", Kind::block_delta},
    {"\"content_block_stop\"", Kind::block_stop},
    {"\"message_delta\"", Kind::message_delta},
    {"\"message_stop\"", Kind::message_stop},
    {"\"ping\"", Kind::ping},
    {"\"error\"", Kind::error},
}};

Kind kind_of(std::string_view raw) {
  const auto* const found = std::find_if(k_kinds.begin(), k_kinds.end(), [&](const auto& k) { return k.first == raw; });
  return found == k_kinds.end() ? Kind::other : found->second;
}

std::string_view take_object(JsonCursor& cursor) {
  const bool is_object = cursor.peek() == '{';
  const std::string_view raw = cursor.take();
  return is_object ? raw : std::string_view();
}

void read_message(JsonCursor& cursor, MessagesEvent& event) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return;
  }
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "id") {
      event.id = cursor.take();
    } else if (*key == "model") {
      event.model = cursor.take();
    } else if (*key == "usage") {
      event.usage = take_object(cursor);
    } else {
      cursor.skip();
    }
  }
}

// Google wraps its errors in a list: [{"error":{…}}].
bool is_error_list(std::string_view data) {
  JsonCursor cursor(data);
  return cursor.peek() == '[' && cursor.begin_array() && cursor.next_element() &&
         find_member(cursor.take(), "error").has_value();
}

std::size_t content_of(const MessageBlock& block) {
  return text_body(block.text).size() + text_body(block.thinking).size() + text_body(block.partial_json).size();
}

// Of a block that stands whole in an answer, or begins in a stream.
std::size_t content_of_start(const MessageBlock& block) {
  if (block.type != "\"tool_use\"") return content_of(block);
  const std::size_t input = block.input.size() > 2 ? block.input.size() : 0;  // "{}" stands for what is to come
  return text_body(block.name).size() + input;
}

class MessagesEventReader final : public stream::ChunkReader {
 public:
  stream::ChunkFacts read(const stream::SseEvent& event, bool& malformed) override {
    stream::ChunkFacts facts;
    if (trim(event.data).empty()) return facts;
    const auto read = read_messages_event(event.event, event.data);
    malformed = !read;
    if (read) take(*read, event.data, facts);
    return facts;
  }

 private:
  void take(const MessagesEvent& event, std::string_view data, stream::ChunkFacts& facts) {
    if (!event.usage.empty()) {
      JsonCursor usage(event.usage);
      m_usage.read(usage);
      if (m_usage.is_stated()) facts.usage = m_usage.to_usage();
    }
    switch (event.kind) {
      case Kind::block_start:
        facts.content_bytes = content_of_start(event.block);
        break;
      case Kind::block_delta:
        facts.content_bytes = content_of(event.block);
        break;
      case Kind::message_delta:
        facts.finished = text_body(event.block.stop_reason).empty() ? 0 : 1;
        break;
      case Kind::message_stop:
        facts.end_marker = true;
        break;
      case Kind::error:
        facts.is_error = true;
        facts.error_message = read_complaint(data).message;
        break;
      default:
        break;
    }
    facts.has_content = facts.content_bytes != 0;
    if (facts.has_content) facts.text = text_body(event.block.text);
  }

  MessagesUsage m_usage;
};

}  // namespace

void MessagesUsage::read(JsonCursor& cursor) {
  if (cursor.peek() != '{') {
    cursor.skip();
    return;
  }
  const auto take_input = [&](std::int64_t& count) {
    const auto stated = read_token_count(cursor.take());
    if (!stated) return;
    m_is_stated = true;
    if (*stated != 0) count = *stated;
  };
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "input_tokens") {
      take_input(m_input);
    } else if (*key == "cache_read_input_tokens") {
      take_input(m_cache_read);
    } else if (*key == "cache_creation_input_tokens") {
      take_input(m_cache_write);
    } else if (*key == "output_tokens") {
      if (const auto stated = read_token_count(cursor.take())) {
        m_output = *stated;
        m_is_stated = true;
      }
    } else {
      cursor.skip();
    }
  }
}

call::Usage MessagesUsage::to_usage() const {
  call::Usage usage;
  usage.input_tokens = m_input + m_cache_read + m_cache_write;
  usage.cached_tokens = m_cache_read;
  usage.cache_write_tokens = m_cache_write;
  usage.output_tokens = m_output;
  usage.source = call::UsageSource::provider;
  return usage;
}

MessageBlock read_message_block(JsonCursor& cursor) {
  MessageBlock block;
  if (cursor.peek() != '{') {
    cursor.skip();
    return block;
  }
  const std::array<std::pair<std::string_view, std::string_view*>, 10> fields{{
      {"type", &block.type},
      {"text", &block.text},
      {"partial_json", &block.partial_json},
      {"thinking", &block.thinking},
      {"id", &block.id},
      {"name", &block.name},
      {"input", &block.input},
      {"signature", &block.signature},
      {"data", &block.data},
      {"stop_reason", &block.stop_reason},
  }};
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    const auto* const known =
        std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == *key; });
    const std::string_view value = cursor.take();
    if (known != fields.end()) *known->second = value;
  }
  return block;
}

std::optional<MessagesEvent> read_messages_event(std::string_view name, std::string_view data) {
  MessagesEvent event;
  if (trim(data) == "[DONE]") {  // no event of Anthropic's; gateways that speak its dialect add it
    event.kind = Kind::message_stop;
    return event;
  }
  JsonCursor cursor(data);
  if (name == "error") {
    event.kind = Kind::error;
    return event;
  }
  if (is_error_list(data)) {
    event.kind = Kind::error;
    return event;
  }
  if (cursor.peek() != '{') return std::nullopt;
  bool has_error = false;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    if (*key == "type") {
      event.kind = kind_of(cursor.take());
    } else if (*key == "index") {
      event.index = read_integer(cursor.take()).value_or(0);
    } else if (*key == "delta" || *key == "content_block") {
      event.block = read_message_block(cursor);
    } else if (*key == "message") {
      read_message(cursor, event);
    } else if (*key == "usage") {
      event.usage = take_object(cursor);
    } else if (*key == "error") {
      has_error = cursor.take() != "null";
    } else {
      cursor.skip();
    }
  }
  if (!cursor.at_end()) return std::nullopt;
  if (event.kind == Kind::other && has_error) event.kind = Kind::error;  // Google's envelope inside Vertex's stream
  return event;
}

std::string_view text_body(std::string_view raw) {
  return raw.size() >= 2 && raw.front() == '"' ? raw.substr(1, raw.size() - 2) : std::string_view();
}

std::unique_ptr<stream::ChunkReader> make_messages_event_reader() {
  return std::make_unique<MessagesEventReader>();
}

std::optional<AnswerFacts> read_message_facts(std::string_view message) {
  JsonCursor cursor(message);
  AnswerFacts facts;
  MessagesUsage usage;
  bool has_error = false;
  bool has_content = false;
  if (cursor.peek() != '{' || !cursor.begin_object()) return std::nullopt;
  while (const auto key = cursor.next_field()) {
    if (*key == "content" && cursor.peek() == '[') {
      has_content = true;
      cursor.begin_array();
      while (cursor.next_element()) {
        const MessageBlock block = read_message_block(cursor);
        facts.content_bytes += content_of_start(block);
        if (facts.text.empty()) facts.text = text_body(block.text);
      }
    } else if (*key == "usage") {
      usage.read(cursor);
    } else if (*key == "error") {
      has_error = cursor.take() != "null";
    } else if (*key == "type") {
      if (cursor.take() == "\"error\"") has_error = true;
    } else {
      cursor.skip();
    }
  }
  if (!cursor.at_end()) return std::nullopt;
  if (usage.is_stated()) facts.usage = usage.to_usage();
  facts.is_error = has_error && !has_content;
  return facts;
}

}  // namespace nemo::protocol
