// Gemini's requests are chats as JSON, or a refusal that names a field; chats' answers and chunks become JSON in
// Gemini's words, the same however they are split; Gemini's own answers are read without a fault.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/surface_form.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/translate/gemini.h"
#include "daemon/stream/sse_scanner.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;

namespace {

// A schema or a part may go a level deeper on its way; a text at the bound of nesting may then be beyond it.
bool is_shallow(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '['; }) < 60;
}

void check_request(const std::string& text) {
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  const auto spec = gemini_form().parse(*body, {"m", true});
  if (!spec.ok()) return;
  const auto chat = gemini_form().hub->request(*body, *spec);
  if (!chat.ok()) {
    REQUIRE_RULE(!chat.error().param.empty());
    REQUIRE_RULE(RequestBody::parse(gemini_form().error_body(chat.error())).ok());
  } else if (is_shallow(text)) {
    JsonCursor cursor(*chat);
    cursor.skip();
    REQUIRE_RULE(cursor.at_end());
    REQUIRE_RULE(find_member(*chat, "messages").has_value());
  }
  const auto native = make_gemini_conversation(Talk{*body, *spec});
  const auto sent = native->request("m", 7);
  REQUIRE_RULE(sent.ok());
  if (!is_shallow(text)) return;
  const auto read = RequestBody::parse(*sent);
  REQUIRE_RULE(read.ok());
  const auto again = gemini_form().parse(*read, {"m", true});
  REQUIRE_RULE(again.ok() && again->max_tokens == 7);
}

// A request that wants its thoughts, and what it asks for.
struct Asked {
  Asked()
      : body(std::move(
            RequestBody::parse(
                R"({"contents":{"parts":{"text":"x"}},"generationConfig":{"thinkingConfig":{"includeThoughts":true}}})")
                .value())),
        spec(gemini_form().parse(body, {"m", true}).value()) {}
  RequestBody body;
  nemo::call::CallSpec spec;
};

void check_answer(const Asked& asked, const std::string& text) {
  const auto answer = gemini_form().hub->answer(text, {asked.body, asked.spec, {}, "m"});
  if (!answer.ok() || !is_shallow(text) || !simdjson::validate_utf8(text)) return;
  REQUIRE_RULE(RequestBody::parse(*answer).ok());
  REQUIRE_RULE(answer->find('\n') == std::string::npos);
}

std::string translated(const Asked& asked, const std::string& text, std::size_t piece) {
  nemo::stream::SseScanner scanner;
  const auto translator = gemini_form().hub->translator({asked.body, asked.spec, {}, "m"});
  const auto reader = make_gemini_conversation(Talk{asked.body, asked.spec})->chunk_reader();
  std::string out;
  const auto pass = [&](const nemo::stream::SseEvent& event) {
    bool malformed = false;
    const auto facts = reader->read(event, malformed);
    REQUIRE_RULE(!malformed || (facts.content_bytes == 0 && !facts.usage));
    translator->translate(event, out);
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    scanner.feed(std::string_view(text).substr(at, piece));
    while (const auto event = scanner.next()) pass(*event);
  }
  while (const auto event = scanner.finish()) pass(*event);
  translator->finish(out);
  return out;
}

void check_stream(const Asked& asked, const std::string& text) {
  const std::string out = translated(asked, text, text.size() + 1);
  REQUIRE_RULE(translated(asked, text, 1) == out);
  REQUIRE_RULE(out.starts_with("data: {") && out.ends_with("}\n\n"));
  if (!simdjson::validate_utf8(text) || !is_shallow(text)) return;
  nemo::stream::SseScanner scanner;
  scanner.feed(out);
  while (const auto event = scanner.next()) REQUIRE_RULE(RequestBody::parse(std::string(event->data)).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Asked k_asked;
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_request(text);
  check_answer(k_asked, text);
  check_stream(k_asked, text);
  make_gemini_conversation(Talk{k_asked.body, k_asked.spec})->facts(text);
  return 0;
}
