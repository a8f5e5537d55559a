#include "daemon/call/surface.h"

namespace nemo::call {

std::string_view to_string(Surface surface) {
  switch (surface) {
    case Surface::openai_chat:
      return "openai-chat";
    case Surface::openai_completions:
      return "openai-completions";
    case Surface::openai_embeddings:
      return "openai-embeddings";
  }
  return "?";
}

}  // namespace nemo::call
