#include <doctest/doctest.h>

#include <string>

#include "daemon/protocol/openai.h"

namespace nemo::test::upstream_body_test {

using namespace nemo::protocol;
using nemo::call::CallSpec;

namespace {

std::string sent(const std::string& bytes, const char* model, Extensions extensions = Extensions::strip) {
  auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  auto spec = parse_chat(*body);
  REQUIRE(spec.ok());
  return upstream_body(*body, *spec, model, extensions);
}

const std::string k_messages = R"("messages":[{"role":"user", "content":"\u00e9 x"}])";

}  // namespace

TEST_CASE("a body that needs no change goes out as it came") {
  const std::string plain = "{ " + k_messages + " ,\n\"model\": \"m\",\"unknown\":[1 , 2] }\n";
  CHECK(sent(plain, "m") == plain);
  const std::string asks =
      "{" + k_messages + R"(,"model":"m","stream":true,"stream_options":{ "include_usage" : true }})";
  CHECK(sent(asks, "m") == asks);
  const std::string spelled = "{" + k_messages + R"(,"model":"\u006d"})";
  CHECK(sent(spelled, "m") == spelled);
}

TEST_CASE("the model is replaced where it stands, or added") {
  CHECK(sent("{\"model\":\"alias\" , " + k_messages + "}", "google/gemini") ==
        "{\"model\":\"google/gemini\" , " + k_messages + "}");
  CHECK(sent("{" + k_messages + "}", "m") == "{" + k_messages + ",\"model\":\"m\"}");
  CHECK(sent("{\"model\":null," + k_messages + "}", "a\"b") == "{\"model\":\"a\\\"b\"," + k_messages + "}");
}

TEST_CASE("a stream always asks upstream for usage and keeps what else the options say") {
  const std::string begin = "{\"model\":\"m\",\"stream\":true," + k_messages;
  CHECK(sent(begin + "}", "m") == begin + ",\"stream_options\":{\"include_usage\":true}}");
  CHECK(sent(begin + ",\"stream_options\":null}", "m") == begin + ",\"stream_options\":{\"include_usage\":true}}");
  CHECK(sent(begin + ",\"stream_options\":{}}", "m") == begin + ",\"stream_options\":{\"include_usage\":true}}");
  CHECK(sent(begin + ",\"stream_options\":{ \"x\": [1] , \"include_usage\":false}}", "m") ==
        begin + ",\"stream_options\":{ \"x\": [1] , \"include_usage\":true}}");
  CHECK(sent(begin + ",\"stream_options\":{ \"x\": [1] }}", "m") ==
        begin + ",\"stream_options\":{ \"x\": [1],\"include_usage\":true }}");
}

TEST_CASE("a call that is not streamed asks for nothing") {
  const std::string body = "{\"model\":\"m\"," + k_messages + ",\"stream\":false}";
  CHECK(sent(body, "m") == body);
}

TEST_CASE("extensions do not reach a foreign upstream, metadata does") {
  const std::string body = "{\"nemo_cache\":false,\"model\":\"m\",\"nemo_tags\":[\"a\"]," + k_messages +
                           ",\"metadata\":{\"tags\":[\"t\"]},\"nemo_lane\":\"completion\",\"nemo_fallbacks\":[\"b\"]}";
  CHECK(sent(body, "m") == "{\"model\":\"m\"," + k_messages + ",\"metadata\":{\"tags\":[\"t\"]}}");
  CHECK(sent(body, "m", Extensions::keep) == body);
}

TEST_CASE("embeddings are never asked for usage frames") {
  auto body = RequestBody::parse(R"({"model":"m","input":"x","stream":true})");
  REQUIRE(body.ok());
  auto spec = parse_embeddings(*body);
  REQUIRE(spec.ok());
  CHECK(upstream_body(*body, *spec, "m", Extensions::strip) == body->bytes());
}

}  // namespace nemo::test::upstream_body_test
