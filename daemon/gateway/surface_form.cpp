#include "daemon/gateway/surface_form.h"

namespace nemo::gateway {

const SurfaceForm& form_of(call::Surface surface) {
  static const SurfaceForm k_chat{protocol::parse_chat, "/chat/completions"};
  static const SurfaceForm k_completions{protocol::parse_completions, "/completions"};
  static const SurfaceForm k_embeddings{protocol::parse_embeddings, "/embeddings"};
  switch (surface) {
    case call::Surface::openai_chat:
      return k_chat;
    case call::Surface::openai_completions:
      return k_completions;
    case call::Surface::openai_embeddings:
      return k_embeddings;
  }
  return k_chat;
}

}  // namespace nemo::gateway
