#include "daemon/protocol/surfaces/responses_input.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/responses_carrier.h"
#include "daemon/protocol/surfaces/responses_parts.h"
#include "daemon/protocol/surfaces/responses_tools.h"
#include "daemon/protocol/translate/message_to_chat.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_paragraph = "\\n\\n";

// Raw values; empty: not there, or null.
struct Item {
  std::string_view type, role, content, call_id, name, space, arguments, input, output, encrypted;
};

Item read_item(JsonCursor& cursor) {
  Item item;
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (value == "null") return;
    if (key == "type") item.type = text_body(value);
    if (key == "role") item.role = text_body(value);
    if (key == "content") item.content = value;
    if (key == "call_id") item.call_id = text_body(value);
    if (key == "name") item.name = text_body(value);
    if (key == "namespace") item.space = text_body(value);
    if (key == "arguments") item.arguments = value;
    if (key == "input") item.input = value;
    if (key == "output") item.output = value;
    if (key == "encrypted_content") item.encrypted = value;
  });
  if (item.type.empty() && !item.role.empty()) item.type = "message";
  return item;
}

bool is_output(const Item& item) {
  return item.type == "function_call_output" || item.type == "custom_tool_call_output";
}

// They say nothing that the messages around them do not.
bool is_left_out(std::string_view type) {
  constexpr std::array<std::string_view, 5> k_types{"web_search_call", "file_search_call", "code_interpreter_call",
                                                    "image_generation_call", "mcp_list_tools"};
  return std::find(k_types.begin(), k_types.end(), type) != k_types.end();
}

// What the model said in one go: thoughts, text and calls, until somebody else speaks.
struct Said {
  struct Call {
    std::string_view id;  // between the quotes
    std::string head;     // the call up to its last brace
    std::string path;
  };
  std::string text;
  CarriedThoughts thoughts;
  std::vector<Call> calls;
  bool is_open = false;
};

class MessageWriter {
 public:
  Status read_outputs(std::string_view input) {
    JsonCursor cursor(input);
    cursor.begin_array();
    for (std::size_t i = 0; cursor.next_element(); ++i) {
      const std::string path = "input[" + std::to_string(i) + "]";
      if (cursor.peek() != '{') return refuse_field(path, "must be an object");
      const Item item = read_item(cursor);
      if (is_output(item)) m_outputs.emplace(item.call_id, Output{item.output, path + ".output"});
    }
    return Done{};
  }

  // `text` is what stands between the quotes.
  void add_system(std::string_view text) {
    if (!m_out.empty()) {
      append_message("system", "\"" + std::string(text) + "\"");
      return;
    }
    // Many models' templates take one system message, and that one first.
    if (!m_head.empty()) m_head.append(k_paragraph);
    m_head.append(text);
  }

  void add_user(std::string_view raw_text) { append_message("user", raw_text); }

  Status add(const Item& item, const std::string& path) {
    if (item.type == "message") return add_message(item, path);
    if (item.type == "function_call" || item.type == "custom_tool_call") return add_call(item, path);
    if (is_output(item)) return add_output(item, path);
    if (item.type == "reasoning") return add_reasoning(item, path);
    if (is_left_out(item.type)) return Done{};
    if (item.type == "item_reference") {
      return refuse_field(path,
                          "an item_reference points to what an earlier response kept, and nothing is kept here; "
                          "send the item itself");
    }
    if (item.type.empty()) return refuse_field(path + ".type", "is missing");
    return refuse_field(path + ".type", "an item of type \"" + std::string(item.type) + "\" is not served here");
  }

  // Empty: nothing was said.
  Result<std::string> finish() {
    if (Status ended = end_said(); !ended) return ended.error();
    settle_head();
    return m_out.empty() ? std::string() : "[" + m_out + "]";
  }

 private:
  struct Output {
    std::string_view raw;
    std::string path;
    bool is_used = false;
  };

  Status add_message(const Item& item, const std::string& path) {
    const bool is_system = item.role == "system" || item.role == "developer";
    const bool is_assistant = item.role == "assistant";
    if (!is_system && !is_assistant && item.role != "user") {
      return refuse_field(path + ".role", "must be user, assistant, system or developer");
    }
    const auto content = read_item_content(item.content, path + ".content", is_system ? k_paragraph : "");
    if (!content) return content.error();
    if (is_assistant) return add_answer(*content, path);
    if (Status ended = end_said(); !ended) return ended;
    if (!is_system) {
      const bool is_plain = content->media.empty() && content->texts < 2;
      append_message("user", is_plain ? "\"" + content->text + "\"" : "[" + content->parts + "]");
      return Done{};
    }
    if (!content->media.empty())
      return refuse_field(path + ".content", "a " + std::string(item.role) + " message takes text only");
    add_system(content->text);
    return Done{};
  }

  Status add_answer(const ItemContent& content, const std::string& path) {
    if (!content.media.empty()) return refuse_field(path + ".content", "an assistant message takes text only");
    // Text that came between calls and their outputs stays with the calls.
    if (!m_said.text.empty() && m_said.calls.empty()) {
      if (Status ended = end_said(); !ended) return ended;
    }
    m_said.is_open = true;
    if (!m_said.text.empty() && !content.text.empty()) m_said.text.append(k_paragraph);
    m_said.text.append(content.text);
    return Done{};
  }

  Status add_call(const Item& item, const std::string& path) {
    if (item.call_id.empty()) return refuse_field(path + ".call_id", "is missing");
    if (item.name.empty()) return refuse_field(path + ".name", "is missing");
    const bool is_custom = item.type == "custom_tool_call";
    if (is_custom && (item.input.empty() || item.input.front() != '"')) {
      return refuse_field(path + ".input", "must be text");
    }
    std::string head = R"({"id":")" + std::string(item.call_id);
    head.append(R"(","type":"function","function":{"name":")").append(chat_tool_name(item.space, item.name));
    head.append("\",\"arguments\":").append(is_custom ? chat_custom_arguments(item.input) : arguments_of(item));
    m_said.is_open = true;
    m_said.calls.push_back({item.call_id, head.append("}"), path});
    return Done{};
  }

  static std::string arguments_of(const Item& item) {
    if (text_body(item.arguments).empty() && item.arguments.substr(0, 1) != "{") return "\"{}\"";
    return item.arguments.front() == '"' ? std::string(item.arguments) : quote_json(compact_json(item.arguments));
  }

  Status add_output(const Item& item, const std::string& path) {
    if (Status ended = end_said(); !ended) return ended;
    const auto output = m_outputs.find(item.call_id);
    if (output == m_outputs.end() || !output->second.is_used) {
      return refuse_field(path + ".call_id",
                          "there is no call of this id before it; nothing is kept here between "
                          "requests, so send the call too");
    }
    return Done{};
  }

  Status add_reasoning(const Item& item, const std::string& path) {
    m_said.is_open = true;
    CarriedThoughts& thoughts = m_said.thoughts;
    if (const auto carried = unpack_thoughts(item.encrypted)) {
      append_item(thoughts.reasoning, carried->reasoning, "");
      append_item(thoughts.thinking_blocks, carried->thinking_blocks, ",");
      append_item(thoughts.extra_contents, carried->extra_contents, ",");
    } else if (!item.content.empty()) {
      const auto content = read_item_content(item.content, path + ".content", "");
      if (!content) return content.error();
      thoughts.reasoning.append(content->text);
    }
    return Done{};
  }

  static void append_item(std::string& list, std::string_view item, std::string_view between) {
    if (!list.empty() && !item.empty()) list.append(between);
    list.append(item);
  }

  Status end_said() {
    if (!m_said.is_open) return Done{};
    const Said said = std::exchange(m_said, {});
    if (said.text.empty() && said.calls.empty()) return Done{};  // thoughts alone are no message
    settle_head();
    open_message();
    m_out.append("{\"role\":\"assistant\",\"content\":");
    if (said.text.empty()) {
      m_out.append("null");
    } else {
      m_out.append("\"").append(said.text).append("\"");
    }
    append_thoughts(said.thoughts);
    append_calls(said);
    m_out.append("}");
    return append_outputs(said);
  }

  void append_thoughts(const CarriedThoughts& thoughts) {
    if (!thoughts.reasoning.empty()) m_out.append(",\"reasoning_content\":\"").append(thoughts.reasoning).append("\"");
    if (thoughts.thinking_blocks.empty()) return;
    m_out.append(",\"thinking_blocks\":[").append(thoughts.thinking_blocks).append("]");
  }

  void append_calls(const Said& said) {
    if (said.calls.empty()) return;
    const std::string extras = "{" + said.thoughts.extra_contents + "}";
    m_out.append(",\"tool_calls\":[");
    for (const Said::Call& call : said.calls) {
      if (&call != &said.calls.front()) m_out.push_back(',');
      m_out.append(call.head);
      const auto extra = said.thoughts.extra_contents.empty() ? std::nullopt : find_member(extras, call.id);
      if (extra) m_out.append(",\"extra_content\":").append(*extra);
      m_out.append("}");
    }
    m_out.append("]");
  }

  // What a tool message cannot hold (pictures) follows as the user's.
  Status append_outputs(const Said& said) {
    std::string media;
    for (const Said::Call& call : said.calls) {
      const auto output = m_outputs.find(call.id);
      if (output == m_outputs.end()) {
        return refuse_field(call.path, "this call has no output; send it as the item of its kind that ends in _output");
      }
      const auto content = read_item_content(output->second.raw, output->second.path, "\\n");
      if (!content) return content.error();
      output->second.is_used = true;
      open_message();
      m_out.append(R"({"role":"tool","tool_call_id":")").append(call.id);
      m_out.append("\",\"content\":\"").append(content->text).append("\"}");
      append_item(media, content->media, ",");
    }
    if (!media.empty()) append_message("user", "[" + media + "]");
    return Done{};
  }

  void append_message(std::string_view role, std::string_view content) {
    settle_head();
    open_message();
    m_out.append("{\"role\":\"").append(role).append("\",\"content\":").append(content).append("}");
  }

  void open_message() {
    if (!m_out.empty()) m_out.push_back(',');
  }

  void settle_head() {
    if (m_head.empty()) return;
    m_out.append(R"({"role":"system","content":")").append(std::exchange(m_head, {})).append("\"}");
  }

  std::string m_out;
  std::string m_head;  // what is said to the model before anything else; between the quotes
  Said m_said;
  std::unordered_map<std::string_view, Output> m_outputs;  // by the call's id
};

Status add_items(std::string_view input, MessageWriter& writer) {
  JsonCursor cursor(input);
  cursor.begin_array();
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    const std::string path = "input[" + std::to_string(i) + "]";
    if (Status added = writer.add(read_item(cursor), path); !added) return added;
  }
  return Done{};
}

}  // namespace

Result<std::string> chat_messages(std::string_view instructions, std::string_view input) {
  MessageWriter writer;
  if (!text_body(instructions).empty()) writer.add_system(text_body(instructions));
  if (input.substr(0, 1) == "\"") {
    writer.add_user(input);
  } else {
    if (Status read = writer.read_outputs(input); !read) return read.error();
    if (Status added = add_items(input, writer); !added) return added.error();
  }
  auto messages = writer.finish();
  if (messages && messages->empty()) return refuse_field("input", "says nothing to the model");
  return messages;
}

}  // namespace nemo::protocol
