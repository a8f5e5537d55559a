// Ollama's embeddings by way of OpenAI's.
#include "ollama_talk.h"

namespace nemo::test::ollama_embed_test {

using namespace nemo;
using namespace nemo::test;

namespace {

OllamaTalk embed(const Json& fields) {
  return OllamaTalk(call::Surface::ollama_embed, fields);
}

Json vector(int index, const Json& numbers) {
  return {{"object", "embedding"}, {"index", index}, {"embedding", numbers}};
}

const Json k_usage{{"prompt_tokens", 5}, {"total_tokens", 5}};

}  // namespace

TEST_CASE("texts to embed go over as input, and nothing is streamed") {
  const OllamaTalk one = embed({{"model", "e:latest"}, {"input", "x"}, {"truncate", true}, {"stream", true}});
  CHECK_FALSE(one.spec().stream);
  CHECK(one.hub() == Json{{"model", "e"}, {"input", "x"}});
  const Json texts = Json::array({"x", "y"});
  CHECK(embed({{"input", texts}, {"dimensions", 8}}).hub() == Json{{"input", texts}, {"dimensions", 8}});
  for (const Json& wrong : std::vector<Json>{nullptr, 1, Json::array(), Json::array({1, 2}), Json::object()}) {
    CHECK(embed({{"input", wrong}}).error().param == "input");
  }
  CHECK(embed(Json::object()).error().param == "input");
}

TEST_CASE("vectors come back in the order of their texts") {
  const Json told =
      embed({{"input", Json::array({"x", "y"})}})
          .answer({{"data", Json::array({vector(1, {0.25, -1e-3}), vector(0, {1, 2})})}, {"usage", k_usage}});
  CHECK(told["embeddings"] == Json::array({{1, 2}, {0.25, -1e-3}}));
  CHECK(told["model"] == "gemini-2.5-flash");
  CHECK(told["prompt_eval_count"] == 5);
  CHECK(told["load_duration"] == 0);
  CHECK(told["total_duration"].get<std::int64_t>() > 1'000'000'000'000'000'000);
}

TEST_CASE("the older call says prompt and gets one vector") {
  const OllamaTalk talk = embed({{"prompt", "x"}});
  CHECK(talk.hub() == Json{{"input", "x"}});
  CHECK(talk.answer({{"data", Json::array({vector(0, {1, 2})})}}) == Json{{"embedding", {1, 2}}});
  CHECK(embed({{"prompt", Json::array({"x"})}}).error().param == "prompt");
}

TEST_CASE("an answer without vectors is upstream's error") {
  const OllamaTalk talk = embed({{"input", "x"}});
  for (const char* wrong : {"{}", R"({"data":[]})", R"({"data":[{"index":0}]})", R"({"data":[1]})",
                            R"({"data":[{"index":0,"embedding":"AACAPw=="}]})", R"({"data":[{"embedding":[1]})"}) {
    CAPTURE(wrong);
    CHECK(talk.answer_refusal(wrong).kind == ErrorKind::upstream_error);
  }
}

}  // namespace nemo::test::ollama_embed_test
