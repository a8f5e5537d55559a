#include "daemon/protocol/surfaces/gemini_tools.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"
#include "daemon/protocol/surfaces/gemini_fields.h"
#include "daemon/protocol/surfaces/gemini_schema.h"
#include "daemon/protocol/translate/request_fields.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_calling = "toolConfig.functionCallingConfig";

struct Calling {
  std::string mode;  // "AUTO", "ANY", "NONE", "VALIDATED"; empty: not stated
  std::vector<std::string> allowed;

  bool allows(const std::string& name) const {
    return allowed.empty() || std::find(allowed.begin(), allowed.end(), name) != allowed.end();
  }
};

Result<Calling> read_calling(std::string_view tool_config) {
  Calling calling;
  if (tool_config.empty()) return calling;
  std::string_view config, mode, names;
  if (!read_fields(tool_config, {{"functionCallingConfig", &config}})) {
    return refuse_field("toolConfig", "must be an object");
  }
  if (config.empty()) return calling;
  if (!read_fields(config, {{"mode", &mode}, {"allowedFunctionNames", &names}})) {
    return refuse_field(k_calling, "must be an object");
  }
  calling.mode = text_body(mode);
  for (char& c : calling.mode) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  const bool is_known = mode.empty() || calling.mode == "AUTO" || calling.mode == "ANY" || calling.mode == "NONE" ||
                        calling.mode == "VALIDATED" || calling.mode == "MODE_UNSPECIFIED";
  if (!is_known) return refuse_field(std::string(k_calling) + ".mode", "must be AUTO, ANY, NONE or VALIDATED");
  JsonCursor cursor(names);
  if (names.empty()) return calling;
  const bool is_list = each_element(cursor, [&] { calling.allowed.push_back(read_text(cursor.take()).value_or("")); });
  if (!is_list) return refuse_field(std::string(k_calling) + ".allowedFunctionNames", "must be a list of texts");
  return calling;
}

class ToolReader {
 public:
  explicit ToolReader(const Calling& calling) : m_calling(calling) {}

  Status add(std::string_view raw, const std::string& path) {
    JsonCursor cursor(raw);
    if (cursor.peek() != '{') return refuse_field(path, "must be an object");
    cursor.begin_object();
    while (const auto key = cursor.next_field()) {
      const std::string_view value = cursor.take();
      if (value == "null") continue;
      if (!is_field(*key, "functionDeclarations")) {
        m_others.append(m_others.empty() ? "" : ", ").append(*key);
        continue;
      }
      const std::string list = path + ".functionDeclarations";
      Status read = each_item(
          value, [&](std::string_view item, std::size_t i) { return add_function(item, item_path(list, i)); });
      if (!read) return read;
    }
    return Done{};
  }

  Result<ToolsOfGemini> finish() {
    if (m_declared == 0 && !m_others.empty()) {
      return refuse_field("tools", std::string(cut_text(m_others, 200)) +
                                       " runs on Google's side and cannot be served by this model's upstream; ask a "
                                       "Gemini model at an upstream of kind vertex, or declare functions");
    }
    ToolsOfGemini made;
    if (m_declared == 0) return made;
    const bool picks = m_calling.mode == "ANY" || m_calling.mode == "VALIDATED";
    if (m_functions.empty()) {
      if (picks) {
        return refuse_field(std::string(k_calling) + ".allowedFunctionNames", "names no function that is declared");
      }
      return made;
    }
    made.tools = "[" + m_functions + "]";
    if (m_calling.mode == "AUTO" || m_calling.mode == "VALIDATED") made.choice = "\"auto\"";
    if (m_calling.mode == "NONE") made.choice = "\"none\"";
    if (m_calling.mode == "ANY") {
      made.choice = m_calling.allowed.size() == 1
                        ? R"({"type":"function","function":{"name":)" + quote_json(m_calling.allowed[0]) + "}}"
                        : std::string("\"required\"");
    }
    return made;
  }

 private:
  Status add_function(std::string_view raw, const std::string& path) {
    std::string_view name, description, parameters, schema;
    const bool is_object = read_fields(raw, {{"name", &name},
                                             {"description", &description},
                                             {"parameters", &parameters},
                                             {"parametersJsonSchema", &schema}});
    if (!is_object) return refuse_field(path, "must be an object");
    if (text_body(name).empty()) return refuse_field(path + ".name", "must be text that is not empty");
    ++m_declared;
    const bool picks = m_calling.mode == "ANY" || m_calling.mode == "VALIDATED";
    if (picks && !m_calling.allows(unescape(text_body(name)))) return Done{};
    std::string json = R"({"type":"function","function":{"name":)" + std::string(name);
    if (!text_body(description).empty()) json.append(",\"description\":").append(description);
    if (!parameters.empty() && parameters.front() != '{')
      return refuse_field(path + ".parameters", "must be an object");
    if (!schema.empty() && schema.front() != '{') {
      return refuse_field(path + ".parametersJsonSchema", "must be an object");
    }
    json.append(",\"parameters\":");
    if (!schema.empty()) {
      json.append(schema);
    } else if (!parameters.empty()) {
      json.append(json_schema_of(parameters));
    } else {
      json.append(R"({"type":"object","properties":{}})");
    }
    m_functions.append(m_functions.empty() ? "" : ",").append(json).append("}}");
    return Done{};
  }

  const Calling& m_calling;
  std::string m_functions;
  std::size_t m_declared = 0;
  std::string m_others;
};

}  // namespace

Result<ToolsOfGemini> chat_tools_of(std::string_view tools, std::string_view tool_config) {
  const auto calling = read_calling(tool_config);
  if (!calling) return calling.error();
  ToolReader reader(*calling);
  Status read =
      each_item(tools, [&](std::string_view item, std::size_t i) { return reader.add(item, item_path("tools", i)); });
  if (!read) return read.error();
  return reader.finish();
}

}  // namespace nemo::protocol
