#include "daemon/protocol/surfaces/responses_carrier.h"

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/json_text.h"
#include "daemon/protocol/json_walk.h"
#include "daemon/protocol/messages_events.h"

namespace nemo::protocol {
namespace {

constexpr std::string_view k_mark = "nemo:";  // other services' thoughts are base64

std::string inside(std::string_view value, char open) {
  if (value.size() <= 2 || value.front() != open) return {};
  return std::string(value.substr(1, value.size() - 2));
}

}  // namespace

std::string pack_thoughts(const CarriedThoughts& thoughts) {
  std::string out(k_mark);
  out.append("{\"reasoning\":\"").append(thoughts.reasoning);
  out.append("\",\"thinking_blocks\":[").append(thoughts.thinking_blocks);
  out.append("],\"extra_contents\":{").append(thoughts.extra_contents).append("}}");
  return quote_json(out);
}

std::optional<CarriedThoughts> unpack_thoughts(std::string_view raw_text) {
  const std::string_view body = text_body(raw_text);
  if (body.substr(0, k_mark.size()) != k_mark) return std::nullopt;
  const std::string object = unescape(body.substr(k_mark.size()));
  CarriedThoughts thoughts;
  JsonCursor cursor(object);
  if (cursor.peek() != '{') return std::nullopt;
  each_field(cursor, [&](std::string_view key) {
    const std::string_view value = cursor.take();
    if (key == "reasoning") thoughts.reasoning = text_body(value);
    if (key == "thinking_blocks") thoughts.thinking_blocks = inside(value, '[');
    if (key == "extra_contents") thoughts.extra_contents = inside(value, '{');
  });
  if (!cursor.at_end()) return std::nullopt;
  return thoughts;
}

}  // namespace nemo::protocol
