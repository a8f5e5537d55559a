#include "daemon/gateway/completion_text.h"

#include <doctest/doctest.h>

#include "daemon/protocol/openai.h"

namespace nemo::test::completion_text_test {

using namespace nemo;
using gateway::CompletionText;

namespace {

std::optional<CompletionText> text_of(const std::string& fields) {
  const auto body = protocol::RequestBody::parse("{" + fields + "}");
  REQUIRE(body);
  const auto spec = protocol::parse_completions(*body);
  REQUIRE(spec);
  return gateway::completion_text(*body, *spec);
}

std::string terms_with(const std::string& field) {
  return text_of(R"("prompt":"x")" + (field.empty() ? "" : "," + field))->terms;
}

}  // namespace

TEST_CASE("prompt and suffix are decoded") {
  const auto text = text_of(R"("prompt":"a\n\u00e9","suffix":"\"b\"")");
  REQUIRE(text);
  CHECK(text->prefix == "a\n\xC3\xA9");
  CHECK(text->suffix == "\"b\"");
  CHECK(text->may_share);
  CHECK(text->has_hole);
  CHECK_FALSE(text_of(R"("prompt":"a")")->has_hole);
  CHECK(text_of(R"("prompt":"a","suffix":"")")->has_hole);
}

TEST_CASE("a prompt in which the hole is marked is taken apart") {
  const auto marked = text_of(R"("prompt":"<|fim_prefix|>int f() {<|fim_suffix|>}<|fim_middle|>")");
  REQUIRE(marked);
  CHECK(marked->prefix == "int f() {");
  CHECK(marked->suffix == "}");
  // The same hole in another family's marks is another question: the model sees other words.
  const auto other = text_of(R"("prompt":"<fim_prefix>int f() {<fim_suffix>}<fim_middle>")");
  CHECK(other->prefix == marked->prefix);
  CHECK(other->terms != marked->terms);
}

TEST_CASE("fields that change an answer are its terms, others are not") {
  const std::string plain = terms_with("");
  for (const char* field :
       {R"("model":"m")", R"("stream":true)", R"("stream_options":{"include_usage":true})", R"("user":"u")",
        R"("nemo_cache":true)", R"("max_tokens":null)", R"("metadata":{"session":"s"})"}) {
    CAPTURE(field);
    CHECK(terms_with(field) == plain);
  }
  for (const char* field : {R"("max_tokens":5)", R"("stop":["\n"])", R"("temperature":0)", R"("n":2)", R"("seed":1)",
                            R"("nemo_tags":["eu"])", R"("metadata":{"tags":["eu"]})", R"("nemo_fallbacks":["m"])",
                            R"("nemo_lane":"completion")", R"("anything":"new")"}) {
    CAPTURE(field);
    CHECK(terms_with(field) != plain);
  }
  const std::string much(5'000, 'x');
  CHECK(terms_with("\"nemo_files\":\"" + much + "a\"") != terms_with("\"nemo_files\":\"" + much + "b\""));
  CHECK(terms_with("\"nemo_files\":\"" + much + "a\"").size() < 200);
}

TEST_CASE("who asks for several answers or for more than text shares nothing") {
  for (const char* field :
       {R"("temperature":1)", R"("n":1)", R"("best_of":1)", R"("echo":false)", R"("logprobs":null)"}) {
    CAPTURE(field);
    CHECK(text_of(std::string(R"("prompt":"x",)") + field)->may_share);
  }
  for (const char* field : {R"("n":2)", R"("best_of":3)", R"("echo":true)", R"("logprobs":2)"}) {
    CAPTURE(field);
    CHECK_FALSE(text_of(std::string(R"("prompt":"x",)") + field)->may_share);
  }
}

TEST_CASE("a temperature asks for chance") {
  CHECK(text_of(R"("prompt":"x")")->is_steady);
  CHECK(text_of(R"("prompt":"x","temperature":0.01)")->is_steady);
  CHECK_FALSE(text_of(R"("prompt":"x","temperature":0.2)")->is_steady);
}

TEST_CASE("what is not one text, or wants no answer, is left alone") {
  CHECK_FALSE(text_of(R"("prompt":["a","b"])"));
  CHECK_FALSE(text_of(R"("prompt":[1,2])"));
  CHECK_FALSE(text_of(R"("prompt":"x","max_tokens":0)"));
}

}  // namespace nemo::test::completion_text_test
