// What Anthropic's events tell about a call.
#include <doctest/doctest.h>

#include <string>

#include "daemon/protocol/translate/anthropic.h"
#include "daemon/stream/sse_scanner.h"
#include "daemon/stream/stream_tap.h"

namespace nemo::test::anthropic_events_test {

using namespace nemo::protocol;
using nemo::call::Usage;
using nemo::call::UsageSource;
using nemo::stream::ChunkFacts;
using nemo::stream::ChunkReader;
using nemo::stream::SseEvent;

namespace {

ChunkFacts read(ChunkReader& reader, std::string_view data, std::string_view event = {}) {
  bool malformed = false;
  CAPTURE(data);
  const ChunkFacts facts = reader.read(SseEvent{data, event, data}, malformed);
  CHECK_FALSE(malformed);
  CHECK_FALSE(facts.only_usage);
  CHECK(facts.highest_choice == 0);
  return facts;
}

ChunkFacts read(std::string_view data, std::string_view event = {}) {
  return read(*make_messages_event_reader(), data, event);
}

// What it tells of lies in the data, which is kept until the next one.
ChunkFacts delta(const std::string& object) {
  static std::string s_data;
  s_data = R"({"type":"content_block_delta","index":0,"delta":)" + object + "}";
  return read(s_data);
}

constexpr std::string_view k_start =
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],
    "stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":200,"cache_read_input_tokens":3000,
    "output_tokens":1}}})";

}  // namespace

TEST_CASE("text, thinking and the input of tools are content; signatures and citations are not") {
  CHECK(delta(R"({"type":"text_delta","text":"a\n"})").content_bytes == 3);
  CHECK(delta(R"({"type":"text_delta","text":"abc"})").text == "abc");
  CHECK(delta(R"({"type":"thinking_delta","thinking":"ab"})").content_bytes == 2);
  CHECK(delta(R"({"type":"thinking_delta","thinking":"ab"})").text.empty());
  CHECK(delta(R"({"type":"input_json_delta","partial_json":"{\"a"})").content_bytes == 4);
  CHECK(read(R"({"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"t","name":"fn",
    "input":{}}})")
            .content_bytes == 2);
  CHECK(read(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":"abc"}})").has_content);
  for (const char* object : {R"({"type":"signature_delta","signature":"abc"})", R"({"type":"text_delta","text":""})",
                             R"({"type":"citations_delta","citation":{"cited_text":"x"}})", "{}", "null"}) {
    CHECK_FALSE(delta(object).has_content);
    CHECK(delta(object).content_bytes == 0);
  }
}

TEST_CASE("the answer is finished by a stop reason and ended by message_stop") {
  CHECK(read(R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null}})").finished == 1);
  CHECK(read(R"({"type":"message_delta","delta":{"stop_reason":null}})").finished == 0);
  CHECK(read(R"({"type":"message_stop"})").end_marker);
  CHECK_FALSE(read(R"({"type":"content_block_stop","index":0})").end_marker);
  CHECK(read("[DONE]").end_marker);
}

TEST_CASE("usage is told from the first event on, and the last contains what the first said of the input") {
  const auto reader = make_messages_event_reader();
  const Usage first = read(*reader, k_start).usage.value();
  CHECK(first == Usage{3210, 3000, 1, 0, UsageSource::provider, 200});
  CHECK_FALSE(read(*reader, R"({"type":"ping"})").usage);
  const ChunkFacts last =
      read(*reader, R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":42}})");
  CHECK(last.usage == Usage{3210, 3000, 42, 0, UsageSource::provider, 200});
}

TEST_CASE("the last count stated wins, but no zero and no null takes input back") {
  const auto reader = make_messages_event_reader();
  read(*reader, k_start);
  CHECK(read(*reader, R"({"type":"message_delta","delta":{},"usage":{"input_tokens":0,"cache_read_input_tokens":null,
    "cache_creation_input_tokens":0,"output_tokens":5}})")
            .usage == Usage{3210, 3000, 5, 0, UsageSource::provider, 200});
  CHECK(read(*reader, R"({"type":"message_delta","delta":{},"usage":{"input_tokens":20,"output_tokens":0}})").usage ==
        Usage{3220, 3000, 0, 0, UsageSource::provider, 200});
}

TEST_CASE("errors are seen in every shape that reaches a stream") {
  CHECK(read(R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})", "error").error_message ==
        "Overloaded");
  CHECK(read(R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})").is_error);
  CHECK(read(R"({"error":{"code":429,"message":"Resource exhausted"}})").error_message == "Resource exhausted");
  CHECK(read(R"([{"error":{"code":429,"message":"Resource exhausted"}}])").is_error);
  CHECK(read("it broke", "error").error_message == "it broke");
  CHECK_FALSE(read(R"({"type":"ping","error":null})").is_error);
}

TEST_CASE("pings, comments and events of new types have no facts") {
  for (const char* data :
       {R"({"type":"ping"})", R"({"type":"brand_new","delta":7,"content_block":[]})", "{}", "", " "}) {
    const ChunkFacts facts = read(data);
    CHECK_FALSE(facts.has_content);
    CHECK_FALSE(facts.is_error);
    CHECK_FALSE(facts.end_marker);
    CHECK_FALSE(facts.usage);
  }
}

TEST_CASE("data that is no JSON object is malformed") {
  for (const char* data : {"{", "nonsense", "[1]", "[]", "\"x\"", R"({"type":"message_stop"} x)",
                           R"({"type":"content_block_delta","delta":{"text":"x"})"}) {
    CAPTURE(data);
    bool malformed = false;
    const ChunkFacts facts = make_messages_event_reader()->read(SseEvent{data, {}, data}, malformed);
    CHECK(malformed);
    CHECK_FALSE(facts.has_content);
    CHECK_FALSE(facts.end_marker);
  }
}

TEST_CASE("an answer that has only begun binds no call; its first word does") {
  nemo::stream::StreamTap tap(make_messages_event_reader(), nemo::stream::UsageFrames::hide);
  const auto look = [&tap](std::string_view data) { return tap.look(SseEvent{data, {}, data}, nemo::SteadyTime{}); };
  CHECK_FALSE(look(k_start).commits);
  CHECK_FALSE(look(R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})").commits);
  CHECK_FALSE(look(R"({"type":"ping"})").commits);
  CHECK(look(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}})").commits);
  CHECK_FALSE(tap.finished());
  const auto last = look(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}})");
  CHECK(last.has_usage);
  CHECK(last.usage_is_final);
  CHECK(last.forward);
  CHECK(tap.finished());
  look(R"({"type":"message_stop"})");
  CHECK(tap.saw_end_marker());
  CHECK(tap.usage() == Usage{3210, 3000, 7, 0, UsageSource::provider, 200});
}

}  // namespace nemo::test::anthropic_events_test
