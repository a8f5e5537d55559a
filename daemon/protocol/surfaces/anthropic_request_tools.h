// Anthropic's tools as functions of a chat. Source: Anthropic API reference (tool use).
#pragma once

#include <string>
#include <string_view>

#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// Raw JSON; empty: not to be sent.
struct ToolsOfMessages {
  std::string tools;
  std::string choice;
  std::string_view parallel;  // parallel_tool_calls
};

// Tools that Anthropic defines or runs itself are refused: `tools[0].type`.
Result<ToolsOfMessages> read_chat_tools(const RequestBody& body);

}  // namespace nemo::protocol
