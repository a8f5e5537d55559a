#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include "daemon/protocol/openai.h"

namespace nemo::test::openai_answer_test {

using namespace nemo::protocol;
using nemo::NanoUsd;
using nemo::call::Usage;
using nemo::call::UsageSource;

namespace {

std::optional<Usage> find_usage_in(std::string_view answer) {
  const auto facts = read_answer_facts(answer);
  return facts ? facts->usage : std::nullopt;
}

Usage usage_of(const std::string& usage_object) {
  const auto usage = find_usage_in("{\"id\":\"x\",\"usage\":" + usage_object + "}");
  CAPTURE(usage_object);
  REQUIRE(usage);
  CHECK(usage->source == UsageSource::provider);
  return *usage;
}

}  // namespace

TEST_CASE("usage as OpenAI states it: reasoning inside completion, cached inside prompt") {
  const Usage usage = usage_of(R"({"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
    "prompt_tokens_details":{"audio_tokens":0,"cached_tokens":64},"completion_tokens_details":{"reasoning_tokens":40}})");
  CHECK(usage == Usage{100, 64, 50, 40, UsageSource::provider});
}

TEST_CASE("reasoning that Gemini leaves out of completion_tokens is billed as output") {
  const Usage usage = usage_of(R"({"prompt_tokens":5,"completion_tokens":2,"total_tokens":23,
    "completion_tokens_details":{"reasoning_tokens":16},"extra_properties":{"google":{"traffic_type":"ON_DEMAND"}}})");
  CHECK(usage == Usage{5, 0, 18, 16, UsageSource::provider});
}

TEST_CASE("a total smaller than its parts does not lower the output") {
  CHECK(usage_of(R"({"prompt_tokens":10,"completion_tokens":7,"total_tokens":12})").output_tokens == 7);
}

TEST_CASE("cached tokens are found beside the prompt as well") {
  CHECK(usage_of(R"({"prompt_tokens":10,"completion_tokens":1,"prompt_cache_hit_tokens":8})").cached_tokens == 8);
  CHECK(usage_of(R"({"prompt_tokens":10,"completion_tokens":1,"cache_read_input_tokens":4})").cached_tokens == 4);
  CHECK(
      usage_of(R"({"prompt_tokens":10,"cached_tokens":5,"prompt_tokens_details":{"cached_tokens":3}})").cached_tokens ==
      3);
  CHECK(usage_of(R"({"prompt_tokens":10,"prompt_tokens_details":null})").cached_tokens == 0);
}

TEST_CASE("embeddings state no output") {
  CHECK(usage_of(R"({"prompt_tokens":8,"total_tokens":8})") == Usage{8, 0, 0, 0, UsageSource::provider});
  CHECK(usage_of(R"({"total_tokens":8})") == Usage{8, 0, 0, 0, UsageSource::provider});
}

TEST_CASE("numbers that are negative, absurd or no numbers count as not stated") {
  CHECK(usage_of(R"({"prompt_tokens":10,"completion_tokens":-3,"total_tokens":1e30})") ==
        Usage{10, 0, 0, 0, UsageSource::provider});
  CHECK(usage_of(R"({"prompt_tokens":10,"completion_tokens":"7"})").output_tokens == 0);
  CHECK(usage_of(R"({"prompt_tokens":10,"completion_tokens":99999999999999999999})").output_tokens == 0);
  CHECK_FALSE(find_usage_in(R"({"usage":{"prompt_tokens":-1,"completion_tokens":null}})"));
}

TEST_CASE("a part is never larger than its whole") {
  const Usage usage = usage_of(R"({"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,
    "prompt_tokens_details":{"cached_tokens":99},"completion_tokens_details":{"reasoning_tokens":99}})");
  CHECK(usage.cached_tokens == 10);
  CHECK(usage.reasoning_tokens == 4);
}

TEST_CASE("no usage is no usage") {
  for (const char* answer :
       {"{}", R"({"usage":null})", R"({"usage":{}})", R"({"usage":[]})", R"({"usage":7})", "", "[]", "not json",
        R"({"usage":{"prompt_tokens":1)", R"({"choices":[{"usage":{"prompt_tokens":1}}]})"}) {
    CAPTURE(answer);
    CHECK_FALSE(find_usage_in(answer));
  }
}

TEST_CASE("an answer that is not one whole JSON object has no facts") {
  for (const char* answer : {"", "[]", "{", R"({"choices":[{"message":{"content":"ab)", "{} x", "<html>"}) {
    CAPTURE(answer);
    CHECK_FALSE(read_answer_facts(answer));
  }
}

TEST_CASE("the text of an answer is counted between its quotes, tool calls and reasoning too") {
  CHECK(read_answer_facts(R"({"choices":[{"message":{"role":"assistant","content":"abc"}}]})")->content_bytes == 3);
  CHECK(read_answer_facts(R"({"choices":[{"message":{"content":null,"reasoning_content":"12",
    "tool_calls":[{"id":"call_1","function":{"name":"fn","arguments":"{}"}}]}},{"text":"x\n"}]})")
            ->content_bytes == 2 + 4 + 3);
  CHECK(!read_answer_facts("nonsense"));
}

TEST_CASE("the text of an answer is that of choice 0, as it stands between the quotes") {
  const auto text = [](std::string_view answer) { return read_answer_facts(answer)->text; };
  CHECK(text(R"({"choices":[{"message":{"role":"assistant","content":"a\n\u00e9"},"index":0}]})") == R"(a\n\u00e9)");
  CHECK(text(R"({"choices":[{"text":"one","index":1},{"index":0,"text":"zero"}]})") == "zero");
  CHECK(text(R"({"choices":[{"message":{"reasoning_content":"hm","content":"yes","tool_calls":
    [{"function":{"name":"f","arguments":"{}"}}],"refusal":"no"}}]})") == "yes");
  CHECK(text(R"({"choices":[{"message":{"content":null,"reasoning_content":"hm"}}]})").empty());
  CHECK(text(R"({"choices":[{"message":{"content":[{"type":"text","text":"a"}]}}]})").empty());
  CHECK(text(R"({"choices":[],"text":"x"})").empty());
}

TEST_CASE("an answer that calls itself an error is one, unless it answers all the same") {
  CHECK(read_answer_facts(R"({"object":"error","message":"too long","code":400})")->is_error);
  CHECK(read_answer_facts(R"({"type":"error","error":{"message":"m"}})")->is_error);
  CHECK(read_answer_facts(R"({"error":"overloaded"})")->is_error);
  CHECK_FALSE(read_answer_facts(R"({"error":"m","choices":[]})")->is_error);
  CHECK_FALSE(read_answer_facts(R"({"error":"m","data":[]})")->is_error);
  CHECK_FALSE(read_answer_facts(R"({"error":null})")->is_error);
}

TEST_CASE("the cost is put into the usage object and nothing else changes") {
  const NanoUsd cost{120'000};
  CHECK(with_cost("data: {\"choices\":[], \"usage\":{\"prompt_tokens\":1 }}\n\n", cost) ==
        "data: {\"choices\":[], \"usage\":{\"prompt_tokens\":1,\"nemo_cost\":\"0.00012\" }}\n\n");
  CHECK(with_cost("id: 1\r\ndata:{\"usage\":{}}\r\n\r\n", cost) ==
        "id: 1\r\ndata:{\"usage\":{\"nemo_cost\":\"0.00012\"}}\r\n\r\n");
}

TEST_CASE("a cost that upstream put there is replaced") {
  CHECK(with_cost(R"(data: {"usage":{"nemo_cost":"9","a":1}})", NanoUsd{0}) ==
        R"(data: {"usage":{"nemo_cost":"0","a":1}})");
}

TEST_CASE("an event without a usage object stays as it is") {
  for (const char* event : {"data: [DONE]\n\n", ": x\n\n", "data: {\"usage\":null}\n\n",
                            "data: {\"a\":{\"usage\":{}}}\n\n", "data: {\"usage\":{\n\n", ""}) {
    CHECK(with_cost(event, NanoUsd{5}) == event);
  }
}

}  // namespace nemo::test::openai_answer_test
