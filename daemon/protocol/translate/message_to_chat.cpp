#include "daemon/protocol/translate/message_to_chat.h"

#include <array>
#include <chrono>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/anthropic.h"

namespace nemo::protocol {
namespace {

// Bodies of texts are joined as they stand: what is between the quotes of two texts, put together, is a text again.
struct WholeChatMessage {
  std::string text;
  std::string reasoning;
  std::string thinking_blocks;  // elements with commas
  std::string tool_calls;       // elements with commas
  std::size_t tools = 0;
};

void append_item(std::string& list, std::string_view item) {
  if (!list.empty()) list.push_back(',');
  list.append(item);
}

std::string tool_call(const MessageBlock& block, std::size_t place) {
  const bool is_object = !block.input.empty() && block.input.front() == '{';
  const std::string arguments = is_object ? quote_json(compact_json(block.input)) : "\"{}\"";
  return "{" + chat_tool_head(block.id, block.name, place) + arguments + "}}";
}

void add_block(const MessageBlock& block, WholeChatMessage& message) {
  if (block.type == "\"text\"") {
    message.text.append(text_body(block.text));
  } else if (block.type == "\"thinking\"") {
    const std::string_view thinking = text_body(block.thinking);
    const std::string_view signature = text_body(block.signature);
    message.reasoning.append(thinking);
    if (!signature.empty()) append_item(message.thinking_blocks, thinking_block(thinking, signature));
  } else if (block.type == "\"redacted_thinking\"") {
    append_item(message.thinking_blocks, redacted_thinking_block(text_body(block.data)));
  } else if (block.type == "\"tool_use\"") {
    append_item(message.tool_calls, tool_call(block, message.tools++));
  }
}

std::string render(const WholeChatMessage& message) {
  std::string out = "{\"role\":\"assistant\",\"content\":";
  if (message.text.empty() && !message.tool_calls.empty()) {
    out.append("null");
  } else {
    out.append("\"").append(message.text).append("\"");
  }
  if (!message.reasoning.empty()) out.append(",\"reasoning_content\":\"").append(message.reasoning).append("\"");
  if (!message.thinking_blocks.empty())
    out.append(",\"thinking_blocks\":[").append(message.thinking_blocks).append("]");
  if (!message.tool_calls.empty()) out.append(",\"tool_calls\":[").append(message.tool_calls).append("]");
  return out.append("}");
}

struct WholeMessage {
  std::string_view id, model, stop_reason;  // raw JSON
  WholeChatMessage chat;
  MessagesUsage usage;
};

std::optional<WholeMessage> read_message(std::string_view json) {
  WholeMessage message;
  bool has_content = false;
  JsonCursor cursor(json);
  if (cursor.peek() != '{' || !cursor.begin_object()) return std::nullopt;
  while (const auto key = cursor.next_field()) {
    if (*key == "id") {
      message.id = cursor.take();
    } else if (*key == "model") {
      message.model = cursor.take();
    } else if (*key == "stop_reason") {
      message.stop_reason = cursor.take();
    } else if (*key == "usage") {
      message.usage.read(cursor);
    } else if (*key == "content" && cursor.peek() == '[') {
      has_content = true;
      cursor.begin_array();
      while (cursor.next_element()) add_block(read_message_block(cursor), message.chat);
    } else {
      cursor.skip();
    }
  }
  if (!cursor.at_end() || !has_content) return std::nullopt;
  return message;
}

}  // namespace

std::string chat_usage(const call::Usage& usage) {
  std::string out = "{\"prompt_tokens\":" + std::to_string(usage.input_tokens);
  out.append(",\"completion_tokens\":").append(std::to_string(usage.output_tokens));
  out.append(",\"total_tokens\":").append(std::to_string(usage.input_tokens + usage.output_tokens));
  out.append(",\"prompt_tokens_details\":{\"cached_tokens\":").append(std::to_string(usage.cached_tokens));
  out.append(",\"cache_write_tokens\":").append(std::to_string(usage.cache_write_tokens));
  return out.append("}}");
}

std::string_view chat_finish_reason(std::string_view stop_reason) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> k_reasons{{
      {"\"max_tokens\"", "\"length\""},
      {"\"model_context_window_exceeded\"", "\"length\""},
      {"\"tool_use\"", "\"tool_calls\""},
      {"\"refusal\"", "\"content_filter\""},
  }};
  for (const auto& [from, to] : k_reasons) {
    if (from == stop_reason) return to;
  }
  return "\"stop\"";
}

std::string chat_id(std::string_view message_id) {
  constexpr std::string_view k_prefix = "msg_";
  std::string_view body = text_body(message_id);
  if (body.substr(0, k_prefix.size()) == k_prefix) body.remove_prefix(k_prefix.size());
  return "\"chatcmpl-" + std::string(body.empty() ? std::string_view("nemo") : body) + "\"";
}

std::string quoted_text(std::string_view raw) {
  return "\"" + std::string(text_body(raw)) + "\"";
}

std::string chat_tool_head(std::string_view raw_id, std::string_view raw_name, std::size_t place) {
  std::string out = "\"id\":";
  out.append(text_body(raw_id).empty() ? "\"call_" + std::to_string(place) + "\"" : std::string(raw_id));
  out.append(",\"type\":\"function\",\"function\":{\"name\":").append(quoted_text(raw_name));
  return out.append(",\"arguments\":");
}

std::string compact_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text && c == '\\' && i + 1 < json.size()) {
      out.push_back(c);
      out.push_back(json[++i]);
      continue;
    }
    if (c == '"') in_text = !in_text;
    const bool is_space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (in_text || !is_space) out.push_back(c);
  }
  return out;
}

std::string thinking_block(std::string_view thinking_body, std::string_view signature_body) {
  std::string out = R"({"type":"thinking","thinking":")";
  out.append(thinking_body).append(R"(","signature":")").append(signature_body);
  return out.append("\"}");
}

std::string redacted_thinking_block(std::string_view data_body) {
  return R"({"type":"redacted_thinking","data":")" + std::string(data_body) + "\"}";
}

std::int64_t seconds_since_1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

Result<std::string> message_to_chat_answer(std::string_view json) {
  const auto message = read_message(json);
  if (!message) return fail(ErrorKind::upstream_error, "the upstream's answer is not a message");
  std::string out;
  out.reserve(json.size() + 512);
  out.append("{\"id\":").append(chat_id(message->id)).append(",\"object\":\"chat.completion\",\"created\":");
  out.append(std::to_string(seconds_since_1970())).append(",\"model\":");
  out.append(quoted_text(message->model));
  out.append(",\"choices\":[{\"index\":0,\"message\":").append(render(message->chat));
  out.append(",\"logprobs\":null,\"finish_reason\":").append(chat_finish_reason(message->stop_reason));
  return out.append("}],\"usage\":").append(chat_usage(message->usage.to_usage())).append("}");
}

}  // namespace nemo::protocol
