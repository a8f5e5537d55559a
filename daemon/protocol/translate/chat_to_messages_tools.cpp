#include "daemon/protocol/translate/chat_to_messages_tools.h"

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

std::string_view given(std::string_view object, std::string_view key) {
  const std::string_view value = find_member(object, key).value_or(std::string_view());
  return value == "null" ? std::string_view() : value;
}

// Anthropic wants a schema with a type, also of a tool that takes nothing.
Result<std::string> input_schema(std::string_view parameters, const std::string& field) {
  if (parameters.empty()) return std::string(R"({"type":"object","properties":{}})");
  JsonCursor cursor(parameters);
  if (!cursor.begin_object()) return refuse_field(field, "must be an object");
  if (!given(parameters, "type").empty()) return std::string(parameters);
  std::string out = R"({"type":"object")";
  bool has_properties = false;
  while (const auto key = cursor.next_field()) {
    const std::string_view value = cursor.take();
    if (*key == "type") continue;
    has_properties = has_properties || *key == "properties";
    out.append(",\"").append(*key).append("\":").append(value);
  }
  if (!has_properties) out.append(",\"properties\":{}");
  return out.append("}");
}

Result<std::string> read_tool(std::string_view raw, const std::string& path) {
  if (raw.empty() || raw.front() != '{') return refuse_field(path, "must be an object");
  if (given(raw, "type") != "\"function\"") {
    return refuse_field(path + ".type", "only tools of type \"function\" can be served by this model");
  }
  const std::string_view function = given(raw, "function");
  if (function.empty() || function.front() != '{') return refuse_field(path + ".function", "must be an object");
  const std::string_view name = given(function, "name");
  if (text_body(name).empty()) return refuse_field(path + ".function.name", "must be text that is not empty");
  const auto schema = input_schema(given(function, "parameters"), path + ".function.parameters");
  if (!schema) return schema.error();
  std::string out = "{\"name\":" + std::string(name);
  const std::string_view description = given(function, "description");
  if (!text_body(description).empty()) out.append(",\"description\":").append(description);
  out.append(",\"input_schema\":").append(*schema);
  std::string_view cache_control = given(raw, "cache_control");
  if (cache_control.empty()) cache_control = given(function, "cache_control");
  if (!cache_control.empty()) out.append(",\"cache_control\":").append(cache_control);
  return out.append("}");
}

// Without "}": more may be added.
Result<std::string> open_choice(std::string_view raw) {
  if (raw.empty() || raw == "\"auto\"") return std::string(R"({"type":"auto")");
  if (raw == "\"none\"") return std::string(R"({"type":"none")");
  if (raw == "\"required\"") return std::string(R"({"type":"any")");
  if (raw.front() == '{' && given(raw, "type") == "\"function\"") {
    const std::string_view function = given(raw, "function");
    const std::string_view name = function.empty() ? function : given(function, "name");
    if (!text_body(name).empty()) return R"({"type":"tool","name":)" + std::string(name);
  }
  return refuse_field("tool_choice",
                      R"(must be "auto", "none", "required" or {"type":"function","function":{"name":…}})");
}

}  // namespace

Result<MessagesTools> read_tools(const RequestBody& body) {
  MessagesTools result;
  const Field* tools = body.find("tools");
  if (tools == nullptr || tools->value == "null") return result;
  JsonCursor cursor(tools->value);
  if (cursor.peek() != '[') return refuse_field("tools", "must be a list");
  cursor.begin_array();
  std::string list;
  for (std::size_t i = 0; cursor.next_element(); ++i) {
    const auto tool = read_tool(cursor.take(), "tools[" + std::to_string(i) + "]");
    if (!tool) return tool.error();
    list.append(list.empty() ? "[" : ",").append(*tool);
  }
  if (list.empty()) return result;  // a choice among no tools is refused up there
  result.tools = list.append("]");

  const Field* field = body.find("tool_choice");
  const std::string_view raw = field == nullptr || field->value == "null" ? std::string_view() : field->value;
  auto choice = open_choice(raw);
  if (!choice) return choice.error();
  const bool is_none = raw == "\"none\"";
  const bool is_default = raw.empty() || raw == "\"auto\"";
  const Field* parallel = body.find("parallel_tool_calls");
  const bool one_at_a_time = !is_none && parallel != nullptr && parallel->value == "false";
  if (one_at_a_time) choice->append(",\"disable_parallel_tool_use\":true");
  if (!raw.empty() || one_at_a_time) result.choice = choice->append("}");
  result.forced = !is_default && !is_none;
  return result;
}

}  // namespace nemo::protocol
