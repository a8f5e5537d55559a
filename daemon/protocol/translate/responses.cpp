#include "daemon/protocol/translate/responses.h"

namespace nemo::protocol {

std::unique_ptr<Conversation> make_responses_conversation(const Talk& /*talk*/) {
  return nullptr;
}

}  // namespace nemo::protocol
