// Anthropic's Messages served by an upstream that speaks them: bytes pass, but for what is Nemo's to set. Source:
// Anthropic API reference (messages); Vertex AI, Claude models (model in the URL, anthropic_version in the body).
#pragma once

#include <memory>

#include "daemon/protocol/conversation.h"
#include "daemon/protocol/translate/anthropic.h"

namespace nemo::protocol {

std::unique_ptr<Conversation> make_messages_conversation(const Talk& talk, MessagesFor target);

}  // namespace nemo::protocol
