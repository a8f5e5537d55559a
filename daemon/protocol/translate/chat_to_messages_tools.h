// A chat's tools and its choice among them, as Anthropic takes them. Source: Anthropic API reference (tool use).
#pragma once

#include <string>

#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

struct MessagesTools {
  std::string tools;    // the list; empty: none
  std::string choice;   // the object; empty: Anthropic's default, auto
  bool forced = false;  // one must be called: Anthropic refuses that together with thinking
};

// Errors name the field: tools[0].type, tool_choice.
Result<MessagesTools> read_tools(const RequestBody& body);

}  // namespace nemo::protocol
