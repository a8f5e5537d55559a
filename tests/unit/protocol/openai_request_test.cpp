#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "daemon/protocol/openai.h"

namespace nemo::test::openai_request_test {

using namespace nemo::protocol;
using nemo::Error;
using nemo::ErrorKind;
using nemo::Result;
using nemo::call::CallSpec;
using nemo::call::Surface;

namespace {

using Parse = Result<CallSpec> (*)(const RequestBody&);

RequestBody body_of(const std::string& bytes) {
  auto body = RequestBody::parse(bytes);
  CAPTURE(bytes);
  REQUIRE(body.ok());
  return std::move(*body);
}

CallSpec read(Parse parse, const std::string& bytes) {
  auto spec = parse(body_of(bytes));
  CAPTURE(bytes);
  REQUIRE(spec.ok());
  return *spec;
}

Error refusal(Parse parse, const std::string& bytes) {
  auto spec = parse(body_of(bytes));
  CAPTURE(bytes);
  REQUIRE_FALSE(spec.ok());
  CHECK(spec.error().kind == ErrorKind::invalid_request);
  CHECK(spec.error().message.find(spec.error().param) != std::string::npos);
  return spec.error();
}

// A chat body with `more` behind its messages.
std::string chat(const std::string& more) {
  return R"({"messages":[{"role":"user","content":"hi"}])" + more + "}";
}

}  // namespace

TEST_CASE("a chat tells model, stream, bounds and the size of what a model would read") {
  const CallSpec spec = read(parse_chat, chat(R"(,"model":"gemini-2.5-pro","stream":true,"n":2,"max_tokens":100,
    "stream_options":{"include_usage":true},"tools":[{"type":"function"}])"));
  CHECK(spec.surface == Surface::openai_chat);
  CHECK(spec.model == "gemini-2.5-pro");
  CHECK(spec.stream);
  CHECK(spec.wants_usage);
  CHECK(spec.choices == 2);
  CHECK(spec.max_tokens == 100);
  CHECK(spec.has_tools);
  CHECK(spec.prompt_bytes == std::string(R"([{"role":"user","content":"hi"}][{"type":"function"}])").size());
}

TEST_CASE("what is not given has its default, and null is not given") {
  const std::string nulls =
      R"(,"model":null,"stream":null,"stream_options":null,"n":null,"max_tokens":null,"max_completion_tokens":null,
      "tools":null,"nemo_lane":null,"nemo_tags":null,"nemo_fallbacks":null,"nemo_cache":null,"metadata":null)";
  for (const std::string& more : {std::string(), nulls}) {
    const CallSpec spec = read(parse_chat, chat(more));
    CHECK(spec.model.empty());
    CHECK_FALSE(spec.stream);
    CHECK_FALSE(spec.wants_usage);
    CHECK(spec.choices == 1);
    CHECK_FALSE(spec.max_tokens);
    CHECK_FALSE(spec.has_tools);
    CHECK(spec.lane.empty());
    CHECK(spec.tags.empty());
    CHECK(spec.fallbacks.empty());
  }
}

TEST_CASE("what editors send beside the standard is let through") {
  read(parse_chat, R"({"messages":[{"role":"developer","content":[{"type":"text","text":"x"}]},
    {"role":"assistant","content":null,"refusal":null,"tool_calls":[]},{"role":"tool","content":[{}]}],
    "store":false,"prompt_cache_key":"k","options":{"num_ctx":1},"keep_alive":-1,"id_slot":0,"cache_prompt":true,
    "stop":["1","2","3","4","5","6","7"],"temperature":99,"prediction":{},"tools":[],"functions":[]})");
}

TEST_CASE("messages must be a list of objects that is not empty") {
  for (const char* bytes : {"{}", R"({"messages":null})", R"({"messages":[]})", R"({"messages":"hi"})",
                            R"({"messages":["hi"]})", R"({"messages":[{},1]})", R"({"messages":{}})"}) {
    CHECK(refusal(parse_chat, bytes).param == "messages");
  }
}

TEST_CASE("a field of the wrong type is refused and named") {
  const std::vector<std::pair<const char*, const char*>> wrong{{"model", "5"},
                                                               {"model", "[\"x\"]"},
                                                               {"stream", "\"yes\""},
                                                               {"stream", "1"},
                                                               {"stream_options", "true"},
                                                               {"stream_options", "{\"a\":1,\"a\":2}"},
                                                               {"max_tokens", "-1"},
                                                               {"max_tokens", "\"10\""},
                                                               {"max_tokens", "1.5"},
                                                               {"max_tokens", "1e3"},
                                                               {"max_tokens", "99999999999"},
                                                               {"max_completion_tokens", "-5"},
                                                               {"n", "0"},
                                                               {"n", "1000"},
                                                               {"n", "\"2\""},
                                                               {"tools", "{}"},
                                                               {"functions", "\"f\""},
                                                               {"nemo_cache", "\"no\""},
                                                               {"nemo_lane", "1"},
                                                               {"nemo_tags", "\"code\""},
                                                               {"nemo_tags", "[\"a\",1]"},
                                                               {"nemo_tags", "[\"\"]"},
                                                               {"nemo_fallbacks", "{}"},
                                                               {"nemo_fallbacks", "[null]"}};
  for (const auto& [key, value] : wrong) {
    CHECK(refusal(parse_chat, chat(",\"" + std::string(key) + "\":" + value)).param == key);
  }
  CHECK(refusal(parse_chat, chat(R"(,"stream_options":{"include_usage":1})")).param == "stream_options.include_usage");
}

TEST_CASE("whole numbers may be written with a point, as some clients do") {
  CHECK(read(parse_chat, chat(",\"max_tokens\":64.0")).max_tokens == 64);
}

TEST_CASE("of two bounds on the answer the larger counts") {
  CHECK(read(parse_chat, chat(",\"max_tokens\":10,\"max_completion_tokens\":20")).max_tokens == 20);
  CHECK(read(parse_chat, chat(",\"max_tokens\":30,\"max_completion_tokens\":20")).max_tokens == 30);
  CHECK(read(parse_chat, chat(",\"max_completion_tokens\":0")).max_tokens == 0);
}

TEST_CASE("lane, tags and fallbacks are read, and a tag given twice counts once") {
  const CallSpec spec = read(parse_chat, chat(R"(,"nemo_lane":"completion","nemo_tags":["code","eu"],
    "nemo_fallbacks":["b","c"],"metadata":{"session":"1","tags":["eu","team:\u0061"]},"nemo_cache":false)"));
  CHECK(spec.lane == "completion");
  CHECK(spec.tags == std::vector<std::string>{"code", "eu", "team:a"});
  CHECK(spec.fallbacks == std::vector<std::string>{"b", "c"});
}

TEST_CASE("metadata belongs to the caller: what does not look like tags is left alone") {
  CHECK(read(parse_chat, chat(R"(,"metadata":{"tags":"one"})")).tags.empty());
  CHECK(read(parse_chat, chat(R"(,"metadata":"text")")).tags.empty());
  CHECK(read(parse_chat, chat(R"(,"metadata":{"tags":[1,"a",null]})")).tags == std::vector<std::string>{"a"});
}

TEST_CASE("there is a bound on how many tags a call carries") {
  std::string list = "[\"t0\"";
  for (int i = 1; i < 65; ++i) list += ",\"t" + std::to_string(i) + "\"";
  list += "]";
  CHECK(refusal(parse_chat, chat(",\"nemo_tags\":" + list)).param == "nemo_tags");
  CHECK(read(parse_chat, chat(",\"metadata\":{\"tags\":" + list + "}")).tags.size() == 64);
}

TEST_CASE("a completion takes its prompt as text or as a list, and a suffix makes it fill in the middle") {
  const CallSpec plain = read(parse_completions, R"({"prompt":"def f("})");
  CHECK(plain.surface == Surface::openai_completions);
  CHECK_FALSE(plain.fill_in_middle);
  CHECK(plain.prompt_bytes == 8);
  const CallSpec middle = read(parse_completions, R"({"prompt":"a","suffix":"bc","stream":true})");
  CHECK(middle.fill_in_middle);
  CHECK(middle.prompt_bytes == 7);
  CHECK(middle.stream);
  for (const char* prompt : {"[\"a\",\"b\"]", "[1,2]", "[[1],[2]]", "\"\""}) {
    read(parse_completions, std::string("{\"prompt\":") + prompt + "}");
  }
}

TEST_CASE("a suffix that is empty still says that the cursor is in a file") {
  CHECK(read(parse_completions, R"({"prompt":"a","suffix":""})").fill_in_middle);
  CHECK_FALSE(read(parse_completions, R"({"prompt":"a","suffix":null})").fill_in_middle);
}

TEST_CASE("a prompt or suffix of another type is refused") {
  for (const char* bytes : {"{}", R"({"prompt":null})", R"({"prompt":[]})", R"({"prompt":{}})", R"({"prompt":[{}]})",
                            R"({"prompt":["a",1]})", R"({"prompt":7})"}) {
    CHECK(refusal(parse_completions, bytes).param == "prompt");
  }
  CHECK(refusal(parse_completions, R"({"prompt":"a","suffix":["b"]})").param == "suffix");
}

TEST_CASE("embeddings take text, a list of texts, or tokens") {
  const CallSpec spec = read(parse_embeddings, R"({"model":"e","input":["ab","c"],"encoding_format":"base64"})");
  CHECK(spec.surface == Surface::openai_embeddings);
  CHECK(spec.model == "e");
  CHECK(spec.prompt_bytes == 10);
  CHECK_FALSE(spec.stream);
  read(parse_embeddings, R"({"input":[[1,2],[3]]})");
  for (const char* bytes : {"{}", R"({"input":[]})", R"({"input":null})", R"({"input":[{}]})", R"({"input":1})"}) {
    CHECK(refusal(parse_embeddings, bytes).param == "input");
  }
}

}  // namespace nemo::test::openai_request_test
