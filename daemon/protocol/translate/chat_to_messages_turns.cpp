#include "daemon/protocol/translate/chat_to_messages_turns.h"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

enum class Speaker : std::uint8_t { user, assistant };

struct Turn {
  Speaker speaker = Speaker::user;
  BlockList results;  // of tools: they must come first
  BlockList blocks;
  bool calls_tools = false;
};

// Raw values of a message; empty: not there, or null.
struct ChatMessage {
  std::string_view role, content, refusal, tool_calls, tool_call_id, function_call, thinking_blocks, cache_control;
};

ChatMessage read_message(JsonCursor& cursor) {
  ChatMessage message;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    const std::string_view value = cursor.take();
    if (value == "null") continue;
    if (*key == "role") {
      message.role = value;
    } else if (*key == "content") {
      message.content = value;
    } else if (*key == "refusal") {
      message.refusal = value;
    } else if (*key == "tool_calls") {
      message.tool_calls = value;
    } else if (*key == "tool_call_id") {
      message.tool_call_id = value;
    } else if (*key == "function_call") {
      message.function_call = value;
    } else if (*key == "thinking_blocks") {
      message.thinking_blocks = value;
    } else if (*key == "cache_control" && value.front() == '{') {
      message.cache_control = value;
    }
  }
  return message;
}

// Anthropic takes ids of letters, digits, "_" and "-" only; other providers' ids, in a chat that began there, hold
// more. The same id becomes the same wherever it stands.
Result<std::string> tool_id(std::string_view raw, const std::string& field) {
  auto id = read_text(raw);
  if (!id || id->empty()) return refuse_field(field, "must be text that is not empty");
  std::replace_if(
      id->begin(), id->end(),
      [](unsigned char c) { return c >= 0x80U || (std::isalnum(c) == 0 && c != '_' && c != '-'); }, '_');
  return "\"" + *id + "\"";
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// The object that the arguments' text holds.
Result<std::string> tool_input(std::string_view raw, const std::string& field) {
  if (raw.empty()) return std::string("{}");
  if (raw.front() == '{') return std::string(raw);  // clients that do not put it into a text
  auto arguments = read_text(raw);
  if (!arguments) return refuse_field(field, "must be text that holds a JSON object");
  if (is_blank(*arguments) || *arguments == "null") return std::string("{}");
  JsonCursor cursor(*arguments);
  const bool is_object = cursor.peek() == '{';
  cursor.skip();
  if (cursor.failed()) {
    return refuse_field(field, "is not JSON: " + std::string(cursor.fault().what) + " at byte " +
                                   std::to_string(cursor.fault().offset) + " of the text");
  }
  if (!is_object || !cursor.at_end()) return refuse_field(field, "must hold one JSON object and nothing else");
  return std::move(*arguments);
}

Result<std::string> tool_use(std::string_view raw, const std::string& path) {
  std::string_view id, type, function;
  JsonCursor cursor(raw);
  if (!cursor.begin_object()) return refuse_field(path, "must be an object");
  while (const auto key = cursor.next_field()) {
    const std::string_view value = cursor.take();
    if (*key == "id") id = value;
    if (*key == "type") type = value;
    if (*key == "function") function = value;
  }
  if (!type.empty() && type != "null" && type != "\"function\"") {
    return refuse_field(path + ".type", "only calls of functions can be served by this model");
  }
  if (function.empty() || function.front() != '{') return refuse_field(path + ".function", "must be an object");
  const std::string_view name = find_member(function, "name").value_or(std::string_view());
  if (text_body(name).empty()) return refuse_field(path + ".function.name", "must be text that is not empty");
  const auto known_id = tool_id(id, path + ".id");
  if (!known_id) return known_id.error();
  std::string_view arguments = find_member(function, "arguments").value_or(std::string_view());
  if (arguments == "null") arguments = {};
  const auto input = tool_input(arguments, path + ".function.arguments");
  if (!input) return input.error();
  return "{\"type\":\"tool_use\",\"id\":" + *known_id + ",\"name\":" + std::string(name) + ",\"input\":" + *input + "}";
}

class TurnReader {
 public:
  explicit TurnReader(MessagesFor target) : m_target(target) {}

  Status read(std::string_view messages) {
    JsonCursor cursor(messages);
    cursor.begin_array();
    for (std::size_t i = 0; cursor.next_element(); ++i) {
      const std::string path = "messages[" + std::to_string(i) + "]";
      if (cursor.peek() != '{') return refuse_field(path, "must be an object");
      if (Status added = add(read_message(cursor), path); !added) return added;
    }
    return Done{};
  }

  ChatTurns finish() {
    ChatTurns chat;
    if (m_turns.empty()) {
      if (m_system.empty()) return chat;
      turn_of(Speaker::user).blocks = std::exchange(m_system, {});
    }
    if (m_turns.front().speaker == Speaker::assistant) {
      m_turns.insert(m_turns.begin(), Turn());
      m_turns.front().blocks.add_text(".");
    }
    chat.ends_with_assistant = m_turns.back().speaker == Speaker::assistant;
    if (chat.ends_with_assistant) m_turns.back().blocks.trim_last_text();
    const auto last = std::find_if(m_turns.rbegin(), m_turns.rend(),
                                   [](const Turn& turn) { return turn.speaker == Speaker::assistant; });
    chat.lost_thinking = last != m_turns.rend() && last->calls_tools && !last->blocks.begins_with_thinking();
    for (Turn& turn : m_turns) append(turn, chat.messages);
    chat.system = std::move(m_system);
    return chat;
  }

 private:
  Status add(const ChatMessage& message, const std::string& path) {
    const std::string_view role = text_body(message.role);
    std::string_view cache_control = message.cache_control;
    if (role == "system" || role == "developer") {
      return append_content(message.content, path, ContentOf::system, m_target, m_system, cache_control);
    }
    if (role == "user") return add_said(message, path, Speaker::user);
    if (role == "assistant") return add_said(message, path, Speaker::assistant);
    if (role == "tool") return add_result(message, path);
    return refuse_field(path + ".role",
                        role == "function"
                            ? "the role \"function\" cannot be served by this model; use \"tool\" with a tool_call_id"
                            : "must be system, developer, user, assistant or tool");
  }

  Status add_said(const ChatMessage& message, const std::string& path, Speaker speaker) {
    BlockList blocks;
    std::string_view cache_control = message.cache_control;
    const bool is_assistant = speaker == Speaker::assistant;
    if (is_assistant) {
      if (Status added = append_thinking(message.thinking_blocks, path, blocks); !added) return added;
    }
    const ContentOf whose = is_assistant ? ContentOf::assistant : ContentOf::user;
    const Status added = append_content(message.content, path, whose, m_target, blocks, cache_control);
    if (!added) return added.error();
    if (is_assistant) blocks.add_text(text_body(message.refusal));
    bool calls_tools = false;
    if (is_assistant) {
      if (Status called = add_calls(message, path, blocks, calls_tools); !called) return called;
    }
    if (blocks.empty()) return Done{};
    Turn& turn = turn_of(speaker);
    turn.calls_tools = turn.calls_tools || calls_tools;
    turn.blocks.add_all(blocks);
    return Done{};
  }

  static Status add_calls(const ChatMessage& message, const std::string& path, BlockList& blocks, bool& calls_tools) {
    if (!message.function_call.empty()) {
      return refuse_field(path + ".function_call", "cannot be served by this model; use tool_calls");
    }
    if (message.tool_calls.empty()) return Done{};
    const std::string field = path + ".tool_calls";
    JsonCursor cursor(message.tool_calls);
    if (cursor.peek() != '[') return refuse_field(field, "must be a list");
    cursor.begin_array();
    for (std::size_t i = 0; cursor.next_element(); ++i) {
      const auto block = tool_use(cursor.take(), field + "[" + std::to_string(i) + "]");
      if (!block) return block.error();
      blocks.add(*block);
      calls_tools = true;
    }
    return Done{};
  }

  Status add_result(const ChatMessage& message, const std::string& path) {
    const auto id = tool_id(message.tool_call_id, path + ".tool_call_id");
    if (!id) return id.error();
    BlockList content;
    std::string_view cache_control = message.cache_control;
    const Status added = append_content(message.content, path, ContentOf::tool, m_target, content, cache_control);
    if (!added) return added.error();
    std::string block = "{\"type\":\"tool_result\",\"tool_use_id\":" + *id;
    if (!content.empty()) block.append(",\"content\":[").append(content.json()).append("]");
    if (!cache_control.empty()) block.append(",\"cache_control\":").append(cache_control);
    turn_of(Speaker::user).results.add(block.append("}"));
    return Done{};
  }

  Turn& turn_of(Speaker speaker) {
    if (m_turns.empty() || m_turns.back().speaker != speaker) m_turns.emplace_back().speaker = speaker;
    return m_turns.back();
  }

  static void append(Turn& turn, std::string& out) {
    turn.results.add_all(turn.blocks);
    if (!out.empty()) out.push_back(',');
    out.append("{\"role\":").append(turn.speaker == Speaker::user ? "\"user\"" : "\"assistant\"");
    out.append(",\"content\":[").append(turn.results.json()).append("]}");
  }

  MessagesFor m_target;
  BlockList m_system;
  std::vector<Turn> m_turns;
};

}  // namespace

Result<ChatTurns> read_turns(std::string_view messages, MessagesFor target) {
  TurnReader reader(target);
  if (const Status read = reader.read(messages); !read) return read.error();
  return reader.finish();
}

}  // namespace nemo::protocol
