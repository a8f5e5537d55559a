#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test::mistral_fim_test {

using namespace nemo::protocol;
using nemo::Error;
using nemo::ErrorKind;
using nemo::call::Surface;
using Json = nlohmann::json;

namespace {

const SurfaceForm& form() {
  return form_of(Surface::mistral_fim);
}

nemo::Result<nemo::call::CallSpec> parsed(const std::string& bytes) {
  const auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  return form().parse(*body, {});
}

std::string refused_field(const std::string& bytes) {
  const auto spec = parsed(bytes);
  CAPTURE(bytes);
  REQUIRE_FALSE(spec.ok());
  CHECK(spec.error().kind == ErrorKind::invalid_request);
  return spec.error().param;
}

Json hub_of(const std::string& bytes) {
  const auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  const auto spec = form().parse(*body, {});
  REQUIRE(spec.ok());
  const auto hub = form().hub->request(*body, *spec);
  REQUIRE(hub.ok());
  return Json::parse(*hub);
}

struct Told {
  RequestBody body;
  nemo::call::CallSpec spec;
  Telling telling() const { return {body, spec, {}, "codestral-2"}; }
};

Told told() {
  auto body = RequestBody::parse(R"({"prompt":"a"})");
  return {std::move(*body), {}};
}

std::string streamed(const std::string& hub) {
  const Told request = told();
  const auto translator = form().hub->translator(request.telling());
  nemo::stream::SseScanner scanner;
  scanner.feed(hub);
  std::string out;
  while (const auto event = scanner.next()) translator->translate(*event, out);
  translator->finish(out);
  return out;
}

std::string event(const std::string& json) {
  return "data: " + json + "\n\n";
}

const std::string k_head = R"({"id":"c1","object":"text_completion","created":7,"model":"m","choices":[)";
const std::string k_chunk = R"({"id":"c1","object":"chat.completion.chunk","created":7,"model":"m","choices":[)";

}  // namespace

TEST_CASE("a FIM call is a hole, with or without a suffix, and says what the daemon must know") {
  const auto spec = parsed(R"({"model":"codestral","prompt":"int a","suffix":";","max_tokens":32,"stream":true,
    "nemo_tags":["x"]})");
  REQUIRE(spec.ok());
  CHECK(spec->surface == Surface::mistral_fim);
  CHECK(spec->model == "codestral");
  CHECK(spec->fill_in_middle);
  CHECK(spec->stream);
  CHECK(spec->max_tokens == 32);
  CHECK(spec->tags == std::vector<std::string>{"x"});
  CHECK(parsed(R"({"prompt":"a"})")->fill_in_middle);
}

TEST_CASE("what a FIM call cannot hold is refused, and the field named") {
  CHECK(refused_field(R"({"suffix":"a"})") == "prompt");
  CHECK(refused_field(R"({"prompt":["a"]})") == "prompt");
  CHECK(refused_field(R"({"prompt":"a","suffix":1})") == "suffix");
  CHECK(refused_field(R"({"prompt":"a","max_tokens":"x"})") == "max_tokens");
  CHECK(refused_field(R"({"prompt":"a","stream":1})") == "stream");
}

TEST_CASE("in the hub's form Mistral's own names are OpenAI's, and what it lacks is left out") {
  CHECK(hub_of(R"({"model":"m","prompt":"a","suffix":"b","max_tokens":9,"min_tokens":1,"temperature":0.2,"top_p":0.9,
    "stop":["x"],"random_seed":5,"stream":false,"metadata":{}})") ==
        Json::parse(R"({"model":"m","prompt":"a","suffix":"b","max_tokens":9,"temperature":0.2,"top_p":0.9,
    "stop":["x"],"seed":5,"stream":false,"nemo_files":[]})"));
  CHECK(hub_of(R"({"prompt":"a","suffix":null})") == Json::parse(R"({"prompt":"a","suffix":"","nemo_files":[]})"));
}

TEST_CASE("the answer has chat's shape") {
  const Told request = told();
  const auto answer =
      form().hub->answer(k_head + R"({"index":0,"text":"b\n\"c\"","logprobs":null,"finish_reason":"length"}],)" +
                             R"("usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})",
                         request.telling());
  REQUIRE(answer.ok());
  CHECK(Json::parse(*answer) == Json::parse(R"({"id":"c1","object":"chat.completion","created":7,"model":"m",
    "choices":[{"index":0,"message":{"role":"assistant","content":"b\n\"c\""},"finish_reason":"length"}],
    "usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})"));
  CHECK_FALSE(form().hub->answer("{}", request.telling()).ok());
}

TEST_CASE("in a stream the chunk that finishes states the usage, as Mistral's does") {
  const std::string usage = R"({"prompt_tokens":1,"completion_tokens":2,"total_tokens":3})";
  CHECK(streamed(event(k_head + R"({"index":0,"text":"b","logprobs":null,"finish_reason":null}]})") +
                 event(k_head + R"({"index":0,"text":"","logprobs":null,"finish_reason":"stop"}]})") +
                 event(k_head + "],\"usage\":" + usage + "}") + "data: [DONE]\n\n") ==
        event(k_chunk + R"({"index":0,"delta":{"role":"assistant","content":"b"},"finish_reason":null}]})") +
            event(k_chunk +
                  R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}],"usage":)" + usage +
                  "}") +
            "data: [DONE]\n\n");
}

TEST_CASE("without usage the last chunk comes all the same, and the end once") {
  const std::string out =
      streamed(event(k_head + R"({"index":0,"text":"b","logprobs":null,"finish_reason":"stop"}]})"));
  CHECK(out == event(k_chunk + R"({"index":0,"delta":{"role":"assistant","content":"b"},"finish_reason":"stop"}]})") +
                   "data: [DONE]\n\n");
}

TEST_CASE("errors have Mistral's shape, whole and in a stream") {
  const Error error = nemo::fail(ErrorKind::model_not_found, "no \"x\"", "model");
  const Json body = Json::parse(form().error_body(error));
  CHECK(body["object"] == "error");
  CHECK(body["message"] == "no \"x\"");
  CHECK(body["param"] == "model");
  CHECK(body["code"] == "model_not_found");
  CHECK(body["type"] == "invalid_request_error");
  CHECK(streamed(event(R"({"error":{"message":"m","type":"api_error","param":null,"code":null}})")) ==
        event(R"({"object":"error","message":"m","type":"api_error","param":null,"code":null})"));

  const Told request = told();
  const auto translator = form().hub->translator(request.telling());
  std::string out;
  translator->break_off(error, out);
  CHECK(out == event(form().error_body(error)));
}

}  // namespace nemo::test::mistral_fim_test
