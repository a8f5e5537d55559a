#include "daemon/protocol/cache_marks.h"

#include <doctest/doctest.h>

#include <string>

namespace nemo::test::cache_marks_test {

using nemo::protocol::strip_cache_marks;

namespace {

std::string stripped(std::string json) {
  strip_cache_marks(json);
  return json;
}

}  // namespace

TEST_CASE("marks are taken out wherever they stand, and nothing else is") {
  CHECK(
      stripped(
          R"({"messages":[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]}],)"
          R"("tools":[{"cache_control":{"type":"ephemeral","ttl":"1h"},"type":"function"}]})") ==
      R"({"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"tools":[{"type":"function"}]})");
  const std::string schema =
      R"({"properties":{"cache_control":{"type":"string"}},"n":1.50,"t":"\u00e9","e":[],"o":{}})";
  CHECK(stripped(schema) == schema);
}

TEST_CASE("a text without marks, or that is no JSON, stays as it is") {
  for (const std::string text : {R"({"a": 1})", R"({"cache_control":)", R"("say \"cache_control\"")"}) {
    CHECK(stripped(text) == text);
  }
}

}  // namespace nemo::test::cache_marks_test
