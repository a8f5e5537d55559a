#include "daemon/protocol/surfaces/anthropic_request_tools.h"

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/anthropic_request.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

struct Tool {
  std::string_view type, name, description, input_schema, cache_control, function;
};

Tool read_tool(std::string_view raw) {
  Tool tool;
  JsonCursor cursor(raw);
  cursor.begin_object();
  while (const auto key = cursor.next_field()) {
    const std::string_view value = cursor.take();
    if (value == "null") continue;
    if (*key == "type") {
      tool.type = value;
    } else if (*key == "name") {
      tool.name = value;
    } else if (*key == "description") {
      tool.description = value;
    } else if (*key == "input_schema") {
      tool.input_schema = value;
    } else if (*key == "cache_control" && value.front() == '{') {
      tool.cache_control = value;
    } else if (*key == "function") {
      tool.function = value;
    }
  }
  return tool;
}

Status check_type(const Tool& tool, const std::string& path) {
  if (!tool.function.empty()) {
    return refuse_field(path + ".function", "is OpenAI's form; send such a body to POST /v1/chat/completions");
  }
  if (tool.type.empty() || tool.type == "\"custom\"") return Done{};
  const std::string type(cut_text(text_body(tool.type), 64));
  return refuse_field(path + ".type", "\"" + type +
                                          "\" is a tool that only Anthropic has; this model can be served with tools "
                                          "of type \"custom\" alone");
}

Result<std::string> tool_json(std::string_view raw, const std::string& path) {
  if (raw.empty() || raw.front() != '{') return refuse_field(path, "must be an object");
  const Tool tool = read_tool(raw);
  if (const Status checked = check_type(tool, path); !checked) return checked.error();
  if (text_body(tool.name).empty()) return refuse_field(path + ".name", "must be text that is not empty");
  if (!tool.input_schema.empty() && tool.input_schema.front() != '{') {
    return refuse_field(path + ".input_schema", "must be an object");
  }
  ObjectText function;
  function.put("name", tool.name);
  if (!text_body(tool.description).empty()) function.put("description", tool.description);
  function.put("parameters", tool.input_schema.empty() ? R"({"type":"object","properties":{}})" : tool.input_schema);
  ObjectText out;
  out.put("type", "\"function\"");
  out.put("function", function.take());
  out.put("cache_control", tool.cache_control);
  return out.take();
}

Result<std::string> choice_json(std::string_view raw) {
  constexpr std::string_view k_expected = "must be an object with a type: auto, any, none, or tool with a name";
  if (raw.front() != '{') return refuse_field("tool_choice", k_expected);
  const std::string_view type = find_member(raw, "type").value_or(std::string_view());
  if (type == "\"auto\"") return std::string("\"auto\"");
  if (type == "\"any\"") return std::string("\"required\"");
  if (type == "\"none\"") return std::string("\"none\"");
  if (type != "\"tool\"") return refuse_field("tool_choice", k_expected);
  const std::string_view name = find_member(raw, "name").value_or(std::string_view());
  if (text_body(name).empty()) return refuse_field("tool_choice.name", "must be the name of a tool");
  return R"({"type":"function","function":{"name":)" + std::string(name) + "}}";
}

}  // namespace

Result<ToolsOfMessages> read_chat_tools(const RequestBody& body) {
  ToolsOfMessages result;
  const std::string_view tools = given_value(body, "tools");
  if (tools.empty()) return result;
  JsonCursor cursor(tools);
  if (cursor.peek() != '[') return refuse_field("tools", "must be a list");
  cursor.begin_array();
  std::string list;
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    const auto tool = tool_json(cursor.take(), "tools[" + std::to_string(i) + "]");
    if (!tool) return tool.error();
    list.append(list.empty() ? "[" : ",").append(*tool);
  }
  if (list.empty()) return result;  // a choice among no tools is refused up there
  result.tools = list.append("]");
  const std::string_view choice = given_value(body, "tool_choice");
  if (choice.empty()) return result;
  auto chosen = choice_json(choice);
  if (!chosen) return chosen.error();
  result.choice = std::move(*chosen);
  if (find_member(choice, "disable_parallel_tool_use") == "true") result.parallel = "false";
  return result;
}

}  // namespace nemo::protocol
