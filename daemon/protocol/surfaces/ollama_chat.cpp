#include "daemon/protocol/surfaces/forms.h"

#include "daemon/protocol/openai.h"

namespace nemo::protocol {

const SurfaceForm& ollama_chat_form() {
  static const SurfaceForm k_form{
      [](const RequestBody&, const PathWords&) -> Result<call::CallSpec> {
        return fail(ErrorKind::invalid_request, "this surface is not there yet");
      },
      error_body};
  return k_form;
}

}  // namespace nemo::protocol
