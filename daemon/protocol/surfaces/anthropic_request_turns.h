// Anthropic's turns as the messages of a chat. Source: Anthropic API reference (messages, vision, tool use).
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::protocol {

// The whole list of chat messages, from the raw values of "system" (may be empty) and "messages". A turn's tool results
// become messages of their own, before what the user says in it; their images go to the user's message, because a chat
// has them nowhere else. Texts go over as they stand between their quotes.
Result<std::string> read_chat_turns(std::string_view system, std::string_view messages);

}  // namespace nemo::protocol
