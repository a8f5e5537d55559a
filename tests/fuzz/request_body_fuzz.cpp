// What is taken as a body is JSON for another parser too, its fields lie where they say, and an edit of it is still
// JSON.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/protocol/field_edit.h"
#include "daemon/protocol/openai.h"
#include "tests/fuzz/require.h"

using namespace nemo::protocol;

namespace {

bool is_json_elsewhere(std::string_view text) {
  simdjson::dom::parser parser;
  const auto outcome = parser.parse(text.data(), text.size(), true).error();
  // Numbers beyond 64 bits or doubles and half surrogate pairs are let through here and not there.
  return outcome == simdjson::SUCCESS || outcome == simdjson::NUMBER_ERROR || outcome == simdjson::STRING_ERROR;
}

void check_fields(const RequestBody& body) {
  for (const Field& field : body.fields()) {
    const std::string_view whole = body.bytes().substr(field.begin, field.end - field.begin);
    REQUIRE_RULE(whole.substr(1, field.key.size()) == field.key);
    REQUIRE_RULE(whole.substr(whole.size() - field.value.size()) == field.value);
  }
}

void check_edit(const RequestBody& body) {
  FieldEdit edit;
  edit.set("model", "\"m\"");
  if (!body.fields().empty()) edit.remove(std::string(body.fields().front().key));
  const std::string edited = edit.apply(body);
  REQUIRE_RULE(RequestBody::parse(edited).ok());
}

template <typename Parse>
void check_surface(const RequestBody& body, Parse parse) {
  const auto spec = parse(body);
  if (!spec.ok()) return;
  const auto sent = RequestBody::parse(upstream_body(body, *spec, "up", Extensions::strip));
  REQUIRE_RULE(sent.ok());
  REQUIRE_RULE(sent->find("nemo_tags") == nullptr);
  REQUIRE_RULE(sent->find("model") != nullptr && sent->find("model")->value == "\"up\"");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto body = RequestBody::parse(text);
  if (!body.ok()) return 0;
  REQUIRE_RULE(body->bytes() == text);
  REQUIRE_RULE(is_json_elsewhere(text));
  check_fields(*body);
  check_edit(*body);
  check_surface(*body, parse_chat);
  check_surface(*body, parse_completions);
  check_surface(*body, parse_embeddings);
  return 0;
}
