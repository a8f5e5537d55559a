// Messages requests become chats, or a refusal that names its field; chats' answers and chunks become messages and
// events in order, and the same however they are split. A native request stays a JSON object.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/hub_conversation.h"
#include "daemon/protocol/json_cursor.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/prompt_size.h"
#include "daemon/protocol/surfaces/forms.h"
#include "daemon/protocol/translate/messages_native.h"
#include "daemon/stream/sse_scanner.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;

namespace {

// Translation goes one level deeper or two; a text at the bound of nesting may then be beyond it.
bool is_shallow(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return c == '{' || c == '['; }) < 100;
}

void check_request(const std::string& text) {
  REQUIRE_RULE(measure_prompt(text).ascii_bytes <= text.size());
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  const auto spec = messages_form().parse(*body, {});
  if (!spec.ok()) return;
  for (const MessagesFor target : {MessagesFor::anthropic, MessagesFor::vertex}) {
    const auto sent = make_messages_conversation({*body, *spec}, target)->request("claude-x", 2'000);
    REQUIRE_RULE(sent.ok() && RequestBody::parse(*sent).ok());
  }
  const auto told = messages_form().hub->request(*body, *spec);
  if (!told.ok()) {
    REQUIRE_RULE(!told.error().param.empty());
    return;
  }
  if (!is_shallow(text)) return;
  const auto chat = RequestBody::parse(*told);
  REQUIRE_RULE(chat.ok());
  REQUIRE_RULE(chat->find("messages") != nullptr && chat->find("messages")->items == Items::objects);
}

nemo::call::CallSpec any_spec() {
  return {};
}

void check_answer(const std::string& text) {
  const auto body = RequestBody::parse("{}");
  const auto spec = any_spec();
  const auto message = messages_form().hub->answer(text, {*body, spec, nemo::WallTime{}, "m"});
  if (!message.ok() || !is_shallow(text) || !simdjson::validate_utf8(text)) return;
  REQUIRE_RULE(RequestBody::parse(*message).ok());
}

std::string translated(const std::string& text, std::size_t piece) {
  const auto body = RequestBody::parse("{}");
  const auto spec = any_spec();
  const auto translator = messages_form().hub->translator({*body, spec, nemo::WallTime{}, "m"});
  nemo::stream::SseScanner scanner;
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    scanner.feed(std::string_view(text).substr(at, piece));
    while (const auto event = scanner.next()) translator->translate(*event, out);
  }
  while (const auto event = scanner.finish()) translator->translate(*event, out);
  translator->finish(out);
  return out;
}

// Blocks begin and end one after the other, and something ends the stream.
void check_order(const std::string& events) {
  nemo::stream::SseScanner scanner;
  scanner.feed(events);
  std::int64_t index = 0;
  bool is_open = false;
  bool has_ended = false;
  while (const auto event = scanner.next()) {
    REQUIRE_RULE(!has_ended);
    REQUIRE_RULE(RequestBody::parse(std::string(event->data)).ok());
    const std::int64_t stated = read_integer(find_member(event->data, "index").value_or("-1")).value_or(-1);
    if (event->event == "content_block_start") {
      // After an error a block that was incomplete may stay open.
      REQUIRE_RULE(stated == index || stated == index + 1);
      index = stated;
      is_open = true;
    } else if (event->event == "content_block_delta") {
      REQUIRE_RULE(is_open && stated == index);
    } else if (event->event == "content_block_stop") {
      REQUIRE_RULE(is_open && stated == index);
      is_open = false;
      ++index;
    }
    has_ended = event->event == "message_stop" || event->event == "error";
  }
  REQUIRE_RULE(has_ended);
}

void check_stream(const std::string& text) {
  const std::string out = translated(text, text.size() + 1);
  REQUIRE_RULE(translated(text, 1) == out);
  if (simdjson::validate_utf8(text) && is_shallow(text)) check_order(out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_request(text);
  check_answer(text);
  check_stream(text);
  return 0;
}
