// Chats for Anthropic are JSON in turns, or a refusal; its answers and events give JSON, and the same however they are
// split.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/anthropic.h"
#include "daemon/stream/sse_scanner.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;

namespace {

// Arguments and inputs go one level deeper or two; a text at the bound of nesting may then be beyond it.
bool is_shallow(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '['; }) < 100;
}

void check_request(const std::string& text) {
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  const auto spec = parse_chat(*body);
  if (!spec.ok()) return;
  for (const MessagesFor target : {MessagesFor::anthropic, MessagesFor::vertex}) {
    const auto sent = chat_request_to_messages(*body, *spec, "claude-sonnet-4-5", target, {}, 0);
    if (!sent.ok()) {
      REQUIRE_RULE(!sent.error().param.empty());
      continue;
    }
    if (!is_shallow(text)) continue;
    const auto read = RequestBody::parse(*sent);
    REQUIRE_RULE(read.ok());
    const Field* messages = read->find("messages");
    REQUIRE_RULE(messages != nullptr && messages->items == Items::objects);
    JsonCursor cursor(messages->value);
    cursor.begin_array();
    bool is_user = true;
    while (cursor.next_element()) {
      const std::string_view role = find_member(cursor.take(), "role").value_or("");
      REQUIRE_RULE(role == (is_user ? "\"user\"" : "\"assistant\""));
      is_user = !is_user;
    }
  }
}

void check_answer(const std::string& text) {
  const auto answer = message_to_chat_answer(text);
  if (!answer.ok() || !is_shallow(text) || !simdjson::validate_utf8(text)) return;
  REQUIRE_RULE(RequestBody::parse(*answer).ok());
  REQUIRE_RULE(read_answer_facts(*answer).has_value());
}

std::string without_time(std::string stream) {
  constexpr std::string_view k_created = "\"created\":1";
  for (std::size_t at = 0; (at = stream.find(k_created, at)) != std::string::npos; at += k_created.size()) {
    stream.replace(at + k_created.size(), 9, "000000000");
  }
  return stream;
}

std::string translated(const std::string& text, std::size_t piece) {
  nemo::stream::SseScanner scanner;
  const auto reader = make_messages_event_reader();
  const auto translator = make_messages_to_chat_translator(UsageChunk::append);
  std::string out;
  bool malformed = false;
  const auto pass = [&](const nemo::stream::SseEvent& event) {
    reader->read(event, malformed);
    translator->translate(event, out);
  };
  for (std::size_t at = 0; at < text.size(); at += piece) {
    scanner.feed(std::string_view(text).substr(at, piece));
    while (const auto event = scanner.next()) pass(*event);
  }
  while (const auto event = scanner.finish()) pass(*event);
  translator->finish(out);
  return without_time(out);
}

void check_stream(const std::string& text) {
  const std::string out = translated(text, text.size() + 1);
  REQUIRE_RULE(translated(text, 1) == out);
  if (!simdjson::validate_utf8(text) || !is_shallow(text)) return;
  nemo::stream::SseScanner scanner;
  scanner.feed(out);
  while (const auto event = scanner.next()) {
    if (event->data.empty() || event->data == "[DONE]") continue;
    REQUIRE_RULE(RequestBody::parse(std::string(event->data)).ok());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_request(text);
  check_answer(text);
  check_stream(text);
  return 0;
}
