#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/surface_form.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test::llamacpp_test {

using namespace nemo::protocol;
using nemo::Error;
using nemo::ErrorKind;
using nemo::call::Surface;
using Json = nlohmann::json;

namespace {

RequestBody body_of(const std::string& bytes) {
  CAPTURE(bytes);
  auto body = RequestBody::parse(bytes);
  REQUIRE(body.ok());
  return std::move(*body);
}

nemo::call::CallSpec parsed(Surface surface, const std::string& bytes) {
  CAPTURE(bytes);
  const auto spec = form_of(surface).parse(body_of(bytes), {});
  REQUIRE(spec.ok());
  return *spec;
}

std::string refused_field(Surface surface, const std::string& bytes) {
  const RequestBody body = body_of(bytes);
  const auto spec = form_of(surface).parse(body, {});
  if (!spec) {
    CHECK(spec.error().kind == ErrorKind::invalid_request);
    return spec.error().param;
  }
  const auto hub = form_of(surface).hub->request(body, *spec);
  CAPTURE(bytes);
  REQUIRE_FALSE(hub.ok());
  return hub.error().param;
}

Json hub_of(Surface surface, const std::string& bytes) {
  const RequestBody body = body_of(bytes);
  const auto hub = form_of(surface).hub->request(body, parsed(surface, bytes));
  REQUIRE(hub.ok());
  return Json::parse(*hub);
}

std::string answer_to(const std::string& request, const std::string& hub_answer) {
  const RequestBody body = body_of(request);
  const nemo::call::CallSpec spec;
  const auto answer = form_of(Surface::llamacpp_infill).hub->answer(hub_answer, {body, spec, {}, "qwen"});
  REQUIRE(answer.ok());
  return *answer;
}

std::string streamed(const std::string& hub) {
  const RequestBody body = body_of("{}");
  const nemo::call::CallSpec spec;
  const auto translator = form_of(Surface::llamacpp_completion).hub->translator({body, spec, {}, "qwen"});
  nemo::stream::SseScanner scanner;
  scanner.feed(hub);
  std::string out;
  while (const auto event = scanner.next()) translator->translate(*event, out);
  translator->finish(out);
  return out;
}

std::string chunk(const std::string& text, const std::string& reason = "null") {
  return R"(data: {"id":"c1","created":7,"model":"m","choices":[{"index":0,"text":")" + text +
         R"(","logprobs":null,"finish_reason":)" + reason + "}]}\n\n";
}

const std::string k_answer =
    R"({"id":"c1","created":7,"model":"m","choices":[{"index":0,"text":"a \"b\"","logprobs":null,"finish_reason":"stop"}],)"
    R"("usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}})";

}  // namespace

TEST_CASE("what llama.vim sends is a hole: before the cursor its lines and the line so far, other files beside it") {
  const std::string request =
      R"({"input_prefix":"int f() {\n","prompt":"  return ","input_suffix":"\n}\n","input_extra":[{"text":"int g;",
      "filename":"g.h","time":1},{"text":"x"}],"n_predict":128,"stop":["\n\n"],"n_indent":2,"top_k":40,"top_p":0.99,
      "stream":false,"samplers":["top_k"],"cache_prompt":true,"t_max_prompt_ms":500,"t_max_predict_ms":250,"seed":-1})";
  const auto spec = parsed(Surface::llamacpp_infill, request);
  CHECK(spec.surface == Surface::llamacpp_infill);
  CHECK(spec.fill_in_middle);
  CHECK(spec.max_tokens == 128);
  CHECK(spec.model.empty());
  CHECK_FALSE(spec.stream);
  CHECK(spec.prompt_bytes > 60);
  CHECK(hub_of(Surface::llamacpp_infill, request) ==
        Json::parse(R"({"prompt":"int f() {\n  return ","suffix":"\n}\n","max_tokens":128,"stop":["\n\n"],"top_p":0.99,
      "stream":false,"nemo_files":[{"path":"g.h","content":"int g;"},{"path":"","content":"x"}]})"));
}

TEST_CASE("an infill without context is one too, and several choices are asked for under OpenAI's name") {
  CHECK(hub_of(Surface::llamacpp_infill,
               R"({"model":"m","input_prefix":"a","input_suffix":"","n_cmpl":3,"n_predict":-1,"stop":[]})") ==
        Json::parse(R"({"model":"m","n":3,"prompt":"a","suffix":"","nemo_files":[]})"));
  CHECK(parsed(Surface::llamacpp_infill, R"({"input_prefix":"a","n_cmpl":3})").answers == 3);
}

TEST_CASE("a completion's prompt goes on as it is, rendered or not") {
  CHECK(hub_of(Surface::llamacpp_completion, R"({"prompt":"<PRE> a <SUF>b <MID>","n_predict":9,"stream":true,"seed":4,
    "temperature":0.1,"cache_prompt":true})") ==
        Json::parse(R"({"prompt":"<PRE> a <SUF>b <MID>","max_tokens":9,"stream":true,"seed":4,"temperature":0.1})"));
  CHECK(parsed(Surface::llamacpp_completion, R"({"prompt":["a"],"stream":true})").stream);
}

TEST_CASE("what cannot be served is refused, and the field named") {
  CHECK(refused_field(Surface::llamacpp_infill, R"({"prompt":"a"})") == "input_prefix");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":1})") == "input_prefix");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":"a","input_suffix":[]})") == "input_suffix");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":"a","prompt":[1]})") == "prompt");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":"a","input_extra":{}})") == "input_extra");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":"a","input_extra":[{"filename":"x"}]})") ==
        "input_extra");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":"a","n_predict":"x"})") == "n_predict");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":"a","n_cmpl":0})") == "n_cmpl");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":"a","stream":"yes"})") == "stream");
  CHECK(refused_field(Surface::llamacpp_infill, R"({"input_prefix":"a","model":1})") == "model");
  CHECK(refused_field(Surface::llamacpp_completion, R"({})") == "prompt");
  CHECK(refused_field(Surface::llamacpp_completion, R"({"prompt":[1,2]})") == "prompt");
}

TEST_CASE("the answer is compact, its content first, with the counts of the call") {
  const std::string answer = answer_to("{}", k_answer);
  CHECK(answer.starts_with(R"({"content":"a \"b\"",)"));
  const Json read = Json::parse(answer);
  CHECK(read["stop"] == true);
  CHECK(read["model"] == "qwen");
  CHECK(read["stop_type"] == "eos");
  CHECK(read["tokens_predicted"] == 3);
  CHECK(read["tokens_evaluated"] == 11);
  CHECK(read["timings"]["prompt_n"] == 11);
  CHECK(read["timings"]["predicted_n"] == 3);
}

TEST_CASE("where the request names its response fields, these alone come, paths as one key") {
  CHECK(answer_to(R"({"response_fields":["content","timings/prompt_n","timings/predicted_n","truncated","no_such"]})",
                  k_answer) ==
        R"({"content":"a \"b\"","truncated":false,"timings/prompt_n":11,"timings/predicted_n":3})");
}

TEST_CASE("several choices are a list") {
  const Json answer = Json::parse(answer_to("{}", R"({"choices":[{"index":0,"text":"a","finish_reason":"stop"},
    {"index":1,"text":"b","finish_reason":"length"}]})"));
  REQUIRE(answer.size() == 2);
  CHECK(answer[1]["content"] == "b");
  CHECK(answer[1]["index"] == 1);
  CHECK(answer[1]["stop_type"] == "limit");
}

TEST_CASE("a stream tells each piece, and its last event stops and counts") {
  const std::string out = streamed(chunk("a") + chunk("b", "\"length\"") +
                                   "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\n\n"
                                   "data: [DONE]\n\n");
  CHECK(
      out.starts_with("data: {\"content\":\"a\",\"index\":0,\"stop\":false}\n\n"
                      "data: {\"content\":\"b\",\"index\":0,\"stop\":false}\n\ndata: {\"content\":\"\","));
  const Json last = Json::parse(out.substr(out.rfind("data: ") + 6));
  CHECK(last["stop"] == true);
  CHECK(last["stop_type"] == "limit");
  CHECK(last["tokens_evaluated"] == 4);
  CHECK(last["tokens_predicted"] == 2);
  CHECK(out.find("[DONE]") == std::string::npos);
}

TEST_CASE("errors have llama.cpp's shape, whole and in a stream") {
  const SurfaceForm& form = form_of(Surface::llamacpp_infill);
  CHECK(form.error_body(nemo::fail(ErrorKind::invalid_request, "no", "prompt")) ==
        R"({"error":{"code":400,"message":"no","type":"invalid_request_error"}})");
  CHECK(Json::parse(form.error_body(nemo::fail(ErrorKind::invalid_api_key, "who?")))["error"]["type"] ==
        "authentication_error");
  CHECK(Json::parse(form.error_body(nemo::fail(ErrorKind::upstream_error, "m")))["error"]["type"] == "server_error");
  CHECK(streamed("data: {\"error\":{\"message\":\"m\"}}\n\n") ==
        "data: {\"error\":{\"code\":502,\"message\":\"m\",\"type\":\"server_error\"}}\n\n");
}

}  // namespace nemo::test::llamacpp_test
