// Anthropic's whole answers as chat completions.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/anthropic.h"

namespace nemo::test::anthropic_answer_test {

using namespace nemo::protocol;
using nemo::call::Usage;
using nemo::call::UsageSource;
using Json = nlohmann::json;

namespace {

std::string message(const std::string& content, const std::string& stop_reason = "\"end_turn\"",
                    const std::string& usage = R"({"input_tokens":10,"output_tokens":5})") {
  return R"({"id":"msg_01AbC","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":)" + content +
         ",\"stop_reason\":" + stop_reason + ",\"stop_sequence\":null,\"usage\":" + usage + "}";
}

Json answer_of(const std::string& bytes) {
  const auto answer = message_to_chat_answer(bytes);
  CAPTURE(bytes);
  REQUIRE(answer.ok());
  CAPTURE(*answer);
  REQUIRE(Json::accept(*answer));
  return Json::parse(*answer);
}

Json choice_of(const std::string& content, const std::string& stop_reason = "\"end_turn\"") {
  return answer_of(message(content, stop_reason))["choices"][0];
}

}  // namespace

TEST_CASE("a message becomes a chat completion with its id, model, time and one choice") {
  const Json answer = answer_of(message(R"([{"type":"text","text":"Hi\n\u00e9"},{"type":"text","text":" there"}])"));
  CHECK(answer["id"] == "chatcmpl-01AbC");
  CHECK(answer["object"] == "chat.completion");
  CHECK(answer["model"] == "claude-sonnet-4-5");
  CHECK(answer["created"].get<std::int64_t>() > 1'700'000'000);
  CHECK(answer["choices"] == Json::parse(R"([{"index":0,"message":{"role":"assistant","content":"Hi\né there"},
    "logprobs":null,"finish_reason":"stop"}])"));
}

TEST_CASE("text goes over as it stands between its quotes") {
  const auto answer = message_to_chat_answer(message(R"([{"type":"text","text":"\ud83d\ude00 \/ \u0000 é"}])"));
  REQUIRE(answer.ok());
  CHECK(answer->find(R"("content":"\ud83d\ude00 \/ \u0000 é")") != std::string::npos);
}

TEST_CASE("tool calls carry their input as compact JSON text, every byte of its texts kept") {
  const Json choice = choice_of(R"([{"type":"text","text":"I look."},
    {"type":"tool_use","id":"toolu_1","name":"read","input":{ "path" : "a b\n\"c\" \u00e9 é" , "n": [ 1.50, {} ] }},
    {"type":"tool_use","id":"toolu_2","name":"now","input":{}}])",
                                "\"tool_use\"");
  CHECK(choice["finish_reason"] == "tool_calls");
  CHECK(choice["message"]["content"] == "I look.");
  const Json& calls = choice["message"]["tool_calls"];
  REQUIRE(calls.size() == 2);
  CHECK(calls[0]["id"] == "toolu_1");
  CHECK(calls[0]["type"] == "function");
  CHECK(calls[0]["function"]["name"] == "read");
  CHECK(calls[0]["function"]["arguments"] == R"({"path":"a b\n\"c\" \u00e9 é","n":[1.50,{}]})");
  CHECK(calls[1]["function"]["arguments"] == "{}");
}

TEST_CASE("a message of tool calls alone has no content, a message of nothing an empty one") {
  const Json tools = choice_of(R"([{"type":"tool_use","id":"t","name":"f","input":{}}])", "\"tool_use\"");
  CHECK(tools["message"]["content"].is_null());
  CHECK(choice_of("[]")["message"]["content"] == "");
}

TEST_CASE("thinking is reasoning_content, and its signed blocks are there to be sent back") {
  const Json message_json = choice_of(R"([{"type":"thinking","thinking":"first ","signature":"c2ln"},
    {"type":"redacted_thinking","data":"enc"},{"type":"thinking","thinking":"second","signature":""},
    {"type":"text","text":"a"}])")["message"];
  CHECK(message_json["reasoning_content"] == "first second");
  CHECK(message_json["thinking_blocks"] == Json::parse(R"([
    {"type":"thinking","thinking":"first ","signature":"c2ln"},{"type":"redacted_thinking","data":"enc"}])"));
  CHECK(message_json["content"] == "a");
}

TEST_CASE("every reason to stop has its counterpart") {
  const struct {
    const char* from;
    const char* to;
  } reasons[] = {{"\"end_turn\"", "stop"},
                 {"\"stop_sequence\"", "stop"},
                 {"\"max_tokens\"", "length"},
                 {"\"model_context_window_exceeded\"", "length"},
                 {"\"tool_use\"", "tool_calls"},
                 {"\"refusal\"", "content_filter"},
                 {"\"pause_turn\"", "stop"},
                 {"\"unheard_of\"", "stop"},
                 {"null", "stop"}};
  for (const auto& one : reasons) {
    const auto& from = one.from;
    const auto& to = one.to;
    CAPTURE(from);
    CHECK(choice_of("[]", from)["finish_reason"] == to);
  }
}

TEST_CASE("the prompt's tokens are all three of Anthropic's counts, and the cached ones are told apart") {
  const std::string bytes = message("[]", "null", R"({"input_tokens":10,"cache_creation_input_tokens":200,
    "cache_read_input_tokens":3000,"output_tokens":5,"cache_creation":{"ephemeral_5m_input_tokens":200}})");
  CHECK(answer_of(bytes)["usage"] == Json::parse(R"({"prompt_tokens":3210,"completion_tokens":5,"total_tokens":3215,
    "prompt_tokens_details":{"cached_tokens":3000,"cache_write_tokens":200}})"));
  const auto facts = read_message_facts(bytes);
  REQUIRE(facts);
  REQUIRE(facts->usage);
  CHECK(facts->usage->input_tokens == 3210);
  CHECK(facts->usage->cached_tokens == 3000);
  CHECK(facts->usage->cache_write_tokens == 200);
  CHECK(facts->usage->output_tokens == 5);
  CHECK(facts->usage->reasoning_tokens == 0);
  CHECK(facts->usage->source == UsageSource::provider);
}

TEST_CASE("counts that are null or absurd are not stated") {
  const auto facts = read_message_facts(message("[]", "null", R"({"input_tokens":7,"cache_read_input_tokens":null,
    "cache_creation_input_tokens":-4,"output_tokens":99999999999})"));
  REQUIRE(facts);
  CHECK(facts->usage->input_tokens == 7);
  CHECK(facts->usage->output_tokens == 0);
  CHECK_FALSE(read_message_facts(message("[]", "null", "null"))->usage);
  CHECK_FALSE(read_message_facts(message("[]", "null", "{}"))->usage);
}

TEST_CASE("what counts as content: text, thinking, and what a tool is called with") {
  const std::string answer = message(R"([{"type":"text","text":"abc"},{"type":"thinking","thinking":"de",
    "signature":"long signature"},{"type":"tool_use","id":"x","name":"fg","input":{"h":1}},
    {"type":"tool_use","id":"x","name":"i","input":{}}])");
  const auto facts = read_message_facts(answer);  // its text lies in there
  REQUIRE(facts);
  CHECK(facts->content_bytes == 3 + 2 + 2 + 7 + 1);
  CHECK(facts->text == "abc");
  CHECK_FALSE(facts->is_error);
}

TEST_CASE("an error is known as one, and is no answer") {
  const char* error = R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"r"})";
  const auto facts = read_message_facts(error);
  REQUIRE(facts);
  CHECK(facts->is_error);
  CHECK_FALSE(message_to_chat_answer(error).ok());
  CHECK(read_complaint(error).message == "Overloaded");
  CHECK(read_complaint(error).type == "overloaded_error");
  CHECK(read_message_facts(R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}})")->is_error);
}

TEST_CASE("what is no message is refused as the upstream's fault") {
  for (const char* bytes :
       {"", "nonsense", "[]", "{}", R"({"content":"x"})", R"({"content":[)", R"({"content":[]} x)"}) {
    CAPTURE(bytes);
    const auto answer = message_to_chat_answer(bytes);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().kind == nemo::ErrorKind::upstream_error);
  }
  CHECK_FALSE(read_message_facts("[]"));
  CHECK_FALSE(read_message_facts("{"));
  CHECK(read_message_facts("{}"));
}

TEST_CASE("fields of unexpected types do no harm") {
  const Json answer = answer_of(R"({"id":7,"model":{"a":
    1},"content":[1,null,"x",{"type":"text","text":9},{"type":"tool_use","id":[],"name":{},"input":"x"},{"type":3}],
    "stop_reason":[],"usage":[]})");
  CHECK(answer["id"] == "chatcmpl-nemo");
  CHECK(answer["model"] == "");
  CHECK(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == "{}");
  CHECK(answer["choices"][0]["message"]["tool_calls"][0]["id"] == "call_0");
  CHECK(answer["usage"]["total_tokens"] == 0);
}

}  // namespace nemo::test::anthropic_answer_test
