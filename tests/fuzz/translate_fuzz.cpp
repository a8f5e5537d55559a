// Translations of anything are JSON, or a refusal; a fence filter loses nothing but fence lines.
#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/completions_to_chat.h"
#include "daemon/protocol/translate/fence_filter.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;

namespace {

void check_request(const std::string& text) {
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return;
  const auto spec = parse_completions(*body);
  if (!spec.ok()) return;
  const auto hole = find_hole(*body);
  if (!hole.ok()) return;
  const auto chat = completions_request_to_chat(*body, *spec, *hole ? &**hole : nullptr, "up");
  if (!chat.ok()) return;
  const auto sent = RequestBody::parse(*chat);
  REQUIRE_RULE(sent.ok());
  REQUIRE_RULE(parse_chat(*sent).ok());
}

void check_answer(const std::string& text) {
  // Upstream's UTF-8 is passed on unchecked, as on every path.
  if (!simdjson::validate_utf8(text)) return;
  const std::shared_ptr<const Cleaning> as_it_is;
  for (const auto& cleaning : {as_it_is, clean_hole({}, {})}) {
    const auto answer = chat_answer_to_completions(text, cleaning);
    if (answer.ok()) REQUIRE_RULE(RequestBody::parse(*answer).ok());
    const auto translator = make_chat_to_completions_translator(cleaning);
    std::string out;
    translator->translate({"RAW", {}, text}, out);
    translator->finish(out);
    REQUIRE_RULE(out.empty() || out == "RAW" || out.substr(out.size() - 2) == "\n\n");
  }
}

void check_filter(std::string_view text) {
  FenceFilter whole;
  std::string at_once;
  whole.push(text, at_once);
  whole.finish(at_once);
  FenceFilter pieces;
  std::string byte_by_byte;
  for (const char& byte : text) pieces.push({&byte, 1}, byte_by_byte);
  pieces.finish(byte_by_byte);
  REQUIRE_RULE(at_once == byte_by_byte);
  const auto solid = [](std::string_view part) {
    return std::count_if(part.begin(), part.end(), [](char c) { return c != '`' && c != ' ' && c != '\n'; });
  };
  if (text.find("```") == std::string_view::npos) REQUIRE_RULE(at_once == text);
  REQUIRE_RULE(solid(at_once) <= solid(text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_request(text);
  check_answer(text);
  check_filter(text);
  return 0;
}
