// Anthropic's events as chunks of a chat completion.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/anthropic.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::test::anthropic_stream_test {

using namespace nemo::protocol;
using Json = nlohmann::json;

namespace {

std::string event(const std::string& data) {
  const std::size_t begin = data.find("\"type\":\"") + 8;
  return "event: " + data.substr(begin, data.find('"', begin) - begin) + "\ndata: " + data + "\n\n";
}

std::string start(const std::string& usage = R"({"input_tokens":10,"output_tokens":1})") {
  return event(R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant",
    "model":"claude-x","content":[],"stop_reason":null,"usage":)" +
               usage + "}}");
}

std::string block(int index, const std::string& content_block) {
  return event("{\"type\":\"content_block_start\",\"index\":" + std::to_string(index) +
               ",\"content_block\":" + content_block + "}");
}

std::string delta(int index, const std::string& object) {
  return event("{\"type\":\"content_block_delta\",\"index\":" + std::to_string(index) + ",\"delta\":" + object + "}");
}

std::string input(int index, const std::string& body) {
  return delta(index, R"({"type":"input_json_delta","partial_json":")" + body + "\"}");
}

std::string stop(int index) {
  return event("{\"type\":\"content_block_stop\",\"index\":" + std::to_string(index) + "}");
}

std::string end(const std::string& stop_reason = "end_turn", const std::string& usage = R"({"output_tokens":7})") {
  return event(R"({"type":"message_delta","delta":{"stop_reason":")" + stop_reason + R"("},"usage":)" + usage + "}") +
         event(R"({"type":"message_stop"})");
}

std::string tool(int index, const std::string& id, const std::string& name) {
  return block(index, R"({"type":"tool_use","id":")" + id + R"(","name":")" + name + R"(","input":{}})");
}

// The tests break long objects, events do not.
std::string with_events_on_one_line(std::string stream) {
  for (std::size_t at = 0; (at = stream.find("\n    ", at)) != std::string::npos;) stream.replace(at, 5, " ");
  return stream;
}

std::string streamed(const std::string& stream, UsageChunk usage = UsageChunk::omit) {
  const std::string one_line = with_events_on_one_line(stream);
  nemo::stream::SseScanner scanner;
  scanner.feed(one_line);
  const auto translator = make_messages_to_chat_translator(usage);
  std::string out;
  while (const auto next = scanner.next()) translator->translate(*next, out);
  while (const auto next = scanner.finish()) translator->translate(*next, out);
  const std::size_t translated = out.size();
  translator->finish(out);
  // What finish() adds to an answer that upstream did not end has a test of its own.
  if (stream.find("message_stop") == std::string::npos) out.resize(translated);
  return out;
}

struct Told {
  std::vector<Json> chunks;
  std::string content, reasoning;
  std::vector<std::string> arguments;
  std::string finish_reason;
  bool done = false;
};

// What a client puts together; every chunk is checked for what all of them share.
Told told(const std::string& stream) {
  Told result;
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  while (const auto next = scanner.next()) {
    if (next->data.empty()) continue;
    CHECK_FALSE(result.done);
    if (next->data == "[DONE]") {
      result.done = true;
      continue;
    }
    CAPTURE(next->data);
    REQUIRE(Json::accept(next->data));
    const Json chunk = Json::parse(next->data);
    result.chunks.push_back(chunk);
    if (chunk.contains("error")) continue;
    CHECK(chunk["object"] == "chat.completion.chunk");
    CHECK(chunk["id"] == result.chunks.front()["id"]);
    CHECK(chunk["created"] == result.chunks.front()["created"]);
    for (const Json& choice : chunk["choices"]) {
      const Json& said = choice["delta"];
      result.content += said.value("content", "");
      result.reasoning += said.value("reasoning_content", "");
      for (const Json& call : said.value("tool_calls", Json::array())) {
        const std::size_t index = call["index"];
        CHECK(index <= result.arguments.size());
        if (index == result.arguments.size()) {
          CHECK(call.contains("id"));
          CHECK(call["type"] == "function");
          CHECK(call["function"].contains("name"));
          result.arguments.emplace_back();
        } else {
          CHECK_FALSE(call.contains("id"));
        }
        result.arguments[index] += call["function"]["arguments"];
      }
      if (!choice["finish_reason"].is_null()) result.finish_reason = choice["finish_reason"];
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a stream of text: the role first, the deltas as they come, the reason, the end") {
  const std::string out = streamed(start() + block(0, R"({"type":"text","text":""})") + event(R"({"type":"ping"})") +
                                   delta(0, R"({"type":"text_delta","text":"Hel"})") +
                                   delta(0, R"({"type":"text_delta","text":"lo"})") + stop(0) + end());
  const Told client = told(out);
  REQUIRE(client.chunks.size() == 4);
  CHECK(client.chunks[0]["id"] == "chatcmpl-1");
  CHECK(client.chunks[0]["model"] == "claude-x");
  CHECK(client.chunks[0]["created"].get<std::int64_t>() > 1'700'000'000);
  CHECK(client.chunks[0]["choices"] ==
        Json::parse(R"([{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}])"));
  CHECK(client.chunks[1]["choices"] == Json::parse(R"([{"index":0,"delta":{"content":"Hel"},"finish_reason":null}])"));
  CHECK(client.chunks[3]["choices"] == Json::parse(R"([{"index":0,"delta":{},"finish_reason":"stop"}])"));
  CHECK(client.content == "Hello");
  CHECK(client.done);
  CHECK(out.find("usage") == std::string::npos);
}

TEST_CASE("usage comes last, with no choices, for who asked for it") {
  const Told client = told(streamed(start(R"({"input_tokens":10,"cache_read_input_tokens":90,
    "cache_creation_input_tokens":0,"output_tokens":1})") +
                                        end(),
                                    UsageChunk::append));
  REQUIRE(client.chunks.size() == 3);
  CHECK(client.chunks[1]["choices"][0]["finish_reason"] == "stop");
  CHECK(client.chunks[2]["choices"] == Json::array());
  CHECK(client.chunks[2]["usage"] == Json::parse(R"({"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,
    "prompt_tokens_details":{"cached_tokens":90,"cache_write_tokens":0}})"));
  CHECK(client.done);
}

TEST_CASE("the usage chunk goes out with the event that finishes the answer, for it to be priced") {
  const auto translator = make_messages_to_chat_translator(UsageChunk::append);
  std::string out;
  const std::string first = R"({"type":"message_start","message":{"id":"m","usage":{"input_tokens":1}}})";
  const std::string last = R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}})";
  translator->translate({first, {}, first}, out);
  out.clear();
  translator->translate({last, {}, last}, out);
  CHECK(with_cost(out, nemo::NanoUsd{1'000'000}).find("\"nemo_cost\":\"0.001\"") != std::string::npos);
}

TEST_CASE("parallel tool calls are numbered from 0 by their order, whatever stands before and between them") {
  const std::string out = streamed(
      start() + block(0, R"({"type":"text","text":""})") + delta(0, R"({"type":"text_delta","text":"I look."})") +
      stop(0) + tool(1, "toolu_a", "read") + input(1, "") + input(1, R"({\"pa)") + input(1, R"(th\": \"a\\n\")") +
      input(1, "}") + stop(1) + block(2, R"({"type":"text","text":"and"})") + stop(2) + tool(3, "toolu_b", "now") +
      stop(3) + tool(5, "toolu_c", "list") + input(5, R"({\"dir\":\".\"})") + stop(5) + end("tool_use"));
  const Told client = told(out);
  REQUIRE(client.arguments.size() == 3);
  CHECK(Json::parse(client.arguments[0]) == Json::parse(R"({"path":"a\n"})"));
  CHECK(client.arguments[1] == "{}");
  CHECK(client.arguments[2] == R"({"dir":"."})");
  CHECK(client.content == "I look.and");
  CHECK(client.finish_reason == "tool_calls");
  CHECK(out.find(R"({"index":1,"id":"toolu_b","type":"function","function":{"name":"now","arguments":""}})") !=
        std::string::npos);
}

TEST_CASE("tools whose parts come mixed keep their own arguments") {
  const Told client =
      told(streamed(start() + tool(0, "a", "f") + tool(1, "b", "g") + input(1, R"({\"y\")") + input(0, R"({\"x\")") +
                    input(1, ":2}") + input(0, ":1}") + stop(0) + stop(1) + end("tool_use")));
  REQUIRE(client.arguments.size() == 2);
  CHECK(client.arguments[0] == R"({"x":1})");
  CHECK(client.arguments[1] == R"({"y":2})");
}

TEST_CASE("a tool whose input stands whole in its start is not lost, and none is left without arguments") {
  const std::string whole = block(0, R"({"type":"tool_use","id":"a","name":"f","input":{ "x": "a \"b\"" }})");
  CHECK(told(streamed(start() + whole + stop(0) + end("tool_use"))).arguments.at(0) == R"({"x":"a \"b\""})");
  CHECK(told(streamed(start() + tool(0, "a", "f") + end("tool_use"))).arguments.at(0) == "{}");
  CHECK(told(streamed(start() + tool(0, "a", "f") + tool(0, "b", "g") + end("tool_use"))).arguments ==
        std::vector<std::string>{"{}", "{}"});
  const std::string reused =
      streamed(start() + tool(0, "a", "f") + tool(0, "b", "g") + input(0, R"({\"y\":2})") + stop(0));
  CHECK(told(reused).arguments == std::vector<std::string>{"{}", R"({"y":2})"});
  const std::string only_stop = streamed(start() + tool(0, "a", "f") + event(R"({"type":"message_stop"})"));
  CHECK(told(only_stop).finish_reason == "tool_calls");
  CHECK(told(only_stop).arguments.at(0) == "{}");
}

TEST_CASE("the input of tools that run at the provider is none of the client's") {
  const Told client =
      told(streamed(start() + block(0, R"({"type":"server_tool_use","id":"s","name":"web","input":{}})") +
                    input(0, R"({\"q\":1})") + stop(0) + end()));
  CHECK(client.arguments.empty());
}

TEST_CASE("thinking is reasoning_content as it comes, and a signed block when it is whole") {
  const std::string out = streamed(start() + block(0, R"({"type":"thinking","thinking":"","signature":""})") +
                                   delta(0, R"({"type":"thinking_delta","thinking":"one "})") +
                                   delta(0, R"({"type":"thinking_delta","thinking":"and \"more\""})") +
                                   delta(0, R"({"type":"signature_delta","signature":"c2"})") +
                                   delta(0, R"({"type":"signature_delta","signature":"ln"})") + stop(0) +
                                   block(1, R"({"type":"redacted_thinking","data":"enc"})") + stop(1) +
                                   block(2, R"({"type":"thinking","thinking":""})") +
                                   delta(2, R"({"type":"thinking_delta","thinking":", two"})") + stop(2) +
                                   block(3, R"({"type":"text","text":"a"})") + stop(3) + end());
  const Told client = told(out);
  Json blocks = Json::array();
  for (const Json& chunk : client.chunks) {
    for (const Json& one : chunk["choices"][0]["delta"].value("thinking_blocks", Json::array())) blocks.push_back(one);
  }
  CHECK(blocks == Json::parse(R"([{"type":"thinking","thinking":"one and \"more\"","signature":"c2ln"},
    {"type":"redacted_thinking","data":"enc"}])"));
  CHECK(client.reasoning == "one and \"more\", two");
  CHECK(client.content == "a");
}

TEST_CASE("a character of thinking that is split over two events is whole in its block") {
  const std::string out = streamed(start() + block(0, R"({"type":"thinking","thinking":""})") +
                                   delta(0, R"({"type":"thinking_delta","thinking":"\ud83d"})") +
                                   delta(0, R"({"type":"thinking_delta","thinking":"\ude00"})") +
                                   delta(0, R"({"type":"signature_delta","signature":"s"})") + stop(0));
  CHECK(out.find(R"({"type":"thinking","thinking":"\ud83d\ude00","signature":"s"})") != std::string::npos);
}

TEST_CASE("text survives byte for byte, escapes and characters that are split over events too") {
  for (const char* body : {R"(\ud83d)", R"(\u0000\/\"\\\n)", "\xF0\x9F\x98\x80", R"(\\n\\\\)", "é"}) {
    const std::string quoted = "\"" + std::string(body) + "\"";
    CHECK(streamed(start() +
                   "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","
                   "\"text\":" +
                   quoted + "}}\n\n")
              .find("{\"content\":" + quoted + "}") != std::string::npos);
    CHECK(streamed(start() + tool(0, "a", "f") +
                   "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\","
                   "\"partial_json\":" +
                   quoted + "}}\n\n")
              .find("{\"arguments\":" + quoted + "}") != std::string::npos);
  }
}

TEST_CASE("an error in the middle is an error event, and nothing follows it") {
  const std::string error = event(R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})");
  const std::string text = block(0, R"({"type":"text","text":"a"})");
  const std::string out = streamed(start() + text + error + text + end());
  const Told client = told(out);
  REQUIRE(client.chunks.size() == 3);
  CHECK(client.chunks[2]["error"]["message"] == "Overloaded");
  CHECK(client.chunks[2]["error"]["code"] == "upstream_error");
  CHECK_FALSE(client.done);
  CHECK(client.finish_reason.empty());
}

TEST_CASE("an event that cannot be read breaks the answer off instead of leaving a hole in it") {
  const std::string out = streamed(start() + "data: {\"type\":\n\n" + end());
  const Told client = told(out);
  CHECK(client.chunks.back().contains("error"));
  CHECK_FALSE(client.done);
}

TEST_CASE("a stream that breaks off ends with the error, a complete one with what upstream left out") {
  const std::string stream = with_events_on_one_line(start());
  nemo::stream::SseScanner scanner;
  scanner.feed(stream);
  const auto broken = make_messages_to_chat_translator(UsageChunk::omit);
  const auto complete = make_messages_to_chat_translator(UsageChunk::omit);
  std::string out;
  std::string unused;
  while (const auto next = scanner.next()) {
    broken->translate(*next, out);
    complete->translate(*next, unused);
  }
  broken->break_off(nemo::fail(nemo::ErrorKind::upstream_error, "it was cut"), out);
  const Told client = told(out);
  CHECK_FALSE(client.done);
  CHECK(client.finish_reason.empty());
  CHECK(client.chunks.back()["error"]["message"] == "it was cut");
  std::string end;
  complete->finish(end);
  CHECK(end == "data: [DONE]\n\n");
}

TEST_CASE("pings and comments keep the line alive, and what is new is passed over") {
  CHECK(streamed(event(R"({"type":"ping"})")) == ": keepalive\n\n");
  CHECK(streamed(": wait\n\n") == ": wait\n\n");
  CHECK(streamed("\n") == "");
  CHECK(streamed("event: ping\n\n") == "");
  CHECK(streamed(event(R"({"type":"brand_new"})") + delta(0, R"({"type":"brand_new_delta","text":"x"})")) == "");
}

TEST_CASE("an answer without its start and with an end of OpenAI's is served all the same") {
  const Told client = told(streamed(delta(0, R"({"type":"text_delta","text":"a"})") + "data: [DONE]\n\n" + end()));
  REQUIRE(client.chunks.size() == 3);
  CHECK(client.chunks[0]["choices"][0]["delta"]["role"] == "assistant");
  CHECK(client.content == "a");
  CHECK(client.finish_reason == "stop");
  CHECK(client.done);
}

TEST_CASE("every reason to stop reaches the client") {
  CHECK(told(streamed(start() + end("max_tokens"))).finish_reason == "length");
  CHECK(told(streamed(start() + end("refusal"))).finish_reason == "content_filter");
  CHECK(told(streamed(start() + end("stop_sequence"))).finish_reason == "stop");
  CHECK(told(streamed(start() + end("pause_turn"))).finish_reason == "stop");
}

}  // namespace nemo::test::anthropic_stream_test
