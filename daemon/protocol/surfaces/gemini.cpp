// Google's Gemini API, and the same under Vertex AI's paths. A stream is always server-sent events, as Google's own
// clients ask for it (alt=sse).
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/surfaces/gemini_answer.h"
#include "daemon/protocol/surfaces/gemini_errors.h"
#include "daemon/protocol/surfaces/gemini_request.h"
#include "daemon/protocol/surfaces/gemini_stream.h"

namespace nemo::protocol {
namespace {

Thoughts thoughts_for(const Telling& telling) {
  return wants_thoughts(telling.body) ? Thoughts::show : Thoughts::hide;
}

Result<std::string> answer(std::string_view hub_answer, const Telling& telling) {
  return chat_answer_to_gemini(hub_answer, telling.model, thoughts_for(telling));
}

std::unique_ptr<stream::Translator> translator(const Telling& telling) {
  return make_chat_to_gemini_translator(telling.model, thoughts_for(telling));
}

}  // namespace

const SurfaceForm& gemini_form() {
  static const SurfaceForm k_form{parse_gemini, gemini_error_body, "text/event-stream",
                                  HubForm{gemini_request_to_chat, answer, translator}};
  return k_form;
}

}  // namespace nemo::protocol
