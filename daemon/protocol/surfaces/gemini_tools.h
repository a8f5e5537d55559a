// The tools of a Gemini request as a chat's. Source: Gemini API reference (Tool, FunctionDeclaration, ToolConfig).
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::protocol {

// Raw JSON; empty: none.
struct ToolsOfGemini {
  std::string tools;
  std::string choice;
};

// Both arguments are raw and have been checked to be JSON; empty: not given. Tools that run on Google's side
// (googleSearch, codeExecution, urlContext, …) are left out beside functions, and refused by name where there are no
// functions. Where only some functions are allowed, the others are left out.
Result<ToolsOfGemini> chat_tools_of(std::string_view tools, std::string_view tool_config);

}  // namespace nemo::protocol
