// Gemini's generateContent served by an upstream that speaks it: bytes pass. Source: Gemini API reference.
#pragma once

#include <memory>

#include "daemon/protocol/conversation.h"

namespace nemo::protocol {

std::unique_ptr<Conversation> make_gemini_conversation(const Talk& talk);

}  // namespace nemo::protocol
