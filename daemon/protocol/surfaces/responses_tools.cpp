#include "daemon/protocol/surfaces/responses_tools.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/request_fields.h"
#include "shared/json_escape.h"

namespace nemo::protocol {
namespace {

// What most chat upstreams take for the name of a function.
constexpr std::size_t k_longest_name = 64;
constexpr std::string_view k_custom_parameters =
    R"({"type":"object","properties":{"input":{"type":"string","description":"What the tool gets, as it is."}},)"
    R"("required":["input"],"additionalProperties":false})";

struct ReadTool {
  std::string_view type;   // raw
  std::string_view inner;  // the tools of a namespace, raw
  ResponseTool tool;
};

ReadTool read_tool(JsonCursor& cursor) {
  ReadTool read;
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (value == "null") return;
    if (key == "type") read.type = value;
    if (key == "name") read.tool.name = text_body(value);
    if (key == "tools") read.inner = value;
    if (key == "description") read.tool.description = value;
    if (key == "parameters") read.tool.parameters = value;
    if (key == "strict") read.tool.strict = value;
    if (key == "format") read.tool.format = value;
  });
  return read;
}

// Walks over the tools that the caller runs, those of namespaces included.
class ToolReader {
 public:
  Status read(std::string_view list, const std::string& path, std::string_view space) {
    JsonCursor cursor(list);
    if (cursor.peek() != '[') return refuse_field(path, "must be a list");
    cursor.begin_array();
    for (std::size_t i = 0; cursor.next_element(); ++i) {
      const std::string at = path + "[" + std::to_string(i) + "]";
      if (cursor.peek() != '{') return refuse_field(at, "must be an object");
      if (Status added = add(read_tool(cursor), at, space); !added) return added;
    }
    return Done{};
  }
  std::vector<ResponseTool> take() { return std::move(m_tools); }

 private:
  Status add(ReadTool read, const std::string& at, std::string_view space) {
    const bool is_custom = read.type == "\"custom\"";
    if (read.type == "\"namespace\"") {
      if (read.inner.empty() || !space.empty()) return Done{};
      return this->read(read.inner, at + ".tools", read.tool.name);
    }
    if (!is_custom && read.type != "\"function\"") return Done{};
    if (read.tool.name.empty()) return refuse_field(at + ".name", "is missing");
    read.tool.kind = is_custom ? ResponseTool::Kind::custom : ResponseTool::Kind::function;
    read.tool.space = space;
    m_tools.push_back(read.tool);
    return Done{};
  }

  std::vector<ResponseTool> m_tools;
};

Result<std::vector<ResponseTool>> read_tools(const RequestBody& body) {
  const std::string_view list = given_value(body, "tools");
  if (list.empty()) return std::vector<ResponseTool>();
  ToolReader reader;
  if (const Status read = reader.read(list, "tools", {}); !read) return read.error();
  return reader.take();
}

std::string name_in_chat(const ResponseTool& tool) {
  return chat_tool_name(tool.space, tool.name);
}

// Chat has no grammars: the model is told what is expected.
std::string custom_description(const ResponseTool& tool) {
  std::string out(text_body(tool.description));
  const std::string_view definition = text_body(find_member(tool.format, "definition").value_or(""));
  if (!definition.empty()) {
    const std::string_view syntax = text_body(find_member(tool.format, "syntax").value_or(""));
    if (!out.empty()) out.append("\\n\\n");
    out.append("The input must follow this ").append(syntax).append(" grammar:\\n").append(definition);
  }
  return "\"" + out + "\"";
}

void append_tool(const ResponseTool& tool, std::string& out) {
  const bool is_custom = tool.kind == ResponseTool::Kind::custom;
  out.append(out.empty() ? "[" : ",");
  out.append(R"({"type":"function","function":{"name":")").append(name_in_chat(tool)).append("\"");
  const std::string description = is_custom ? custom_description(tool) : std::string(tool.description);
  if (description.size() > 2) out.append(",\"description\":").append(description);
  const std::string_view parameters = is_custom ? k_custom_parameters : tool.parameters;
  if (!parameters.empty()) out.append(",\"parameters\":").append(parameters);
  // Not strict is what chat takes for granted, and not every upstream knows the word.
  if (!is_custom && tool.strict == "true") out.append(",\"strict\":true");
  out.append("}}");
}

// tool_choice, when it is an object.
struct Forced {
  std::string_view type, name, space, mode, tools;
};

Forced read_forced(std::string_view raw) {
  Forced forced;
  JsonCursor cursor(raw);
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (key == "type") forced.type = text_body(value);
    if (key == "name") forced.name = text_body(value);
    if (key == "namespace") forced.space = text_body(value);
    if (key == "mode") forced.mode = value;
    if (key == "tools") forced.tools = value;
  });
  return forced;
}

bool is_called(const ResponseTool& tool, const Forced& by) {
  const bool is_kind = by.type == (tool.kind == ResponseTool::Kind::custom ? "custom" : "function");
  return is_kind && tool.name == by.name && (by.space.empty() || tool.space == by.space);
}

// Only those that the choice allows stay.
Status keep_allowed(const Forced& forced, std::vector<ResponseTool>& tools) {
  std::vector<Forced> allowed;
  JsonCursor cursor(forced.tools);
  const bool is_list = each_element(cursor, [&] { allowed.push_back(read_forced(cursor.take())); });
  if (!is_list) return refuse_field("tool_choice.tools", "must be a list");
  std::erase_if(tools, [&](const ResponseTool& tool) {
    return std::none_of(allowed.begin(), allowed.end(), [&](const Forced& one) { return is_called(tool, one); });
  });
  return Done{};
}

Error no_such_tool() {
  return refuse_field("tool_choice",
                      "none of the tools that it asks for can be had here; only function and custom tools are served "
                      "by this model");
}

Result<std::string> choice_of_word(std::string_view word, const std::vector<ResponseTool>& tools) {
  if (word == "\"required\"" && tools.empty()) return no_such_tool();
  if (word != "\"auto\"" && word != "\"none\"" && word != "\"required\"") {
    return refuse_field("tool_choice", "must be auto, none, required or an object");
  }
  return std::string(tools.empty() ? std::string_view() : word);
}

Result<std::string> chat_choice(std::string_view raw, std::vector<ResponseTool>& tools) {
  if (raw.empty()) return std::string();
  if (raw.front() != '{') return choice_of_word(raw, tools);
  const Forced forced = read_forced(raw);
  if (forced.type == "allowed_tools") {
    if (Status kept = keep_allowed(forced, tools); !kept) return kept.error();
    return choice_of_word(forced.mode.empty() ? "\"auto\"" : forced.mode, tools);
  }
  if (forced.type != "function" && forced.type != "custom") {
    return refuse_field("tool_choice", "a tool of type \"" + std::string(forced.type) +
                                           "\" is run by OpenAI's own servers and cannot be had here; leave "
                                           "tool_choice out, or force a function");
  }
  const auto meant =
      std::find_if(tools.begin(), tools.end(), [&](const ResponseTool& tool) { return is_called(tool, forced); });
  if (meant == tools.end()) return refuse_field("tool_choice", "names a tool that is not among the tools");
  return R"({"type":"function","function":{"name":")" + name_in_chat(*meant) + "\"}}";
}

}  // namespace

Result<ToolsOfResponse> tools_of_response(const RequestBody& body) {
  auto tools = read_tools(body);
  if (!tools) return tools.error();
  auto choice = chat_choice(given_value(body, "tool_choice"), *tools);
  if (!choice) return choice.error();
  ToolsOfResponse chat;
  chat.choice = std::move(*choice);
  std::vector<std::string> names;
  for (const ResponseTool& tool : *tools) {
    names.push_back(name_in_chat(tool));
    append_tool(tool, chat.tools);
  }
  if (!chat.tools.empty()) chat.tools.push_back(']');
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return refuse_field("tools", "two of them are named \"" + unescape(*twice) + "\"");
  return chat;
}

std::string chat_tool_name(std::string_view space, std::string_view name) {
  if (space.empty()) return std::string(name);
  std::string joined(space);
  if (!space.ends_with("_")) joined.append("__");
  joined.append(name);
  return joined.size() <= k_longest_name ? joined : std::string(name);
}

std::string chat_custom_arguments(std::string_view raw_input) {
  std::string object = "{\"input\":";
  return quote_json(object.append(raw_input).append("}"));
}

ToolNames::ToolNames(const RequestBody& body) {
  const auto tools = read_tools(body);
  if (!tools) return;  // such a request is never sent
  for (const ResponseTool& tool : *tools) {
    m_tools.push_back({name_in_chat(tool), std::string(tool.name), std::string(tool.space), tool.kind});
  }
}

ToolNames::Meant ToolNames::find(std::string_view chat_name) const {
  const auto found =
      std::find_if(m_tools.begin(), m_tools.end(), [&](const Meant& tool) { return tool.chat_name == chat_name; });
  if (found != m_tools.end()) return *found;
  return {std::string(chat_name), std::string(chat_name), {}, ResponseTool::Kind::function};
}

std::string custom_input(std::string_view arguments) {
  const std::string object = unescape(arguments);
  JsonCursor cursor(object);
  std::optional<std::string_view> input;
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (key == "input") input = value;
  });
  if (!cursor.at_end() || !input) return "\"" + std::string(arguments) + "\"";
  return input->front() == '"' ? std::string(*input) : quote_json(*input);
}

}  // namespace nemo::protocol
