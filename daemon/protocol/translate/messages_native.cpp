#include "daemon/protocol/translate/messages_native.h"

namespace nemo::protocol {

std::unique_ptr<Conversation> make_messages_conversation(const Talk& /*talk*/, MessagesFor /*target*/) {
  return nullptr;
}

}  // namespace nemo::protocol
