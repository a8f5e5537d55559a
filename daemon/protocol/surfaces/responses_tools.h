// The tools of a response as a chat model knows them: everything is a function there. Source: OpenAI API reference
// (responses, tools; chat completions, tools).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// A tool that the caller itself runs. Views into the request.
struct ResponseTool {
  enum class Kind : std::uint8_t { function, custom };  // custom: takes free text, no JSON
  Kind kind = Kind::function;
  std::string_view name;         // between its quotes
  std::string_view space;        // the namespace that it is in, between the quotes; empty: none
  std::string_view description;  // raw; empty: none. So are the others
  std::string_view parameters, strict, format;
};

// What goes to the chat model.
struct ToolsOfResponse {
  std::string tools;   // a JSON list; empty: none
  std::string choice;  // JSON; empty: none
};

// Tools that upstream's side would have to run (web_search, …) are left out, for a model can do without them; a
// tool_choice that forces one is invalid_request.
Result<ToolsOfResponse> tools_of_response(const RequestBody& body);

// The name that a chat model knows the tool by: that of its namespace stands before its own. Between the quotes.
std::string chat_tool_name(std::string_view space, std::string_view name);
// What a custom tool is given, as the arguments of its function; `raw_input` is a raw text. Raw.
std::string chat_custom_arguments(std::string_view raw_input);

// Which tool a chat model means. Keeps copies.
class ToolNames {
 public:
  explicit ToolNames(const RequestBody& body);
  struct Meant {
    std::string chat_name;
    std::string name;   // between the quotes; so is the namespace
    std::string space;  // empty: none
    ResponseTool::Kind kind = ResponseTool::Kind::function;
  };
  // A name that nobody has given is a function of that name.
  Meant find(std::string_view chat_name) const;

 private:
  std::vector<Meant> m_tools;
};

// The text that a chat model gave a custom tool, raw; `arguments` is what stands between the quotes. Arguments that do
// not hold it are themselves the text.
std::string custom_input(std::string_view arguments);

}  // namespace nemo::protocol
