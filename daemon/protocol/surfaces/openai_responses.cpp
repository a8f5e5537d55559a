// OpenAI's Responses, told as a chat. Source: OpenAI API reference (responses).
#include <string>
#include <utility>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/surfaces/responses_builder.h"
#include "daemon/protocol/surfaces/responses_request.h"

namespace nemo::protocol {
namespace {

class ChatToResponses final : public stream::Translator {
 public:
  explicit ChatToResponses(const Telling& telling) : m_builder(telling, ResponseEvents::send) {}

  void translate(const stream::SseEvent& event, std::string& out) override {
    if (m_builder.is_over() || event.data.empty()) return;  // clients take no comments
    if (event.data == "[DONE]") {
      finish(out);
      return;
    }
    const auto piece = read_chat_piece(event.data);
    if (piece && !piece->is_error && event.event != "error") {
      if (!m_builder.take(*piece, out)) {
        break_off(fail(ErrorKind::upstream_error, "the answer is larger than 16 MiB, and was broken off"), out);
      }
      return;
    }
    if (!piece && event.event != "error") {
      break_off(fail(ErrorKind::upstream_error, "an event of the upstream's stream cannot be read"), out);
      return;
    }
    const UpstreamComplaint complaint = read_complaint(event.data);
    tell(fail(ErrorKind::upstream_error, complaint.message), complaint.code, out);
  }
  void finish(std::string& out) override { m_builder.complete(out); }
  void break_off(const Error& error, std::string& out) override { tell(error, {}, out); }

 private:
  void tell(const Error& error, std::string_view upstream_code, std::string& out) {
    m_builder.fail(response_error_code(error, upstream_code), response_error_message(error), out);
  }

  ResponseBuilder m_builder;
};

Result<std::string> chat_answer_to_response(std::string_view chat_answer, const Telling& telling) {
  const auto piece = read_chat_piece(chat_answer);
  if (!piece || !piece->is_answer) {
    return fail(ErrorKind::upstream_error, "the upstream's answer is not a chat completion");
  }
  ResponseBuilder builder(telling, ResponseEvents::omit);
  std::string out;
  if (!builder.take(*piece, out)) return fail(ErrorKind::upstream_error, "the upstream's answer is larger than 16 MiB");
  builder.complete(out);
  builder.append_response(out);
  return out;
}

std::unique_ptr<stream::Translator> make_chat_to_responses(const Telling& telling) {
  return std::make_unique<ChatToResponses>(telling);
}

}  // namespace

const SurfaceForm& responses_form() {
  static const SurfaceForm k_form{[](const RequestBody& body, const PathWords&) { return parse_responses(body); },
                                  error_body, "text/event-stream",
                                  HubForm{response_request_to_chat, chat_answer_to_response, make_chat_to_responses}};
  return k_form;
}

}  // namespace nemo::protocol
