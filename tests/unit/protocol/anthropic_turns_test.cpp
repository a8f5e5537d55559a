// The messages of a chat as Anthropic's turns.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/anthropic.h"

namespace nemo::test::anthropic_turns_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Json = nlohmann::json;

namespace {

nemo::Result<std::string> translate(const std::string& bytes, MessagesFor target = MessagesFor::anthropic) {
  const auto body = RequestBody::parse(bytes);
  CAPTURE(bytes);
  REQUIRE(body.ok());
  const auto spec = parse_chat(*body);
  REQUIRE(spec.ok());
  return chat_request_to_messages(*body, *spec, "claude-sonnet-4-5", target, {}, 0);
}

Json sent_for(const std::string& messages, MessagesFor target = MessagesFor::anthropic) {
  const auto sent = translate("{\"messages\":" + messages + "}", target);
  CAPTURE(messages);
  if (!sent) FAIL_CHECK(sent.error().message);
  REQUIRE(sent.ok());
  CAPTURE(*sent);
  REQUIRE(Json::accept(*sent));
  return Json::parse(*sent);
}

nemo::Error refusal(const std::string& messages, MessagesFor target = MessagesFor::anthropic) {
  const auto sent = translate("{\"messages\":" + messages + "}", target);
  CAPTURE(messages);
  REQUIRE_FALSE(sent.ok());
  CHECK(sent.error().kind == ErrorKind::invalid_request);
  CHECK(sent.error().message.find(sent.error().param) == 0);
  return sent.error();
}

std::string refused_field(const std::string& messages, MessagesFor target = MessagesFor::anthropic) {
  return refusal(messages, target).param;
}

std::string with_arguments(const std::string& arguments) {
  return R"([{"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[
    {"id":"c1","type":"function","function":{"name":"f","arguments":)" +
         arguments + R"(}}]},{"role":"tool","tool_call_id":"c1","content":"ok"}])";
}

Json input_for(const std::string& arguments) {
  return sent_for(with_arguments(arguments))["messages"][1]["content"][0]["input"];
}

const char* const k_tool_chat = R"([
  {"role":"system","content":"Be brief."},
  {"role":"user","content":"Weather in Oslo and Rome?"},
  {"role":"assistant","content":"I look.","tool_calls":[
    {"id":"call_1","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Oslo\"}"}},
    {"id":"call_2","type":"function","function":{"name":"weather","arguments":"{\"city\": \"Rome\"}"}}]},
  {"role":"tool","tool_call_id":"call_1","content":"-3"},
  {"role":"tool","tool_call_id":"call_2","content":[{"type":"text","text":"21"}]},
  {"role":"user","content":"And?"}])";

}  // namespace

TEST_CASE("a tool loop becomes tool_use, and the results of one round one user turn, before what the user says") {
  const Json sent = sent_for(k_tool_chat);
  CHECK(sent["system"] == Json::parse(R"([{"type":"text","text":"Be brief."}])"));
  CHECK(sent["messages"] == Json::parse(R"([
    {"role":"user","content":[{"type":"text","text":"Weather in Oslo and Rome?"}]},
    {"role":"assistant","content":[{"type":"text","text":"I look."},
      {"type":"tool_use","id":"call_1","name":"weather","input":{"city":"Oslo"}},
      {"type":"tool_use","id":"call_2","name":"weather","input":{"city":"Rome"}}]},
    {"role":"user","content":[
      {"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"-3"}]},
      {"type":"tool_result","tool_use_id":"call_2","content":[{"type":"text","text":"21"}]},
      {"type":"text","text":"And?"}]}])"));
}

TEST_CASE("tool results come first in their turn even if the user spoke in between") {
  const Json sent = sent_for(R"([{"role":"user","content":"a"},
    {"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},
    {"role":"user","content":"wait"},{"role":"tool","tool_call_id":"1","content":"r"}])");
  const Json& content = sent["messages"][2]["content"];
  CHECK(content[0]["type"] == "tool_result");
  CHECK(content[1]["text"] == "wait");
}

TEST_CASE("system and developer messages are gathered in system, in order, wherever they stand") {
  const Json sent = sent_for(R"([{"role":"system","content":"one"},{"role":"user","content":"u"},
    {"role":"developer","content":[{"type":"text","text":"two"},{"type":"text","text":"three"}]}])");
  REQUIRE(sent["system"].size() == 3);
  CHECK(sent["system"][0]["text"] == "one");
  CHECK(sent["system"][1]["text"] == "two");
  CHECK(sent["system"][2]["text"] == "three");
  CHECK(sent["messages"].size() == 1);
}

TEST_CASE("consecutive messages of one role are one turn") {
  const Json sent = sent_for(R"([{"role":"user","content":"a"},{"role":"user","content":"b"},
    {"role":"assistant","content":"c"},{"role":"assistant","content":"d"},{"role":"user","content":"e"}])");
  REQUIRE(sent["messages"].size() == 3);
  CHECK(sent["messages"][0]["content"].size() == 2);
  CHECK(sent["messages"][1]["content"][1]["text"] == "d");
}

TEST_CASE("what Anthropic refuses as empty is left out, and the turns around it grow together") {
  const Json sent = sent_for(R"([{"role":"system","content":""},{"role":"user","content":"a"},
    {"role":"assistant","content":" \n\t"},{"role":"assistant","content":null},
    {"role":"user","content":[{"type":"text","text":""},{"type":"text","text":"b"},{"type":"text","text":"\r\n"}]}])");
  CHECK_FALSE(sent.contains("system"));
  REQUIRE(sent["messages"].size() == 1);
  CHECK(sent["messages"][0]["content"] == Json::parse(R"([{"type":"text","text":"a"},{"type":"text","text":"b"}])"));
}

TEST_CASE("a tool result without text has no content") {
  const Json sent = sent_for(R"([{"role":"user","content":"a"},
    {"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"1","content":""}])");
  CHECK(sent["messages"][2]["content"] == Json::parse(R"([{"type":"tool_result","tool_use_id":"1"}])"));
}

TEST_CASE("a chat of system text alone becomes what the user says; a chat of nothing is refused") {
  const Json sent = sent_for(R"([{"role":"system","content":"Write a commit message."}])");
  CHECK_FALSE(sent.contains("system"));
  CHECK(sent["messages"][0]["role"] == "user");
  CHECK(sent["messages"][0]["content"][0]["text"] == "Write a commit message.");
  CHECK(refused_field(R"([{"role":"user","content":""}])") == "messages");
}

TEST_CASE("the user speaks first, and an answer to be gone on with ends without white space") {
  const Json sent = sent_for(R"([{"role":"assistant","content":"Hello!"},{"role":"user","content":"a "},
    {"role":"assistant","content":"int x = \\n \n\t "}])");
  REQUIRE(sent["messages"].size() == 4);
  CHECK(sent["messages"][0]["role"] == "user");
  CHECK(sent["messages"][1]["content"][0]["text"] == "Hello!");
  CHECK(sent["messages"][2]["content"][0]["text"] == "a ");
  CHECK(sent["messages"][3]["content"][0]["text"] == "int x = \\n");
  const Json merged = sent_for(R"([{"role":"user","content":"u"},{"role":"assistant","content":"a "},
    {"role":"assistant","content":"b "}])");
  CHECK(merged["messages"][1]["content"] == Json::parse(R"([{"type":"text","text":"a "},{"type":"text","text":"b"}])"));
}

TEST_CASE("text goes over as it stands, escapes and all") {
  const std::string text = R"("a\u00e9\ud83d\ude00\"\\\/ é")";
  const auto sent = translate(R"({"messages":[{"role":"user","content":)" + text + "}]}");
  REQUIRE(sent.ok());
  CHECK(sent->find("\"text\":" + text) != std::string::npos);
}

TEST_CASE("cache_control stays on parts, on the text of a message that carries it, and around a tool's answer") {
  const Json sent = sent_for(R"([
    {"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}]},
    {"role":"user","content":[{"type":"text","text":"u","cache_control":{"type":"ephemeral"}},
      {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"},"cache_control":{"type":"ephemeral"}},
      {"type":"text","text":"w","cache_control":null}]},
    {"role":"assistant","content":"a","cache_control":{"type":"ephemeral"},
      "tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}},{"id":"2","function":{"name":"f"}}]},
    {"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"r","cache_control":{"type":"ephemeral"}}]},
    {"role":"tool","tool_call_id":"2","content":"r","cache_control":{"type":"ephemeral"}}])");
  const Json mark = Json::parse(R"({"type":"ephemeral"})");
  CHECK(sent["system"][0]["cache_control"]["ttl"] == "1h");
  CHECK(sent["messages"][0]["content"][0]["cache_control"] == mark);
  CHECK(sent["messages"][0]["content"][1]["cache_control"] == mark);
  CHECK_FALSE(sent["messages"][0]["content"][2].contains("cache_control"));
  CHECK(sent["messages"][1]["content"][0]["cache_control"] == mark);
  CHECK_FALSE(sent["messages"][1]["content"][1].contains("cache_control"));
  for (const Json& result : sent["messages"][2]["content"]) {
    CHECK(result["cache_control"] == mark);
    CHECK_FALSE(result["content"][0].contains("cache_control"));
  }
}

TEST_CASE("arguments become the object they hold; none, empty and null are an empty one") {
  CHECK(input_for(R"("{\"path\":\"a\\nb\",\"n\":[1.50,{}]}")") == Json::parse(R"({"path":"a\nb","n":[1.5,{}]})"));
  CHECK(input_for(R"("")") == Json::object());
  CHECK(input_for(R"("  ")") == Json::object());
  CHECK(input_for("null") == Json::object());
  CHECK(input_for(R"("null")") == Json::object());
  CHECK(input_for(R"({"a":1})") == Json::parse(R"({"a":1})"));
  const auto exact = translate("{\"messages\":" + with_arguments(R"("{\"n\":1e400,\"s\":\"\\u00e9\"}")") + "}");
  REQUIRE(exact.ok());
  CHECK(exact->find(R"("input":{"n":1e400,"s":"\u00e9"})") != std::string::npos);
}

TEST_CASE("arguments that are no JSON object are refused by the message's name") {
  for (const char* arguments : {R"("{\"a\":")", R"("[1]")", R"("1")", R"("{} {}")", R"("{'a':1}")", "7", "[]"}) {
    CHECK(refused_field(with_arguments(arguments)) == "messages[1].tool_calls[0].function.arguments");
  }
  CHECK(refusal(with_arguments(R"("{\"a\":")")).message.find("not JSON") != std::string::npos);
}

TEST_CASE("ids that Anthropic does not take are changed, the same way in call and result") {
  const Json sent = sent_for(R"([{"role":"user","content":"x"},
    {"role":"assistant","tool_calls":[{"id":"functions.read:0","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"functions.read:0","content":"ok"}])");
  CHECK(sent["messages"][1]["content"][0]["id"] == "functions_read_0");
  CHECK(sent["messages"][2]["content"][0]["tool_use_id"] == "functions_read_0");
}

TEST_CASE("data URLs become base64 sources, and images of tools stay in their results") {
  const Json sent = sent_for(R"([{"role":"user","content":[
      {"type":"image_url","image_url":{"url":"data:image\/png;base64,AA\/BB==","detail":"high"}},
      {"type":"image_url","image_url":"data:IMAGE/JPG;charset=x;base64,CC"}]},
    {"role":"assistant","tool_calls":[{"id":"1","function":{"name":"shot","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"1","content":[{"type":"text","text":"see"},
      {"type":"image_url","image_url":{"url":"data:image/webp;base64,DD"}}]}])",
                             MessagesFor::vertex);
  CHECK(sent["messages"][0]["content"] == Json::parse(R"([
    {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA/BB=="}},
    {"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"CC"}}])"));
  CHECK(sent["messages"][2]["content"][0]["content"][1]["source"]["media_type"] == "image/webp");
}

TEST_CASE("an image's address goes to Anthropic and is refused for Vertex, with what to do") {
  const char* chat = R"([{"role":"user","content":[{"type":"text","text":"?"},
    {"type":"image_url","image_url":{"url":"https://example.org/a.png"}}]}])";
  CHECK(sent_for(chat)["messages"][0]["content"][1]["source"] ==
        Json::parse(R"({"type":"url","url":"https://example.org/a.png"})"));
  const nemo::Error refused = refusal(chat, MessagesFor::vertex);
  CHECK(refused.param == "messages[0].content[1].image_url.url");
  CHECK(refused.message.find("data:") != std::string::npos);
}

TEST_CASE("a PDF becomes a document") {
  const Json sent = sent_for(R"([{"role":"user","content":[{"type":"file",
    "file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}]}])");
  CHECK(sent["messages"][0]["content"][0] == Json::parse(R"({"type":"document","title":"a.pdf",
    "source":{"type":"base64","media_type":"application/pdf","data":"JVBE"}})"));
}

TEST_CASE("signed thinking stands first in its turn; what has no signature is left out") {
  const Json sent = sent_for(R"([{"role":"user","content":"x"},
    {"role":"assistant","content":"I call.","reasoning_content":"hm","thinking_blocks":[
       {"type":"thinking","thinking":"h\u006d","signature":"c2ln","cache_control":null},
       {"type":"redacted_thinking","data":"enc"},{"type":"thinking","thinking":"unsigned"},
       {"type":"other"},7],
     "tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"1","content":"r"}])");
  const Json& content = sent["messages"][1]["content"];
  REQUIRE(content.size() == 4);
  CHECK(content[0] == Json::parse(R"({"type":"thinking","thinking":"hm","signature":"c2ln"})"));
  CHECK(content[1] == Json::parse(R"({"type":"redacted_thinking","data":"enc"})"));
  CHECK(content[2]["text"] == "I call.");
  CHECK(content[3]["type"] == "tool_use");
}

TEST_CASE("an earlier refusal is text") {
  const Json sent = sent_for(R"([{"role":"user","content":"x"},{"role":"assistant","content":null,"refusal":"No."},
    {"role":"user","content":"y"}])");
  CHECK(sent["messages"][1]["content"][0]["text"] == "No.");
}

TEST_CASE("what cannot be served is refused by its name") {
  const struct {
    const char* message;
    const char* field;
  } cases[] = {
      {R"({"role":"function","name":"f","content":"x"})", "messages[1].role"},
      {R"({"role":"critic","content":"x"})", "messages[1].role"},
      {R"({"content":"x"})", "messages[1].role"},
      {R"({"role":"user","content":7})", "messages[1].content"},
      {R"({"role":"user","content":["x"]})", "messages[1].content[0]"},
      {R"({"role":"user","content":[{"type":"text"}]})", "messages[1].content[0].text"},
      {R"({"role":"user","content":[{"type":"input_audio","input_audio":{}}]})", "messages[1].content[0]"},
      {R"({"role":"user","content":[{"type":"video"}]})", "messages[1].content[0].type"},
      {R"({"role":"user","content":[{}]})", "messages[1].content[0].type"},
      {R"({"role":"user","content":[{"type":"thinking","thinking":"x","signature":"s"}]})",
       "messages[1].content[0].type"},
      {R"({"role":"system","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,A"}}]})",
       "messages[1].content[0].type"},
      {R"({"role":"user","content":[{"type":"image_url"}]})", "messages[1].content[0].image_url.url"},
      {R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png,raw"}}]})",
       "messages[1].content[0].image_url.url"},
      {R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"data:text/plain;base64,AA"}}]})",
       "messages[1].content[0].image_url.url"},
      {R"({"role":"user","content":[{"type":"image_url","image_url":{"url":"gs://bucket/a.png"}}]})",
       "messages[1].content[0].image_url.url"},
      {R"({"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]})", "messages[1].content[0].file"},
      {R"({"role":"tool","content":"x"})", "messages[1].tool_call_id"},
      {R"({"role":"tool","tool_call_id":"","content":"x"})", "messages[1].tool_call_id"},
      {R"({"role":"assistant","tool_calls":{}})", "messages[1].tool_calls"},
      {R"({"role":"assistant","tool_calls":[1]})", "messages[1].tool_calls[0]"},
      {R"({"role":"assistant","tool_calls":[{"id":"1"}]})", "messages[1].tool_calls[0].function"},
      {R"({"role":"assistant","tool_calls":[{"function":{"name":"f"}}]})", "messages[1].tool_calls[0].id"},
      {R"({"role":"assistant","tool_calls":[{"id":"1","function":{}}]})", "messages[1].tool_calls[0].function.name"},
      {R"({"role":"assistant","tool_calls":[{"id":"1","type":"custom","custom":{}}]})",
       "messages[1].tool_calls[0].type"},
      {R"({"role":"assistant","function_call":{"name":"f","arguments":"{}"}})", "messages[1].function_call"},
      {R"({"role":"assistant","content":"x","thinking_blocks":"x"})", "messages[1].thinking_blocks"},
  };
  for (const auto& [message, field] : cases) {
    CHECK(refused_field(R"([{"role":"user","content":"x"},)" + std::string(message) + "]") == field);
  }
}

}  // namespace nemo::test::anthropic_turns_test
