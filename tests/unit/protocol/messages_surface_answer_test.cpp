// A chat's answer, and errors, as Anthropic's clients read them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/surfaces/anthropic_arguments.h"
#include "daemon/protocol/surfaces/anthropic_errors.h"
#include "daemon/protocol/surfaces/forms.h"

namespace nemo::test::messages_surface_answer_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using nemo::fail;
using Json = nlohmann::json;

namespace {

nemo::Result<std::string> told(const std::string& chat) {
  const auto body = RequestBody::parse("{}");
  REQUIRE(body.ok());
  const nemo::call::CallSpec spec;
  return messages_form().hub->answer(chat, {*body, spec, nemo::WallTime{}, "gemini-2.5-pro"});
}

Json message_of(const Json& chat) {
  const auto message = told(chat.dump());
  if (!message) FAIL(message.error().message);
  CHECK(message->find('\n') == std::string::npos);
  return Json::parse(*message);
}

Json chat(const Json& message, const Json& finish_reason = "stop", const Json& usage = nullptr) {
  return {{"id", "chatcmpl-1"},
          {"object", "chat.completion"},
          {"choices", {{{"index", 0}, {"message", message}, {"finish_reason", finish_reason}}}},
          {"usage", usage}};
}

Json call(const std::string& id, const std::string& name, const Json& arguments) {
  return {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}};
}

std::string type_of(const nemo::Error& error) {
  const Json body = Json::parse(messages_error_body(error));
  CHECK(body["type"] == "error");
  CHECK(body["error"]["message"].is_string());
  return body["error"]["type"];
}

}  // namespace

TEST_CASE("a text answer is a message with all that the SDK reads") {
  const Json usage = {{"prompt_tokens", 35},
                      {"completion_tokens", 9},
                      {"total_tokens", 44},
                      {"prompt_tokens_details", {{"cached_tokens", 20}, {"cache_write_tokens", 4}}}};
  CHECK(message_of(chat({{"role", "assistant"}, {"content", "Hi \"é\""}}, "stop", usage)) ==
        Json{{"id", "msg_1"},
             {"type", "message"},
             {"role", "assistant"},
             {"model", "gemini-2.5-pro"},
             {"content", {{{"type", "text"}, {"text", "Hi \"é\""}}}},
             {"stop_reason", "end_turn"},
             {"stop_sequence", nullptr},
             {"usage",
              {{"input_tokens", 11},
               {"cache_creation_input_tokens", 4},
               {"cache_read_input_tokens", 20},
               {"output_tokens", 9}}}});
}

TEST_CASE("reasoning that completion_tokens leaves out counts as output") {
  const Json usage = {{"prompt_tokens", 10}, {"completion_tokens", 5}, {"total_tokens", 22}};
  CHECK(message_of(chat({{"content", "x"}}, "stop", usage))["usage"]["output_tokens"] == 12);
}

TEST_CASE("tool calls become blocks in order, their arguments objects") {
  const Json message = message_of(chat({{"content", "Let me see."},
                                        {"tool_calls",
                                         {call("a", "f", R"({"x":[1,{"y":"\u00e9"}]})"), call("b", "g", ""),
                                          call("", "h", {{"z", 1}}), call("d", "i", "{\"cut\":")}}},
                                       "tool_calls"));
  CHECK(message["stop_reason"] == "tool_use");
  const Json& content = message["content"];
  REQUIRE(content.size() == 5);
  CHECK(content[0]["text"] == "Let me see.");
  CHECK(content[1] == Json{{"type", "tool_use"}, {"id", "a"}, {"name", "f"}, {"input", {{"x", {1, {{"y", "é"}}}}}}});
  CHECK(content[2]["input"] == Json::object());
  CHECK(content[3]["input"] == Json{{"z", 1}});
  CHECK_FALSE(content[3]["id"].get<std::string>().empty());
  CHECK(content[4]["input"] == Json{{"INVALID_JSON", "{\"cut\":"}});
}

TEST_CASE("stop reasons are told in Anthropic's words") {
  const auto reason = [](const Json& finish, const Json& more = Json::object()) {
    Json message = {{"content", "x"}};
    message.update(more);
    return message_of(chat(message, finish))["stop_reason"].get<std::string>();
  };
  CHECK(reason("stop") == "end_turn");
  CHECK(reason("length") == "max_tokens");
  CHECK(reason("content_filter") == "refusal");
  CHECK(reason(nullptr) == "end_turn");
  const Json calls = {{"tool_calls", {call("a", "f", "{}")}}};
  CHECK(reason("tool_calls", calls) == "tool_use");
  CHECK(reason("stop", calls) == "tool_use");
  CHECK(reason("length", calls) == "max_tokens");
}

TEST_CASE("reasoning comes first, signed where it was signed") {
  Json content = message_of(chat({{"content", "x"}, {"reasoning_content", "hm"}}))["content"];
  CHECK(content[0] == Json{{"type", "thinking"}, {"thinking", "hm"}, {"signature", ""}});
  CHECK(content[1]["text"] == "x");
  const Json blocks = {{{"type", "thinking"}, {"thinking", "hm"}, {"signature", "s"}},
                       {{"type", "redacted_thinking"}, {"data", "d"}}};
  content = message_of(chat({{"content", "x"}, {"reasoning_content", "hm"}, {"thinking_blocks", blocks}}))["content"];
  REQUIRE(content.size() == 3);
  CHECK(content[0] == blocks[0]);
  CHECK(content[1] == blocks[1]);
  const Json parts = {{{"type", "thinking"}, {"thinking", {{{"type", "text"}, {"text", "hm"}}}}},
                      {{"type", "text"}, {"text", "x"}},
                      {{"type", "text"}, {"text", "y"}}};
  content = message_of(chat({{"content", parts}}))["content"];
  REQUIRE(content.size() == 2);
  CHECK(content[0]["thinking"] == "hm");
  CHECK(content[1]["text"] == "xy");
  CHECK(message_of(chat({{"content", nullptr}, {"refusal", "no"}}))["content"][0]["text"] == "no");
  CHECK(message_of(chat({{"content", ""}}))["content"] == Json::array());
}

TEST_CASE("what is no chat completion is an upstream's error") {
  for (const char* odd : {"", "[]", "{}", R"({"choices":[]})", R"({"choices":"x"})", R"({"choices":[{}])"}) {
    CAPTURE(odd);
    const auto answer = told(odd);
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().kind == ErrorKind::upstream_error);
  }
}

TEST_CASE("errors have Anthropic's types, by their status") {
  CHECK(type_of(fail(ErrorKind::invalid_request, "x")) == "invalid_request_error");
  CHECK(type_of(fail(ErrorKind::invalid_api_key, "x")) == "authentication_error");
  CHECK(type_of(fail(ErrorKind::budget_exceeded, "x")) == "billing_error");
  CHECK(type_of(fail(ErrorKind::model_not_allowed, "x")) == "permission_error");
  CHECK(type_of(fail(ErrorKind::model_not_found, "x")) == "not_found_error");
  CHECK(type_of(fail(ErrorKind::request_too_large, "x")) == "request_too_large");
  CHECK(type_of(fail(ErrorKind::rate_limit_exceeded, "x")) == "rate_limit_error");
  CHECK(type_of(fail(ErrorKind::upstream_error, "x")) == "api_error");
  CHECK(type_of(fail(ErrorKind::upstream_timeout, "x")) == "timeout_error");
  CHECK(type_of(fail(ErrorKind::no_deployment_available, "x")) == "overloaded_error");
  nemo::Error rejected = fail(ErrorKind::upstream_rejected, "x");
  rejected.http_status = 429;
  rejected.upstream_body = R"({"error":{"message":"slow down","type":"requests","code":null}})";
  CHECK(type_of(rejected) == "rate_limit_error");
  CHECK(Json::parse(messages_error_body(rejected))["error"]["message"] == "slow down");
  rejected.upstream_body = R"({"error":{"message":"slow down","type":"overloaded_error"}})";
  CHECK(type_of(rejected) == "overloaded_error");
  CHECK(messages_error_event(fail(ErrorKind::internal, "a\nb")) ==
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"a\\nb\"}}\n\n");
}

TEST_CASE("the end of a call's arguments is seen at their last brace, however they are cut") {
  const std::string arguments = R"({"a":"} \" \\ {","b":[{"c":"\u007d"}],"d":{}})";
  const std::string quoted = Json(arguments).dump();
  const std::string body = quoted.substr(1, quoted.size() - 2);
  ArgumentsScan at_once;
  at_once.feed(body);
  CHECK(at_once.is_complete());
  ArgumentsScan scan;
  CHECK_FALSE(scan.is_complete());
  std::size_t at = 0;
  while (at < body.size()) {
    CHECK_FALSE(scan.is_complete());
    const std::size_t length = body[at] != '\\' ? 1 : body[at + 1] == 'u' ? 6 : 2;
    scan.feed(std::string_view(body).substr(at, length));
    at += length;
  }
  CHECK(scan.is_complete());
  ArgumentsScan escaped;
  escaped.feed(R"(\u007b\u0022x\u0022:1)");
  CHECK_FALSE(escaped.is_complete());
  escaped.feed(R"(\u007d)");
  CHECK(escaped.is_complete());
  ArgumentsScan blank;
  blank.feed(R"( \n\t )");
  CHECK_FALSE(blank.has_begun());
}

}  // namespace nemo::test::messages_surface_answer_test
