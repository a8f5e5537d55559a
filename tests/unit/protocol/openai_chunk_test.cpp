#include <doctest/doctest.h>

#include <string>

#include "daemon/protocol/openai.h"
#include "daemon/stream/sse_scanner.h"
#include "daemon/stream/stream_tap.h"

namespace nemo::test::openai_chunk_test {

using namespace nemo::protocol;
using nemo::call::Usage;
using nemo::call::UsageSource;
using nemo::stream::ChunkFacts;
using nemo::stream::SseEvent;

namespace {

ChunkFacts read(std::string_view data, std::string_view event = {}) {
  bool malformed = false;
  const ChunkFacts facts = make_openai_chunk_reader()->read(SseEvent{data, event, data}, malformed);
  CAPTURE(data);
  CHECK_FALSE(malformed);
  return facts;
}

// What it tells of lies in the data, which is kept until the next one.
ChunkFacts delta(const std::string& delta_object) {
  static std::string s_data;
  s_data = R"({"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":)" +
           delta_object + R"(,"finish_reason":null}],"usage":null})";
  return read(s_data);
}

}  // namespace

TEST_CASE("text, reasoning, refusal and tool calls are content") {
  CHECK(delta(R"({"content":"abc"})").content_bytes == 3);
  CHECK(delta(R"({"content":"a\n"})").content_bytes == 3);
  CHECK(delta(R"({"reasoning_content":"abcd"})").content_bytes == 4);
  CHECK(delta(R"({"reasoning":"ab"})").content_bytes == 2);
  CHECK(delta(R"({"refusal":"no"})").content_bytes == 2);
  CHECK(delta(R"({"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"fn","arguments":""}}]})")
            .content_bytes == 2);
  CHECK(delta(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]})").content_bytes == 6);
  CHECK(delta(R"({"function_call":{"name":"f","arguments":"xy"}})").content_bytes == 3);
  CHECK(delta(R"({"content":[{"type":"text","text":"a"}]})").has_content);
  CHECK(read(R"({"choices":[{"index":0,"text":"xyz","finish_reason":null}]})").content_bytes == 3);
}

TEST_CASE("the text of a chunk is what choice 0 says to the user, escapes as they stand, inside the event's data") {
  CHECK(delta(R"({"content":"a\n\ud83d"})").text == R"(a\n\ud83d)");
  CHECK(read(R"({"choices":[{"index":0,"text":"xyz"}]})").text == "xyz");
  CHECK(read(R"({"choices":[{"delta":{"content":"one"},"index":1},{"delta":{"content":"zero"},"index":0}]})").text ==
        "zero");
  CHECK(read(R"({"choices":[{"index":1,"delta":{"content":"one"}}]})").text.empty());
  for (const char* object :
       {R"({"reasoning_content":"hm"})", R"({"refusal":"no"})", R"({"content":null})",
        R"({"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]})", R"({"content":[{"type":"thinking"}]})"}) {
    CHECK(delta(object).text.empty());
  }
  const std::string data = R"({"choices":[{"delta":{"content":"abc"}}]})";
  const std::string_view text = read(data).text;
  CHECK(text.data() >= data.data());
  CHECK(text.data() + text.size() <= data.data() + data.size());
}

TEST_CASE("a stream's usage bills the reasoning that Gemini leaves out of completion_tokens") {
  const ChunkFacts facts = read(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":23,
    "completion_tokens_details":{"reasoning_tokens":16},"extra_properties":{"google":{"traffic_type":"ON_DEMAND"}}}})");
  CHECK(facts.usage == Usage{5, 0, 18, 16, UsageSource::provider});
  CHECK(facts.only_usage);
}

TEST_CASE("a chunk that only names the role is not content") {
  for (const char* object : {R"({"role":"assistant"})", R"({"role":"assistant","content":""})",
                             R"({"role":"assistant","content":null,"tool_calls":null})", "{}", "null"}) {
    const ChunkFacts facts = delta(object);
    CHECK_FALSE(facts.has_content);
    CHECK(facts.content_bytes == 0);
    CHECK_FALSE(facts.only_usage);
    CHECK_FALSE(facts.finished);
  }
}

TEST_CASE("a finish reason ends the choice, null and nothing do not") {
  CHECK(read(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})").finished);
  CHECK_FALSE(read(R"({"choices":[{"delta":{},"finish_reason":null}]})").finished);
  CHECK_FALSE(read(R"({"choices":[{"delta":{},"finish_reason":""}]})").finished);
  CHECK_FALSE(read(R"({"choices":[{"delta":{"finish_reason":"stop"}}]})").finished);
}

TEST_CASE("usage alone is told from usage beside a choice") {
  const ChunkFacts alone = read(R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})");
  CHECK(alone.only_usage);
  CHECK(alone.usage == Usage{5, 0, 2, 0, UsageSource::provider});
  CHECK(read(R"({"usage":{"prompt_tokens":5}})").only_usage);
  const ChunkFacts beside =
      read(R"({"usage":{"prompt_tokens":5,"completion_tokens":2},"choices":[{"delta":{},"finish_reason":"stop"}]})");
  CHECK_FALSE(beside.only_usage);
  CHECK(beside.finished);
  CHECK(beside.usage);
}

TEST_CASE("usage null is no usage, and choices that are empty alone are nothing") {
  const ChunkFacts facts = read(R"({"choices":[],"usage":null,"prompt_filter_results":[]})");
  CHECK_FALSE(facts.usage);
  CHECK_FALSE(facts.only_usage);
}

TEST_CASE("the end marker is known with and without space around it") {
  CHECK(read("[DONE]").end_marker);
  CHECK(read(" [DONE] ").end_marker);
  CHECK_FALSE(read("{}").end_marker);
}

TEST_CASE("an error inside a stream is seen in every shape") {
  CHECK(read(R"({"error":{"message":"quota is used up","type":"x"}})").error_message == "quota is used up");
  CHECK(read(R"({"error":"overloaded"})").error_message == "overloaded");
  CHECK(read(R"([{"error":{"code":429,"message":"Resource exhausted"}}])").error_message == "Resource exhausted");
  CHECK(read(R"({"object":"error","message":"too long","code":400})").error_message == "too long");
  CHECK(read("it broke", "error").error_message == "it broke");
  CHECK(read(R"({"message":"it broke"})", "error").is_error);
  CHECK_FALSE(read(R"({"choices":[],"error":null})").is_error);
}

TEST_CASE("what a key looks like does not get out with an error message") {
  CHECK(read(R"({"error":{"message":"bad key sk-abcdefghijklmnop"}})").error_message.find("abcdefgh") ==
        std::string::npos);
}

TEST_CASE("comments and pings have no facts") {
  bool malformed = false;
  const ChunkFacts facts = make_openai_chunk_reader()->read(SseEvent{": keepalive\n\n", {}, {}}, malformed);
  CHECK_FALSE(malformed);
  CHECK_FALSE(facts.has_content);
}

TEST_CASE("data that is not a JSON object is malformed and has no facts") {
  for (const char* data : {"{", "nonsense", "{\"choices\":[{\"delta\":{\"content\":\"x\"}}]", "[1]", "[]", "\"x\"", "1",
                           "{\"choices\":[{\"delta\":{\"content\":\"x\"}}]} x", "[DONE", "{\"usage\":{\"a\":}}"}) {
    CAPTURE(data);
    bool malformed = false;
    const ChunkFacts facts = make_openai_chunk_reader()->read(SseEvent{data, {}, data}, malformed);
    CHECK(malformed);
    CHECK_FALSE(facts.has_content);
  }
}

TEST_CASE("fields of unexpected types are passed over") {
  for (const char* data :
       {R"({"choices":null})", R"({"choices":{}})", R"({"choices":[1,null,"x"]})", R"({"choices":[{"delta":[1]}]})",
        R"({"choices":[{"delta":{"content":7,"tool_calls":{},"function_call":"x"}}]})",
        R"({"choices":[{"delta":{"tool_calls":[1,{"function":2}]},"finish_reason":3}],"usage":5})"}) {
    const ChunkFacts facts = read(data);
    CHECK_FALSE(facts.has_content);
    CHECK_FALSE(facts.finished);
    CHECK_FALSE(facts.usage);
  }
}

TEST_CASE("a whole stream through scanner and tap: usage is kept, its frame hidden, the rest shown") {
  const std::string stream =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":null}\n\n"
      ": keepalive\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}],\"usage\":null}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n";
  const std::string frame = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\n";
  const std::string end = "data: [DONE]\n\n";
  nemo::stream::SseScanner scanner;
  nemo::stream::StreamTap tap(make_openai_chunk_reader(), nemo::stream::UsageFrames::hide);
  scanner.feed(stream + frame + end);
  std::string shown;
  int commits = 0;
  while (const auto event = scanner.next()) {
    const auto result = tap.look(*event, nemo::SteadyTime{});
    if (result.commits) ++commits;
    if (result.forward) shown += event->raw;
  }
  CHECK(shown == stream + end);
  CHECK(commits == 1);
  CHECK(tap.content_bytes() == 2);
  CHECK(tap.finished());
  CHECK(tap.saw_end_marker());
  CHECK_FALSE(tap.saw_malformed());
  CHECK(tap.usage() == Usage{3, 0, 1, 0, UsageSource::provider});
}

}  // namespace nemo::test::openai_chunk_test
