#include "daemon/protocol/surfaces/ollama_messages.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

// Raw values; empty: not there, or null.
struct OllamaMessage {
  std::string_view role, content, images, tool_calls, tool_name, tool_call_id;
};

struct OllamaCall {
  std::string_view id, name, arguments;
};

OllamaMessage read_message(std::string_view raw) {
  OllamaMessage message;
  JsonCursor cursor(raw);
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (value == "null") return;
    if (key == "role") message.role = value;
    if (key == "content") message.content = value;
    if (key == "images") message.images = value;
    if (key == "tool_calls") message.tool_calls = value;
    if (key == "tool_name" || (key == "name" && message.tool_name.empty())) message.tool_name = value;
    if (key == "tool_call_id") message.tool_call_id = value;
  });
  return message;
}

OllamaCall read_call(std::string_view raw) {
  OllamaCall call;
  JsonCursor cursor(raw);
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (key == "id" && value != "null") call.id = value;
    if (key != "function") return;
    JsonCursor inner(value);
    each_field(inner, [&](std::string_view field) {
      const std::string_view part = inner.take();
      if (part == "null") return;
      if (field == "name") call.name = part;
      if (field == "arguments") call.arguments = part;
    });
  });
  return call;
}

std::string place(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

bool is_text(std::string_view raw) {
  return !raw.empty() && raw.front() == '"';
}

// By the first characters of base64: a file's kind is in its first bytes.
std::string_view media_type_of(std::string_view base64) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> k_kinds{
      {{"iVBORw0KGgo", "image/png"}, {"/9j/", "image/jpeg"}, {"R0lGOD", "image/gif"}, {"UklGR", "image/webp"}}};
  for (const auto& [begin, type] : k_kinds) {
    if (base64.starts_with(begin)) return type;
  }
  return {};
}

Result<std::string> image_part(std::string_view raw, const std::string& field) {
  if (!is_text(raw)) return refuse_field(field, "must be an image as base64 text");
  // A slash may be escaped; nothing else of base64 is.
  std::string unescaped;
  std::string_view data = text_body(raw);
  if (data.find('\\') != std::string_view::npos) data = unescaped = unescape(data);
  std::string url = "data:";
  if (data.starts_with(url)) {
    url = data;
  } else {
    const std::string_view type = media_type_of(data);
    if (type.empty()) return refuse_field(field, "must be a PNG, JPEG, GIF or WebP image as base64 text");
    url.append(type).append(";base64,").append(data);
  }
  return R"({"type":"image_url","image_url":{"url":)" + quote_json(url) + "}}";
}

// One conversation, from its first message to its last.
class MessageTeller {
 public:
  Status add(std::string_view raw, const std::string& field) {
    if (raw.empty() || raw.front() != '{') return refuse_field(field, "must be an object");
    const OllamaMessage message = read_message(raw);
    if (!is_text(message.role)) return refuse_field(field + ".role", "must be text");
    if (!message.content.empty() && !is_text(message.content)) return refuse_field(field + ".content", "must be text");
    m_out.append(m_out.empty() ? "[" : ",").append("{\"role\":").append(message.role);
    if (Status added = add_content(message, field); !added) return added;
    const std::string_view role = text_body(message.role);
    if (role == "assistant") {
      if (Status added = add_calls(message.tool_calls, field + ".tool_calls"); !added) return added;
    } else if (role == "tool") {
      const auto id = answered_call(message, field);
      if (!id) return id.error();
      m_out.append(",\"tool_call_id\":").append(*id);
    }
    m_out.push_back('}');
    return Done{};
  }

  std::string take() { return m_out.append("]"); }

 private:
  // A call that no tool has answered yet.
  struct OpenCall {
    std::string id;  // raw
    std::string name;
  };

  Status add_content(const OllamaMessage& message, const std::string& field) {
    const bool says_nothing = text_body(message.content).empty();
    std::string parts;
    if (!message.images.empty()) {
      JsonCursor cursor(message.images);
      if (cursor.peek() != '[') return refuse_field(field + ".images", "must be a list");
      cursor.begin_array();
      for (std::size_t i = 0; cursor.next_element(); ++i) {
        const auto part = image_part(cursor.take(), place(field + ".images", i));
        if (!part) return part.error();
        parts.append(",").append(*part);
      }
    }
    m_out.append(",\"content\":");
    if (!parts.empty()) {
      const std::string text = says_nothing ? "" : "{\"type\":\"text\",\"text\":" + std::string(message.content) + "}";
      m_out.append("[").append(text).append(text.empty() ? parts.substr(1) : parts).append("]");
    } else if (says_nothing) {
      m_out.append(message.tool_calls.empty() ? "\"\"" : "null");
    } else {
      m_out.append(message.content);
    }
    return Done{};
  }

  Status add_calls(std::string_view calls, const std::string& field) {
    m_open.clear();  // what was called earlier is answered, or never will be
    if (calls.empty()) return Done{};
    JsonCursor cursor(calls);
    if (cursor.peek() != '[') return refuse_field(field, "must be a list");
    cursor.begin_array();
    std::string told;
    for (std::size_t i = 0; cursor.next_element(); ++i) {
      if (Status added = add_call(read_call(cursor.take()), place(field, i), told); !added) return added;
    }
    if (!told.empty()) m_out.append(",\"tool_calls\":[").append(told).append("]");
    return Done{};
  }

  Status add_call(const OllamaCall& call, const std::string& field, std::string& told) {
    if (!is_text(call.name)) return refuse_field(field + ".function.name", "must be text");
    std::string arguments = "\"{}\"";
    if (is_text(call.arguments)) {
      arguments = call.arguments;
    } else if (!call.arguments.empty()) {
      if (call.arguments.front() != '{') return refuse_field(field + ".function.arguments", "must be an object");
      arguments = quote_json(call.arguments);
    }
    m_open.push_back({is_text(call.id) ? std::string(call.id) : make_id(), unescape(text_body(call.name))});
    told.append(told.empty() ? "" : ",").append("{\"id\":").append(m_open.back().id);
    told.append(R"(,"type":"function","function":{"name":)").append(call.name);
    told.append(",\"arguments\":").append(arguments).append("}}");
    return Done{};
  }

  // Nine letters and digits: no upstream's rule for ids is stricter than Mistral's.
  std::string make_id() {
    constexpr std::size_t k_digits = 5;
    const std::string number = std::to_string(m_made++);
    std::string id = "\"call";
    if (number.size() < k_digits) id.append(k_digits - number.size(), '0');
    return id.append(number).append("\"");
  }

  // The id of the call that a tool's message answers: by that id, else the first open call of its name, else the first.
  Result<std::string> answered_call(const OllamaMessage& message, const std::string& field) {
    const auto take = [this](std::vector<OpenCall>::iterator at) {
      std::string id = std::move(at->id);
      m_open.erase(at);
      return id;
    };
    const auto by_id =
        std::find_if(m_open.begin(), m_open.end(), [&](const OpenCall& one) { return one.id == message.tool_call_id; });
    if (by_id != m_open.end()) return take(by_id);
    const auto name = read_text(message.tool_name);
    const auto by_name =
        std::find_if(m_open.begin(), m_open.end(), [&](const OpenCall& one) { return name && one.name == *name; });
    if (by_name != m_open.end()) return take(by_name);
    if (!m_open.empty()) return take(m_open.begin());
    if (is_text(message.tool_call_id)) return std::string(message.tool_call_id);
    return refuse_field(field, "is a tool's answer, and no tool_calls before it are left to be answered");
  }

  std::string m_out;
  std::vector<OpenCall> m_open;
  std::size_t m_made = 0;
};

}  // namespace

Result<std::string> ollama_messages_to_chat(std::string_view messages) {
  MessageTeller teller;
  JsonCursor cursor(messages);
  cursor.begin_array();
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    if (Status added = teller.add(cursor.take(), place("messages", i)); !added) return added.error();
  }
  return teller.take();
}

}  // namespace nemo::protocol
