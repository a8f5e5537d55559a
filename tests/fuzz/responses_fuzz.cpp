// Responses requests are JSON chats, or a refusal that names its field; chat streams and answers give JSON events and
// responses, and the same however they are split; what an upstream's own events say is read without a fault.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/conversation.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;
using nemo::call::Surface;

namespace {

constexpr std::string_view k_request =
    R"({"model":"m","input":"x","stream":true,"tools":[{"type":"custom","name":"p"},)"
    R"({"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]}]})";

const HubForm& hub() {
  return *form_of(Surface::openai_responses).hub;
}

// Items and arguments go a few levels deeper; a text at the bound of nesting may then be beyond it.
bool is_shallow(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '['; }) < 100;
}

void check_request(const std::string& text) {
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  const auto spec = form_of(Surface::openai_responses).parse(*body, {});
  if (!spec.ok()) {
    REQUIRE_RULE(!spec.error().param.empty());
    return;
  }
  const auto chat = hub().request(*body, *spec);
  if (!chat.ok()) {
    REQUIRE_RULE(!chat.error().param.empty());
    return;
  }
  if (!is_shallow(text)) return;
  const auto read = RequestBody::parse(*chat);
  REQUIRE_RULE(read.ok());
  const Field* messages = read->find("messages");
  REQUIRE_RULE(messages != nullptr && messages->items == Items::objects);
}

struct Asked {
  RequestBody body = RequestBody::parse(std::string(k_request)).value();
  nemo::call::CallSpec spec = form_of(Surface::openai_responses).parse(body, {}).value();
  Telling telling() const { return {body, spec, nemo::WallTime{}, "m"}; }
};

void check_answer(const std::string& text, const Asked& asked) {
  const auto response = hub().answer(text, asked.telling());
  if (!response.ok() || !is_shallow(text) || !simdjson::validate_utf8(text)) return;
  REQUIRE_RULE(RequestBody::parse(*response).ok());
}

// Ids are new for every stream; both are of one length.
std::string without_ids(std::string stream, std::string_view id) {
  for (std::size_t at = 0; (at = stream.find(id, at)) != std::string::npos;) stream.replace(at, id.size(), "ID");
  return stream;
}

std::string translated(const std::string& text, std::size_t piece, const Asked& asked) {
  nemo::stream::SseScanner scanner;
  const auto translator = hub().translator(asked.telling());
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    scanner.feed(std::string_view(text).substr(at, piece));
    while (const auto event = scanner.next()) translator->translate(*event, out);
  }
  while (const auto event = scanner.finish()) translator->translate(*event, out);
  translator->finish(out);
  constexpr std::string_view k_before = "\"id\":\"resp_";
  constexpr std::size_t k_id_length = 24;
  const std::size_t at = out.find(k_before);
  REQUIRE_RULE(at != std::string::npos);
  return without_ids(out, out.substr(at + k_before.size(), k_id_length));
}

void check_stream(const std::string& text, const Asked& asked) {
  const std::string out = translated(text, text.size() + 1, asked);
  REQUIRE_RULE(translated(text, 1, asked) == out);
  if (!simdjson::validate_utf8(text) || !is_shallow(text)) return;
  nemo::stream::SseScanner scanner;
  scanner.feed(out);
  std::string last;
  while (const auto event = scanner.next()) {
    REQUIRE_RULE(RequestBody::parse(std::string(event->data)).ok());
    last = event->event;
  }
  REQUIRE_RULE(last == "response.completed" || last == "response.incomplete" || last == "response.failed");
}

void check_native(const std::string& text, const Asked& asked) {
  const Talk talk{asked.body, asked.spec};
  const auto conversation = make_conversation(Dialect::responses, talk);
  REQUIRE_RULE(conversation.ok());
  const auto facts = (*conversation)->facts(text);
  if (facts && facts->usage) REQUIRE_RULE(facts->usage->cached_tokens <= facts->usage->input_tokens);
  const auto reader = (*conversation)->chunk_reader();
  const auto translator = (*conversation)->stream_translator();
  nemo::stream::SseScanner scanner;
  scanner.feed(text);
  std::string out;
  bool malformed = false;
  const auto pass = [&](const nemo::stream::SseEvent& event) {
    const auto read = reader->read(event, malformed);
    REQUIRE_RULE(!read.usage || read.usage->reasoning_tokens <= read.usage->output_tokens);
    out.clear();
    translator->translate(event, out);
    REQUIRE_RULE(out.empty() || out == event.raw);
  };
  while (const auto event = scanner.next()) pass(*event);
  while (const auto event = scanner.finish()) pass(*event);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Asked asked;
  check_request(text);
  check_answer(text, asked);
  check_stream(text, asked);
  check_native(text, asked);
  return 0;
}
