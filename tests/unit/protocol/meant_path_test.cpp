#include "daemon/protocol/meant_path.h"

#include <doctest/doctest.h>

#include <string>

namespace nemo::test::meant_path_test {

using namespace nemo;
using namespace nemo::protocol;
using call::Surface;

namespace {

std::string meant(Surface came_to, const std::string& json) {
  const auto body = RequestBody::parse(json);
  REQUIRE(body.ok());
  return std::string(meant_path(came_to, *body));
}

}  // namespace

TEST_CASE("a body that came to another surface's path is told where it was meant to go") {
  const std::string gemini = R"({"contents":[{"parts":[{"text":"hi"}]}]})";
  const std::string messages = R"({"model":"m","max_tokens":5,"system":"be kind","messages":[{"role":"user"}]})";
  const std::string chat = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
  const std::string responses = R"({"model":"m","instructions":"be kind","input":"hi"})";
  const std::string infill = R"({"input_prefix":"a","input_suffix":"b"})";
  CHECK(meant(Surface::openai_chat, gemini) == "POST /v1beta/models/MODEL:generateContent");
  CHECK(meant(Surface::openai_chat, messages) == "POST /v1/messages");
  CHECK(meant(Surface::openai_chat, responses) == "POST /v1/responses");
  CHECK(meant(Surface::openai_responses, chat) == "POST /v1/chat/completions");
  CHECK(meant(Surface::gemini, chat) == "POST /v1/chat/completions");
  CHECK(meant(Surface::openai_completions, infill).empty());  // both fill in: the surface's own error says enough
  CHECK(meant(Surface::openai_chat, infill) == "POST /infill");
  CHECK(meant(Surface::openai_embeddings, chat) == "POST /v1/chat/completions");
  CHECK(meant(Surface::openai_chat, R"({"model":"m","prompt":"def "})") == "POST /v1/completions");
}

TEST_CASE("a body at its own path, or one that says nothing, is sent nowhere else") {
  CHECK(meant(Surface::openai_chat, R"({"messages":[]})").empty());
  CHECK(meant(Surface::ollama_chat, R"({"messages":[]})").empty());
  CHECK(meant(Surface::anthropic_messages, R"({"system":"x","messages":[]})").empty());
  CHECK(meant(Surface::openai_chat, R"({"model":"m"})").empty());
}

TEST_CASE("the surface's own error comes first, the path behind it") {
  const auto body = RequestBody::parse(R"({"contents":[]})");
  REQUIRE(body.ok());
  const Error error =
      with_meant_path(fail(ErrorKind::invalid_request, "messages is missing", "messages"), Surface::openai_chat, *body);
  CHECK(error.message == "messages is missing. This looks like a body for POST /v1beta/models/MODEL:generateContent.");
  CHECK(error.param == "messages");
}

}  // namespace nemo::test::meant_path_test
