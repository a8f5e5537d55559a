// OpenAI's Responses served by an upstream that has them: bytes pass. Source: OpenAI API reference (responses).
#pragma once

#include <memory>

#include "daemon/protocol/conversation.h"

namespace nemo::protocol {

std::unique_ptr<Conversation> make_responses_conversation(const Talk& talk);

}  // namespace nemo::protocol
