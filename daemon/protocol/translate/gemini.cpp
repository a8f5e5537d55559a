#include "daemon/protocol/translate/gemini.h"

namespace nemo::protocol {

std::unique_ptr<Conversation> make_gemini_conversation(const Talk& /*talk*/) {
  return nullptr;
}

}  // namespace nemo::protocol
