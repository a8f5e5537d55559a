#include "tests/support/fake_google/google_reply.h"

#include "tests/support/fake_upstream/event_stream.h"
#include "tests/support/fake_upstream/whole_answer.h"

namespace nemo::fake_google {
namespace {

using fake_upstream::Ending;
using fake_upstream::Script;
using fake_upstream::SingleStep;
using fake_upstream::Step;

const char* status_name(int status) {
  switch (status) {
    case 400:
      return "INVALID_ARGUMENT";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 499:
      return "CANCELLED";
    case 503:
      return "UNAVAILABLE";
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return "INTERNAL";
  }
}

std::string default_message(int status) {
  if (status == 429) return "Resource exhausted, please try again later.";
  return "the fake Google was told to answer " + std::to_string(status);
}

}  // namespace

Json error_json(int status, const std::string& message, ErrorForm form) {
  Json error = {{"error", {{"code", status}, {"message", message}, {"status", status_name(status)}}}};
  return form == ErrorForm::list ? Json::array({error}) : error;
}

std::string thought(std::int64_t index) {
  return (index == 0 ? "thought" : " thought") + std::to_string(index);
}

Step whole_step(const Script& script, const std::string& body, double wait_ms) {
  Step step;
  step.wait_ms = wait_ms;
  step.bytes = fake_upstream::response_head(script.status, "application/json; charset=UTF-8",
                                            static_cast<std::int64_t>(body.size()), script);
  step.bytes += "\r\n" + body;
  step.ending = Ending::keep_alive;
  return step;
}

Reply json_reply(int status, const Json& body, double wait_ms, const std::string& headers) {
  const std::string text = fake_upstream::to_text(body);
  Script script;
  script.status = status;
  Step step = whole_step(script, text, wait_ms);
  step.bytes.insert(step.bytes.find("\r\n") + 2, headers);
  Reply reply;
  reply.playback = std::make_unique<SingleStep>(std::move(step));
  return reply;
}

Reply scripted_refusal(const Script& script, ErrorForm form) {
  Reply reply;
  if (script.error_shape != "openai") {
    reply.playback = fake_upstream::refusal(script);
    return reply;
  }
  const std::string message = script.error_message.empty() ? default_message(script.status) : script.error_message;
  const Json body = script.error_type.empty()
                        ? error_json(script.status, message, form)
                        : Json{{"type", "error"}, {"error", {{"type", script.error_type}, {"message", message}}}};
  reply.playback = std::make_unique<SingleStep>(whole_step(script, fake_upstream::to_text(body), script.delay_ms));
  return reply;
}

}  // namespace nemo::fake_google
