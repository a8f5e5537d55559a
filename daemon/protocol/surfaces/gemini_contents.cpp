#include "daemon/protocol/surfaces/gemini_contents.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/gemini_fields.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

// Raw values of a part; empty: not there.
struct Part {
  std::string_view text, thought, signature, inline_data, file_data, call, response, code, code_result;
};

bool read_part(std::string_view raw, Part& part) {
  return read_fields(raw, {{"text", &part.text},
                           {"thought", &part.thought},
                           {"thoughtSignature", &part.signature},
                           {"inlineData", &part.inline_data},
                           {"fileData", &part.file_data},
                           {"functionCall", &part.call},
                           {"functionResponse", &part.response},
                           {"executableCode", &part.code},
                           {"codeExecutionResult", &part.code_result}});
}

// Nothing of it can be told in a chat, and nothing is lost by that.
bool says_nothing(const Part& part) {
  return part.inline_data.empty() && part.file_data.empty() && part.call.empty() && part.response.empty() &&
         part.code.empty() && part.code_result.empty() && text_body(part.text).empty();
}

void append_item(std::string_view item, std::string& list) {
  if (!list.empty()) list.push_back(',');
  list.append(item);
}

std::string text_part(std::string_view raw_text) {
  return R"({"type":"text","text":)" + std::string(raw_text) + "}";
}

// `url` is what stands between the quotes.
std::string image_part(std::string_view url) {
  return R"({"type":"image_url","image_url":{"url":")" + std::string(url) + "\"}}";
}

Error refuse_media(const std::string& path, std::string_view raw_type) {
  const std::string type = read_text(raw_type).value_or("media of no stated type");
  return refuse_field(
      path, std::string(cut_text(type, 100)) + " cannot be given to this model's upstream; send text or images");
}

Result<std::string> inline_image(std::string_view raw, const std::string& path) {
  std::string_view type, data;
  if (!read_fields(raw, {{"mimeType", &type}, {"data", &data}})) return refuse_field(path, "must be an object");
  if (!text_body(type).starts_with("image/")) return refuse_media(path, type);
  if (text_body(data).empty()) return refuse_field(path + ".data", "must be text in base64");
  return image_part("data:" + std::string(text_body(type)) + ";base64," + std::string(text_body(data)));
}

Result<std::string> linked_image(std::string_view raw, const std::string& path) {
  std::string_view type, uri;
  if (!read_fields(raw, {{"mimeType", &type}, {"fileUri", &uri}})) return refuse_field(path, "must be an object");
  if (!text_body(type).empty() && !text_body(type).starts_with("image/")) return refuse_media(path, type);
  if (!text_body(uri).starts_with("https://") || text_body(type).empty()) {
    return refuse_field(path, "this model's upstream cannot fetch the file; send its bytes as inlineData");
  }
  return image_part(text_body(uri));
}

// A call that has no response yet.
struct OpenCall {
  std::string id;
  std::string name;
};

class ContentsReader {
 public:
  Status add_system(std::string_view raw) {
    if (raw.empty()) return Done{};
    std::string text;
    if (raw.front() == '"') {  // Google's own libraries take the short form and write it out
      text = text_body(raw);
    } else {
      std::string_view parts;
      if (!read_fields(raw, {{"parts", &parts}})) return refuse_field("systemInstruction", "must be an object");
      Status read = each_item(parts, [&](std::string_view item, std::size_t i) -> Status {
        Part part;
        const bool is_text =
            read_part(item, part) && (part.text.empty() ? says_nothing(part) : part.text.front() == '"');
        if (!is_text) return refuse_field(item_path("systemInstruction.parts", i), "only text can instruct a model");
        if (!text.empty() && !text_body(part.text).empty()) text.append("\\n");
        text.append(text_body(part.text));
        return Done{};
      });
      if (!read) return read;
    }
    if (!text.empty()) append_item("{\"role\":\"system\",\"content\":\"" + text + "\"}", m_messages);
    return Done{};
  }

  Status add(std::string_view raw, const std::string& path) {
    std::string_view role, parts;
    if (!read_fields(raw, {{"role", &role}, {"parts", &parts}})) return refuse_field(path, "must be an object");
    if (!parts.empty() && parts.front() != '[' && parts.front() != '{') {
      return refuse_field(path + ".parts", "must be a list");
    }
    const std::string_view name = text_body(role);
    if (name == "model") return add_model(parts, path);
    if (!role.empty() && name != "user" && name != "function" && name != "tool" && role != "\"\"") {
      return refuse_field(path + ".role", "must be user, model or function");
    }
    end_model_turn();
    return add_user(parts, path);
  }

  std::string finish() {
    end_model_turn();
    return std::move(m_messages);
  }

 private:
  Status add_model(std::string_view parts, const std::string& path) {
    return each_item(parts, [&](std::string_view item, std::size_t i) -> Status {
      const std::string at = item_path(path + ".parts", i);
      Part part;
      if (!read_part(item, part)) return refuse_field(at, "must be an object");
      if (part.thought == "true" && part.call.empty()) return Done{};
      if (!part.call.empty()) return add_call(part, at + ".functionCall");
      if (!part.text.empty() && part.text.front() != '"') return refuse_field(at + ".text", "must be text");
      m_said.append(text_body(part.text));
      return add_code(part, m_said);
    });
  }

  // What a model ran on Google's side: as text, which is all that another model can make of it. Between the quotes.
  static Status add_code(const Part& part, std::string& text) {
    std::string_view code, output;
    read_fields(part.code, {{"code", &code}});
    read_fields(part.code_result, {{"output", &output}});
    text.append(text_body(code)).append(text_body(output));
    return Done{};
  }

  Status add_call(const Part& part, const std::string& path) {
    std::string_view id, name, args;
    if (!read_fields(part.call, {{"id", &id}, {"name", &name}, {"args", &args}})) {
      return refuse_field(path, "must be an object");
    }
    if (text_body(name).empty()) return refuse_field(path + ".name", "must be text that is not empty");
    if (!args.empty() && args.front() != '{') return refuse_field(path + ".args", "must be an object");
    OpenCall call{read_text(id).value_or(""), unescape(text_body(name))};
    ++m_call_count;
    if (call.id.empty()) call.id = made_up_id();
    std::string json = "{\"id\":" + quote_json(call.id) + R"(,"type":"function","function":{"name":)";
    json.append(name).append(",\"arguments\":").append(args.empty() ? "\"{}\"" : quote_json(args)).append("}");
    if (!text_body(part.signature).empty()) {
      json.append(R"(,"extra_content":{"google":{"thought_signature":)").append(part.signature).append("}}");
    }
    append_item(json.append("}"), m_calls);
    m_open.push_back(std::move(call));
    return Done{};
  }

  // The same from turn to turn, so that a provider's cache finds the conversation again; nine letters and digits, the
  // one form that every provider takes.
  std::string made_up_id() const {
    const std::string number = std::to_string(m_call_count);
    return "call" + std::string(number.size() < 5 ? 5 - number.size() : 0, '0') + number;
  }

  Status add_user(std::string_view parts, const std::string& path) {
    std::string list;
    std::string_view only_text;
    std::size_t count = 0;
    const auto take = [&](const std::string& json) {
      append_item(json, list);
      ++count;
    };
    Status read = each_item(parts, [&](std::string_view item, std::size_t i) -> Status {
      const std::string at = item_path(path + ".parts", i);
      Part part;
      if (!read_part(item, part)) return refuse_field(at, "must be an object");
      if (!part.response.empty()) return add_response(part.response, at + ".functionResponse", take);
      if (!part.call.empty()) return refuse_field(at + ".functionCall", "only the role model calls functions");
      if (!part.text.empty() && part.text.front() != '"') return refuse_field(at + ".text", "must be text");
      if (!text_body(part.text).empty()) {
        only_text = part.text;
        take(text_part(part.text));
      }
      return add_media(part, at, take);
    });
    if (!read) return read;
    if (count == 0) return Done{};
    const bool is_one_text = count == 1 && !only_text.empty();
    append_item("{\"role\":\"user\",\"content\":" + (is_one_text ? std::string(only_text) : "[" + list + "]") + "}",
                m_messages);
    return Done{};
  }

  template <typename Take>
  static Status add_media(const Part& part, const std::string& path, Take& take) {
    if (!part.inline_data.empty()) {
      const auto image = inline_image(part.inline_data, path + ".inlineData");
      if (!image) return image.error();
      take(*image);
    }
    if (!part.file_data.empty()) {
      const auto image = linked_image(part.file_data, path + ".fileData");
      if (!image) return image.error();
      take(*image);
    }
    std::string code;
    if (Status added = add_code(part, code); !added) return added;
    if (!code.empty()) take(text_part("\"" + code + "\""));
    return Done{};
  }

  // Becomes a message of its own; pictures that came with it are the user's, behind it.
  template <typename Take>
  Status add_response(std::string_view raw, const std::string& path, Take& take) {
    std::string_view id, name, response, parts;
    const bool is_object = read_fields(raw, {{"id", &id}, {"name", &name}, {"response", &response}, {"parts", &parts}});
    if (!is_object) return refuse_field(path, "must be an object");
    const auto call = take_open_call(unescape(text_body(id)), unescape(text_body(name)));
    if (!call) return refuse_field(path, "answers no functionCall that came before it");
    append_item(
        "{\"role\":\"tool\",\"tool_call_id\":" + quote_json(*call) + ",\"content\":" + response_text(response) + "}",
        m_messages);
    return each_item(parts, [&](std::string_view item, std::size_t i) -> Status {
      const std::string at = item_path(path + ".parts", i);
      Part part;
      if (!read_part(item, part)) return refuse_field(at, "must be an object");
      return add_media(part, at, take);
    });
  }

  // Clients that got no id with a call make one up for its response alone.
  std::optional<std::string> take_open_call(const std::string& id, const std::string& name) {
    auto found =
        std::find_if(m_open.begin(), m_open.end(), [&](const OpenCall& c) { return !id.empty() && c.id == id; });
    if (found == m_open.end()) {
      found =
          std::find_if(m_open.begin(), m_open.end(), [&](const OpenCall& c) { return name.empty() || c.name == name; });
    }
    if (found == m_open.end()) return std::nullopt;
    std::string taken = std::move(found->id);
    m_open.erase(found);
    return taken;
  }

  // With its quotes. Google's word for what a function gave back is "output"; beside anything else it is one field of
  // many.
  static std::string response_text(std::string_view response) {
    if (response.empty()) return "\"\"";
    if (response.front() == '"') return std::string(response);
    JsonCursor cursor(response);
    if (cursor.peek() == '{') {
      cursor.begin_object();
      const auto key = cursor.next_field();
      const std::string_view value = key ? cursor.take() : std::string_view();
      if (key && *key == "output" && value.front() == '"' && !cursor.next_field()) return std::string(value);
    }
    return quote_json(response);
  }

  void end_model_turn() {
    if (m_said.empty() && m_calls.empty()) return;
    std::string message = "{\"role\":\"assistant\",\"content\":";
    message.append(m_said.empty() ? "null" : "\"" + m_said + "\"");
    if (!m_calls.empty()) message.append(",\"tool_calls\":[").append(m_calls).append("]");
    append_item(message.append("}"), m_messages);
    m_said.clear();
    m_calls.clear();
  }

  std::string m_messages;
  std::string m_said;   // by the model in the turn that is being read, between the quotes
  std::string m_calls;  // its tool_calls
  std::vector<OpenCall> m_open;
  std::size_t m_call_count = 0;
};

}  // namespace

Result<std::string> chat_messages_of(std::string_view contents, std::string_view system) {
  ContentsReader reader;
  if (Status added = reader.add_system(system); !added) return added.error();
  Status read = each_item(
      contents, [&](std::string_view item, std::size_t i) { return reader.add(item, item_path("contents", i)); });
  if (!read) return read.error();
  std::string messages = reader.finish();
  if (messages.empty()) return refuse_field("contents", "says nothing: every part of it is empty");
  return messages;
}

}  // namespace nemo::protocol
