#include "daemon/protocol/surfaces/anthropic_request_turns.h"

#include <cstdint>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/anthropic_parts.h"
#include "daemon/protocol/surfaces/anthropic_request.h"
#include "daemon/protocol/translate/message_to_chat.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

// A chat has no field for it, and a model that does not know takes the message for what it asked for.
constexpr std::string_view k_failed = "The tool call failed: ";
constexpr std::string_view k_failed_silently = "The tool call failed.";
constexpr std::string_view k_image_follows = "The result is an image; it follows in the next message.";

void append_item(std::string& list, std::string_view item) {
  if (!list.empty()) list.push_back(',');
  list.append(item);
}

Error cannot_serve(const ContentBlock& block, const std::string& path) {
  const std::string type(cut_text(text_body(block.type), 64));
  return refuse_field(path + ".type", "a block of type \"" + type + "\" cannot be served by this model here");
}

// Calls `use(block, path)` for each block of the field; a text alone is one text block.
template <typename Use>
Status each_block(std::string_view content, const std::string& field, Use&& use) {
  if (content.empty()) return refuse_field(field, "is missing");
  if (content.front() == '"') {
    ContentBlock block;
    block.type = "\"text\"";
    block.text = content;
    return use(block, field);
  }
  JsonCursor cursor(content);
  if (cursor.peek() != '[') return refuse_field(field, "must be text or a list of blocks");
  cursor.begin_array();
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    const std::string block_path = field + "[" + std::to_string(i) + "]";
    if (cursor.peek() != '{') return refuse_field(block_path, "must be an object");
    if (Status used = use(read_content_block(cursor), block_path); !used) return used;
  }
  return Done{};
}

struct Turn {
  std::string_view role, content;  // raw
};

Turn read_turn(JsonCursor& cursor) {
  Turn turn;
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    const std::string_view value = cursor.take();
    if (*key == "role") turn.role = value;
    if (*key == "content" && value != "null") turn.content = value;
  }
  return turn;
}

class TurnTeller {
 public:
  Status tell(const Turn& turn, const std::string& path) {
    const std::string_view role = text_body(turn.role);
    const std::string field = path + ".content";
    if (role == "user") return tell_user(turn.content, field);
    if (role == "assistant") return tell_assistant(turn.content, field);
    if (role == "system") return tell_system(turn.content, field);
    return refuse_field(path + ".role",
                        "must be user, assistant or system; a chat in OpenAI's form goes to POST /v1/chat/completions");
  }

  Status tell_system(std::string_view content, const std::string& field) {
    ChatParts parts;
    Status read = each_block(content, field, [&](const ContentBlock& block, const std::string& at) {
      return block.type == "\"text\"" ? add_text(block, at, parts) : Status(cannot_serve(block, at));
    });
    if (!read) return read;
    if (!parts.empty()) add_message("system", parts.content(Texts::apart));
    return Done{};
  }

  std::string take() { return "[" + m_messages + "]"; }
  bool empty() const { return m_messages.empty(); }

 private:
  static Status add_text(const ContentBlock& block, const std::string& path, ChatParts& parts) {
    if (block.text.empty() || block.text.front() != '"') return refuse_field(path + ".text", "must be text");
    parts.add_text(text_body(block.text), block.cache_control);
    return Done{};
  }

  Status tell_user(std::string_view content, const std::string& field) {
    ChatParts said;
    ChatParts shown;  // images of tool results
    Status read = each_block(content, field, [&](const ContentBlock& block, const std::string& at) {
      if (block.type == "\"text\"") return add_text(block, at, said);
      if (block.type == "\"tool_result\"") return tell_result(block, at, shown);
      return add_media(block, at, said);
    });
    if (!read) return read;
    shown.add_all(said);
    if (!shown.empty()) add_message("user", shown.content(Texts::apart));
    return Done{};
  }

  static Status add_media(const ContentBlock& block, const std::string& path, ChatParts& parts) {
    if (block.type == "\"image\"") return add_image(block, path, parts);
    if (block.type == "\"document\"") return add_document(block, path, parts);
    return cannot_serve(block, path);
  }

  Status tell_result(const ContentBlock& block, const std::string& path, ChatParts& shown) {
    if (text_body(block.tool_use_id).empty())
      return refuse_field(path + ".tool_use_id", "must be text that is not empty");
    const bool failed = block.is_error == "true";
    ChatParts result;
    ChatParts images;
    if (!block.content.empty()) {
      Status read = each_block(block.content, path + ".content", [&](const ContentBlock& one, const std::string& at) {
        if (one.type == "\"text\"") return add_text(one, at, result);
        return one.type == "\"image\"" ? add_image(one, at, images) : add_media(one, at, result);
      });
      if (!read) return read;
    }
    if (!images.empty()) {
      shown.add_text("The image of the tool result " + std::string(text_body(block.tool_use_id)) + ":", {});
      shown.add_all(images);
      if (result.empty()) result.add_text(k_image_follows, {});
    }
    if (failed) result.begin_with(result.empty() ? k_failed_silently : k_failed);
    if (!block.cache_control.empty()) result.keep_cached(block.cache_control);
    ObjectText message;
    message.put("role", "\"tool\"");
    message.put("tool_call_id", block.tool_use_id);
    message.put("content", result.content(Texts::apart));
    append_item(m_messages, message.take());
    return Done{};
  }

  // What an assistant's turn holds besides its text.
  struct Said {
    ChatParts parts;
    std::string reasoning;        // between the quotes
    std::string thinking_blocks;  // elements with commas
    std::string tool_calls;       // elements with commas
  };

  Status tell_assistant(std::string_view content, const std::string& field) {
    Said said;
    Status read = each_block(content, field, [&](const ContentBlock& block, const std::string& at) {
      if (block.type == "\"text\"") return add_text(block, at, said.parts);
      if (block.type == "\"tool_use\"") return add_call(block, at, said);
      return add_thinking(block, at, said);
    });
    if (!read) return read;
    if (said.parts.empty() && said.tool_calls.empty() && said.thinking_blocks.empty() && said.reasoning.empty()) {
      return Done{};
    }
    ObjectText message;
    message.put("role", "\"assistant\"");
    message.put("content", said.parts.empty() && !said.tool_calls.empty() ? "null" : said.parts.content(Texts::joined));
    if (!said.reasoning.empty()) message.put("reasoning_content", "\"" + said.reasoning + "\"");
    if (!said.thinking_blocks.empty()) message.put("thinking_blocks", "[" + said.thinking_blocks + "]");
    if (!said.tool_calls.empty()) message.put("tool_calls", "[" + said.tool_calls + "]");
    append_item(m_messages, message.take());
    return Done{};
  }

  static Status add_call(const ContentBlock& block, const std::string& path, Said& said) {
    if (text_body(block.id).empty()) return refuse_field(path + ".id", "must be text that is not empty");
    if (text_body(block.name).empty()) return refuse_field(path + ".name", "must be text that is not empty");
    if (!block.input.empty() && block.input.front() != '{') return refuse_field(path + ".input", "must be an object");
    ObjectText function;
    function.put("name", block.name);
    function.put("arguments", block.input.empty() ? "\"{}\"" : quote_json(block.input));
    ObjectText call;
    call.put("id", block.id);
    call.put("type", "\"function\"");
    call.put("function", function.take());
    append_item(said.tool_calls, call.take());
    return Done{};
  }

  static Status add_thinking(const ContentBlock& block, const std::string& path, Said& said) {
    if (block.type == "\"redacted_thinking\"") {
      append_item(said.thinking_blocks, redacted_thinking_block(text_body(block.data)));
      return Done{};
    }
    if (block.type != "\"thinking\"") return cannot_serve(block, path);
    const std::string_view thinking = text_body(block.thinking);
    said.reasoning.append(thinking);
    // Reasoning of a model that signs nothing came to the client with an empty signature.
    if (const auto signature = text_body(block.signature); !signature.empty()) {
      append_item(said.thinking_blocks, thinking_block(thinking, signature));
    }
    return Done{};
  }

  void add_message(std::string_view role, const std::string& content) {
    append_item(m_messages, "{\"role\":\"" + std::string(role) + "\",\"content\":" + content + "}");
  }

  std::string m_messages;  // with commas
};

}  // namespace

Result<std::string> read_chat_turns(std::string_view system, std::string_view messages) {
  TurnTeller teller;
  if (!system.empty()) {
    if (const Status told = teller.tell_system(system, "system"); !told) return told.error();
  }
  JsonCursor cursor(messages);
  cursor.begin_array();
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    const std::string path = "messages[" + std::to_string(i) + "]";
    if (cursor.peek() != '{') return refuse_field(path, "must be an object");
    if (const Status told = teller.tell(read_turn(cursor), path); !told) return told.error();
  }
  if (teller.empty()) return refuse_field("messages", "hold nothing that a model could answer");
  return teller.take();
}

}  // namespace nemo::protocol
