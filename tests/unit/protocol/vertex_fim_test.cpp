#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "daemon/protocol/fim/hole.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/vertex.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test::vertex_fim_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using nemo::call::Usage;
using nemo::call::UsageSource;
using Json = nlohmann::json;

namespace {

nemo::Result<std::string> translate(const std::string& bytes, std::string_view model = "codestral-2",
                                    std::optional<std::int64_t> cap = {}) {
  const auto body = RequestBody::parse(bytes);
  CAPTURE(bytes);
  REQUIRE(body.ok());
  const auto spec = parse_completions(*body);
  REQUIRE(spec.ok());
  const auto hole = find_hole(*body);
  REQUIRE(hole.ok());
  return completions_request_to_fim(*body, *spec, *hole ? &**hole : nullptr, model, cap);
}

std::string fim_of(const std::string& bytes) {
  const auto fim = translate(bytes);
  CAPTURE(bytes);
  REQUIRE(fim.ok());
  return *fim;
}

std::string refused_field(const std::string& bytes) {
  const auto fim = translate(bytes);
  CAPTURE(bytes);
  REQUIRE_FALSE(fim.ok());
  CHECK(fim.error().kind == ErrorKind::invalid_request);
  CHECK(fim.error().message.find(fim.error().param) == 0);
  return fim.error().param;
}

std::string streamed(const std::string& stream) {
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  const auto translator = make_fim_to_completions_translator();
  std::string out;
  while (const auto event = scanner.next()) translator->translate(*event, out);
  translator->finish(out);
  return out;
}

}  // namespace

TEST_CASE("fill in the middle goes up with what Mistral takes, under Mistral's names") {
  CHECK(fim_of(R"({"model":"alias","prompt":"int \u00e9 = ","suffix":";\n","max_tokens":64,"temperature":0.2,
    "top_p":0.95,"stop":["\n\n","}"],"seed":7,"stream":false})") ==
        R"({"model":"codestral-2","prompt":"int \u00e9 = ","suffix":";\n","max_tokens":64,"temperature":0.2,)"
        R"("top_p":0.95,"stop":["\n\n","}"],"random_seed":7})");
}

TEST_CASE("without a suffix Mistral completes the prompt") {
  CHECK(fim_of(R"({"prompt":"a","suffix":null})") == R"({"model":"codestral-2","prompt":"a"})");
  CHECK(fim_of(R"({"prompt":["a"]})") == R"({"model":"codestral-2","prompt":"a"})");
}

TEST_CASE("a prompt with another family's marks goes up as prompt and suffix") {
  CHECK(fim_of(R"({"prompt":"<fim_prefix>int a<fim_suffix>;\n<fim_middle>"})") ==
        R"({"model":"codestral-2","prompt":"int a","suffix":";\n"})");
  CHECK(fim_of(R"({"prompt":"b","suffix":"","nemo_files":[{"path":"a.h","content":"int a;"}]})") ==
        R"({"model":"codestral-2","prompt":"+++++ a.h\nint a;\n\n+++++ \nb"})");
}

TEST_CASE("the body names the model without the version that its address carries") {
  CHECK(Json::parse(*translate(R"({"prompt":"a"})", "codestral@2405"))["model"] == "codestral");
  CHECK(Json::parse(*translate(R"({"prompt":"a"})", "codestral-2501"))["model"] == "codestral-2501");
}

TEST_CASE("a stream is asked for, and nothing beside it that Mistral does not know") {
  CHECK(fim_of(R"({"prompt":"a","stream":true,"stream_options":{"include_usage":true}})") ==
        R"({"model":"codestral-2","prompt":"a","stream":true})");
}

TEST_CASE("fields that Mistral does not know stay here, the daemon's own among them") {
  CHECK(fim_of(R"({"prompt":"a","user":"u","logit_bias":{"1":2},"presence_penalty":0.5,"best_of":1,"n":1,"echo":false,
    "logprobs":null,"nemo_tags":["x"],"nemo_cache":false,"nemo_lane":"l","nemo_fallbacks":["f"]})") ==
        R"({"model":"codestral-2","prompt":"a"})");
}

TEST_CASE("the output is held to the budget's cap, else to what the caller said in either field") {
  CHECK(Json::parse(*translate(R"({"prompt":"a","max_tokens":64})", "m", 10))["max_tokens"] == 10);
  CHECK(Json::parse(*translate(R"({"prompt":"a"})", "m", 10))["max_tokens"] == 10);
  CHECK(Json::parse(fim_of(R"({"prompt":"a","max_completion_tokens":32})"))["max_tokens"] == 32);
}

TEST_CASE("stop is kept whole, and an empty list of stops is none") {
  CHECK(Json::parse(fim_of(R"({"prompt":"a","stop":"x"})"))["stop"] == "x");
  CHECK(Json::parse(fim_of(R"({"prompt":"a","stop":["1","2","3","4","5","6"]})"))["stop"].size() == 6);
  CHECK_FALSE(Json::parse(fim_of(R"({"prompt":"a","stop":[]})")).contains("stop"));
  CHECK(refused_field(R"({"prompt":"a","stop":[1]})") == "stop");
  CHECK(refused_field(R"({"prompt":"a","stop":7})") == "stop");
}

TEST_CASE("what fill in the middle cannot do is refused and named") {
  CHECK(refused_field(R"({"prompt":["a","b"]})") == "prompt");
  CHECK(refused_field(R"({"prompt":[1,2,3]})") == "prompt");
  CHECK(refused_field(R"({"prompt":[[1],[2]]})") == "prompt");
  CHECK(refused_field(R"({"prompt":"a","echo":true})") == "echo");
  CHECK(refused_field(R"({"prompt":"a","best_of":2})") == "best_of");
  CHECK(refused_field(R"({"prompt":"a","logprobs":0})") == "logprobs");
  CHECK(refused_field(R"({"prompt":"a","n":2})") == "n");
}

TEST_CASE("Mistral's answer becomes a text completion and its usage is kept") {
  const std::string answer = R"({"id":"f1","object":"chat.completion","created":7,"model":"codestral","choices":[
    {"index":0,"message":{"role":"assistant","content":"```x\n```","tool_calls":null},"finish_reason":"length"}],
    "usage":{"prompt_tokens":8,"completion_tokens":9,"total_tokens":17}})";
  const auto text = fim_answer_to_completions(answer);
  REQUIRE(text.ok());
  CHECK(Json::parse(*text) == Json::parse(R"({"id":"f1","object":"text_completion","created":7,"model":"codestral",
    "choices":[{"index":0,"text":"```x\n```","logprobs":null,"finish_reason":"length"}],
    "usage":{"prompt_tokens":8,"completion_tokens":9,"total_tokens":17}})"));
  const auto facts = read_answer_facts(answer);
  REQUIRE(facts);
  CHECK(facts->usage == Usage{8, 0, 9, 0, UsageSource::provider});
  CHECK(facts->text == R"(```x\n```)");
}

TEST_CASE("an answer cut by the end of the context says length, as a text completion does") {
  const auto text = fim_answer_to_completions(
      R"({"choices":[{"index":0,"message":{"content":"a"},"finish_reason":"model_length"}]})");
  REQUIRE(text.ok());
  CHECK(Json::parse(*text)["choices"][0]["finish_reason"] == "length");
}

TEST_CASE("an answer without choices is an upstream error") {
  for (const char* answer : {R"({"error":{"code":500}})", R"([{"error":{"code":429}}])", "", "x"}) {
    const auto text = fim_answer_to_completions(answer);
    CAPTURE(answer);
    REQUIRE_FALSE(text.ok());
    CHECK(text.error().kind == ErrorKind::upstream_error);
  }
}

TEST_CASE("Mistral's stream becomes a stream of text completions, with the usage that its last chunk carries") {
  const std::string head = R"(data: {"id":"f1","object":"chat.completion.chunk","created":7,"model":"codestral",)";
  const std::string legacy = R"(data: {"id":"f1","object":"text_completion","created":7,"model":"codestral",)";
  const std::string usage = R"(,"usage":{"prompt_tokens":8,"total_tokens":10,"completion_tokens":2}})";
  CHECK(streamed(head + R"("choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]})" +
                 "\n\n" + head + R"("choices":[{"index":0,"delta":{"content":"b\n"},"finish_reason":null}]})" + "\n\n" +
                 head + R"("choices":[{"index":0,"delta":{"content":"c"},"finish_reason":"stop"}])" + usage +
                 "\n\ndata: [DONE]\n\n") ==
        legacy + R"("choices":[{"index":0,"text":"b\n","logprobs":null,"finish_reason":null}]})" + "\n\n" + legacy +
            R"("choices":[{"index":0,"text":"c","logprobs":null,"finish_reason":"stop"}])" + usage +
            "\n\ndata: [DONE]\n\n");
}

}  // namespace nemo::test::vertex_fim_test
