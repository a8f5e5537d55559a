// The messages of a chat as the turns that Anthropic takes: user and assistant by turns, tool results first in the
// user's, system text apart.
#pragma once

#include <string>
#include <string_view>

#include "daemon/protocol/translate/anthropic.h"
#include "daemon/protocol/translate/chat_to_messages_blocks.h"
#include "shared/result.h"

namespace nemo::protocol {

struct ChatTurns {
  BlockList system;
  std::string messages;  // the elements with commas; empty: there was nothing to say
  // The last assistant turn calls tools and does not begin with its thinking: Anthropic would refuse a budget of
  // thinking for what follows.
  bool lost_thinking = false;
  bool ends_with_assistant = false;
};

// `messages` is the raw list. A chat of system text alone becomes what the user says; before an assistant that speaks
// first the user says ".". Errors name the message.
Result<ChatTurns> read_turns(std::string_view messages, MessagesFor target);

}  // namespace nemo::protocol
