// A Responses request as a chat.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "daemon/protocol/surface_form.h"

namespace nemo::test::responses_request_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Json = nlohmann::json;

namespace {

nemo::Result<nemo::call::CallSpec> parse(const RequestBody& body) {
  return form_of(nemo::call::Surface::openai_responses).parse(body, {});
}

nemo::Result<std::string> translate(const Json& request) {
  const auto body = RequestBody::parse(request.dump());
  REQUIRE(body.ok());
  const auto spec = parse(*body);
  if (!spec) return spec.error();
  return form_of(nemo::call::Surface::openai_responses).hub->request(*body, *spec);
}

Json chat_for(const Json& request) {
  const auto chat = translate(request);
  INFO(request.dump());
  if (!chat) FAIL_CHECK(chat.error().message);
  REQUIRE(chat.ok());
  INFO(*chat);
  REQUIRE(Json::accept(*chat));
  return Json::parse(*chat);
}

// The message of a refusal, after its field was checked.
std::string refusal(const Json& request, const std::string& param) {
  const auto chat = translate(request);
  INFO(request.dump());
  REQUIRE_FALSE(chat.ok());
  CHECK(chat.error().kind == ErrorKind::invalid_request);
  CHECK(chat.error().param == param);
  return chat.error().message;
}

Json with_input(const Json& items) {
  return {{"model", "m"}, {"input", items}};
}
Json messages_for(const Json& items) {
  return chat_for(with_input(items))["messages"];
}
Json user(const Json& content) {
  return {{"type", "message"}, {"role", "user"}, {"content", content}};
}
Json call(const std::string& id, const std::string& name = "f", const std::string& arguments = "{\"a\":1}") {
  return {{"type", "function_call"}, {"call_id", id}, {"name", name}, {"arguments", arguments}};
}
Json output(const std::string& id, const Json& value) {
  return {{"type", "function_call_output"}, {"call_id", id}, {"output", value}};
}
Json function_tool(const std::string& name) {
  return {{"type", "function"}, {"name", name}, {"parameters", {{"type", "object"}}}};
}
Json with_tools(const Json& tools, const Json& choice = "auto") {
  return {{"model", "m"}, {"input", "x"}, {"tools", tools}, {"tool_choice", choice}};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a response asked for with a text is a chat with one message") {
  const Json chat = chat_for({{"model", "m"}, {"input", "say \"hi\"\n\u00e9"}});
  CHECK(chat == Json{{"model", "m"}, {"messages", {{{"role", "user"}, {"content", "say \"hi\"\n\u00e9"}}}}});
}

TEST_CASE("instructions and what developers say first are one system message, for templates that take no more") {
  Json request = with_input(Json::array({{{"role", "developer"}, {"content", "two"}},
                                         {{"role", "system"}, {"content", {{{"type", "input_text"}, {"text", "3"}}}}},
                                         user("hello"),
                                         {{"role", "developer"}, {"content", "later"}}}));
  request["instructions"] = "one";
  const Json messages = chat_for(request)["messages"];
  REQUIRE(messages.size() == 3);
  CHECK(messages[0] == Json{{"role", "system"}, {"content", "one\n\ntwo\n\n3"}});
  CHECK(messages[1] == Json{{"role", "user"}, {"content", "hello"}});
  CHECK(messages[2] == Json{{"role", "system"}, {"content", "later"}});
}

TEST_CASE("fields that chat has too go over, under its names") {
  const Json chat = chat_for({{"model", "m"},
                              {"input", "x"},
                              {"stream", true},
                              {"temperature", 0.5},
                              {"top_p", 0.9},
                              {"max_output_tokens", 77},
                              {"reasoning", {{"effort", "low"}, {"summary", "auto"}}},
                              {"text", {{"verbosity", "low"}, {"format", {{"type", "text"}}}}},
                              {"metadata", {{"a", "b"}}},
                              {"user", "u"},
                              {"safety_identifier", "s"},
                              {"prompt_cache_key", "k"},
                              {"service_tier", "flex"},
                              {"nemo_lane", "reasoning"},
                              {"store", true},
                              {"include", {"reasoning.encrypted_content"}},
                              {"truncation", "auto"},
                              {"parallel_tool_calls", true},
                              {"tool_choice", "auto"},
                              {"background", false},
                              {"previous_response_id", nullptr}});
  CHECK(chat == Json{{"model", "m"},
                     {"stream", true},
                     {"temperature", 0.5},
                     {"top_p", 0.9},
                     {"metadata", {{"a", "b"}}},
                     {"user", "u"},
                     {"safety_identifier", "s"},
                     {"service_tier", "flex"},
                     {"prompt_cache_key", "k"},
                     {"nemo_lane", "reasoning"},
                     {"messages", {{{"role", "user"}, {"content", "x"}}}},
                     {"max_tokens", 77},
                     {"reasoning_effort", "low"},
                     {"verbosity", "low"}});
}

TEST_CASE("the daemon learns of a request what it routes and pays by") {
  const std::string text =
      R"({"model":"m","input":"hello","stream":true,"max_output_tokens":5,"tools":[{"type":"function","name":"f"}],)"
      R"("nemo_tags":["code"]})";
  const auto body = RequestBody::parse(text);
  REQUIRE(body.ok());
  const auto spec = parse(*body);
  REQUIRE(spec.ok());
  CHECK(spec->surface == nemo::call::Surface::openai_responses);
  CHECK(spec->model == "m");
  CHECK(spec->stream);
  CHECK(spec->has_tools);
  CHECK(spec->max_tokens == 5);
  CHECK(spec->tags == std::vector<std::string>{"code"});
  CHECK(spec->prompt_bytes > 30);
}

TEST_CASE("a schema for the answer moves to where chat has it") {
  Json request{
      {"model", "m"},
      {"input", "x"},
      {"text", {{"format", {{"type", "json_schema"}, {"name", "n"}, {"strict", true}, {"schema", {{"a", 1}}}}}}}};
  CHECK(chat_for(request)["response_format"] ==
        Json{{"type", "json_schema"}, {"json_schema", {{"name", "n"}, {"schema", {{"a", 1}}}, {"strict", true}}}});
  request["text"]["format"] = {{"type", "json_object"}};
  CHECK(chat_for(request)["response_format"] == Json{{"type", "json_object"}});
  request["text"]["format"] = {{"type", "xml"}};
  refusal(request, "text.format");
}

TEST_CASE("parts become chat's parts, and one text stays a text") {
  const Json image{{"type", "input_image"}, {"image_url", "data:image/png;base64,AA"}, {"detail", "high"}};
  const Json messages = messages_for(
      {user({{{"type", "input_text"}, {"text", "one"}}}),
       user({{{"type", "input_text"}, {"text", "look"}}, image, {{"type", "input_text"}, {"text", "again"}}}),
       user({{{"type", "input_file"}, {"filename", "a.pdf"}, {"file_data", "data:x"}}})});
  CHECK(messages[0]["content"] == "one");
  CHECK(messages[1]["content"] ==
        Json::array({{{"type", "text"}, {"text", "look"}},
                     {{"type", "image_url"}, {"image_url", {{"url", "data:image/png;base64,AA"}, {"detail", "high"}}}},
                     {{"type", "text"}, {"text", "again"}}}));
  CHECK(messages[2]["content"] ==
        Json::array({{{"type", "file"}, {"file", {{"file_data", "data:x"}, {"filename", "a.pdf"}}}}}));
}

TEST_CASE(
    "parallel calls are one assistant message with its text, and their outputs follow in the order of the calls") {
  const Json messages = messages_for(
      {user("do it"),
       {{"type", "message"}, {"role", "assistant"}, {"content", {{{"type", "output_text"}, {"text", "I will"}}}}},
       call("call_1", "f", "{\"a\":\"\\u00e9\"}"),
       call("call_2", "g", ""),
       output("call_2", "two"),
       output("call_1", {{{"type", "input_text"}, {"text", "o"}}, {{"type", "input_text"}, {"text", "ne"}}}),
       user("and now?")});
  REQUIRE(messages.size() == 5);
  CHECK(messages[1] ==
        Json{{"role", "assistant"},
             {"content", "I will"},
             {"tool_calls",
              {{{"id", "call_1"},
                {"type", "function"},
                {"function", {{"name", "f"}, {"arguments", "{\"a\":\"\\u00e9\"}"}}}},
               {{"id", "call_2"}, {"type", "function"}, {"function", {{"name", "g"}, {"arguments", "{}"}}}}}}});
  CHECK(messages[2] == Json{{"role", "tool"}, {"tool_call_id", "call_1"}, {"content", "o\nne"}});
  CHECK(messages[3] == Json{{"role", "tool"}, {"tool_call_id", "call_2"}, {"content", "two"}});
  CHECK(messages[4] == Json{{"role", "user"}, {"content", "and now?"}});
}

TEST_CASE("calls one after the other are messages of their own, and an output is moved to its call") {
  const Json messages =
      messages_for({user("x"), call("a"), output("a", "1"), call("b"), user("wait"), output("b", "2")});
  REQUIRE(messages.size() == 6);
  CHECK(messages[1]["tool_calls"].size() == 1);
  CHECK(messages[2]["content"] == "1");
  CHECK(messages[3]["content"].is_null());
  CHECK(messages[3]["tool_calls"][0]["id"] == "b");
  CHECK(messages[4] == Json{{"role", "tool"}, {"tool_call_id", "b"}, {"content", "2"}});
  CHECK(messages[5]["content"] == "wait");
}

TEST_CASE("calls without outputs and outputs without calls are refused by their place") {
  CHECK(has(refusal(with_input({user("x"), call("a"), call("b"), output("a", "1")}), "input[2]"), "has no output"));
  CHECK(has(refusal(with_input({user("x"), output("a", "1")}), "input[1].call_id"), "send the call too"));
  refusal(with_input({user("x"), call("a"), output("a", 7)}), "input[2].output");
}

TEST_CASE("a picture that a tool gives back follows as the user's") {
  const Json messages = messages_for(
      {user("x"), call("a"), output("a", {{{"type", "input_image"}, {"image_url", "data:image/png;base64,AA"}}})});
  REQUIRE(messages.size() == 4);
  CHECK(messages[2] == Json{{"role", "tool"}, {"tool_call_id", "a"}, {"content", ""}});
  CHECK(messages[3]["role"] == "user");
  CHECK(messages[3]["content"][0]["image_url"]["url"] == "data:image/png;base64,AA");
}

TEST_CASE("a custom tool is a function that takes one text, and so are its calls of before") {
  Json request = with_tools({{{"type", "custom"},
                              {"name", "apply_patch"},
                              {"description", "Edits \"files\"."},
                              {"format", {{"type", "grammar"}, {"syntax", "lark"}, {"definition", "start: \"a\""}}}}});
  request["input"] = Json::array(
      {user("x"),
       {{"type", "custom_tool_call"}, {"call_id", "c"}, {"name", "apply_patch"}, {"input", "*** \"Begin\"\n\\ \u00e9"}},
       {{"type", "custom_tool_call_output"}, {"call_id", "c"}, {"output", "done"}}});
  const Json chat = chat_for(request);
  const Json tool = chat["tools"][0];
  CHECK(tool["type"] == "function");
  CHECK(tool["function"]["name"] == "apply_patch");
  CHECK(tool["function"]["description"] ==
        "Edits \"files\".\n\nThe input must follow this lark grammar:\nstart: \"a\"");
  CHECK(tool["function"]["parameters"]["required"] == Json::array({"input"}));
  const Json called = chat["messages"][1]["tool_calls"][0]["function"];
  CHECK(Json::parse(called["arguments"].get<std::string>()) == Json{{"input", "*** \"Begin\"\n\\ \u00e9"}});
  CHECK(chat["messages"][2]["content"] == "done");
}

TEST_CASE("tools of a namespace are functions with its name before theirs, in tools and in calls") {
  Json request = with_tools(
      {function_tool("shell"),
       {{"type", "namespace"}, {"name", "mcp__git__"}, {"tools", {function_tool("log"), function_tool("diff")}}},
       {{"type", "namespace"}, {"name", "web"}, {"tools", {function_tool("log")}}},
       {{"type", "namespace"}, {"name", "empty"}}});
  Json called = call("a", "log");
  called["namespace"] = "web";
  request["input"] = Json::array({user("x"), called, output("a", "1")});
  const Json chat = chat_for(request);
  std::vector<std::string> names;
  for (const Json& tool : chat["tools"]) names.push_back(tool["function"]["name"]);
  CHECK(names == std::vector<std::string>{"shell", "mcp__git__log", "mcp__git__diff", "web__log"});
  CHECK(chat["messages"][1]["tool_calls"][0]["function"]["name"] == "web__log");
}

TEST_CASE("tools that OpenAI runs are left out, and with the last of them the choice") {
  const Json hosted{{"type", "web_search"}};
  for (const char* type : {"web_search", "local_shell", "file_search", "computer_use_preview", "mcp",
                           "image_generation", "code_interpreter", "no_such_type"}) {
    CAPTURE(type);
    const Json chat = chat_for(with_tools({{{"type", type}}, function_tool("f")}));
    REQUIRE(chat["tools"].size() == 1);
    CHECK(chat["tool_choice"] == "auto");
    Json alone = with_tools({{{"type", type}}});
    alone["parallel_tool_calls"] = false;
    const Json none = chat_for(alone);
    CHECK_FALSE(none.contains("tools"));
    CHECK_FALSE(none.contains("tool_choice"));
    CHECK_FALSE(none.contains("parallel_tool_calls"));
    CHECK(has(refusal(with_tools({{{"type", type}}, function_tool("f")}, {{"type", type}}), "tool_choice"), type));
  }
  refusal(with_tools(Json::array({hosted}), "required"), "tool_choice");
}

TEST_CASE("a choice of tools is told in chat's words") {
  const Json tools{function_tool("f"), {{"type", "custom"}, {"name", "g"}}};
  for (const char* word : {"auto", "none", "required"}) {
    CHECK(chat_for(with_tools(tools, word))["tool_choice"] == word);
  }
  const auto forced = [](const char* name) { return Json{{"type", "function"}, {"function", {{"name", name}}}}; };
  CHECK(chat_for(with_tools(tools, {{"type", "function"}, {"name", "f"}}))["tool_choice"] == forced("f"));
  CHECK(chat_for(with_tools(tools, {{"type", "custom"}, {"name", "g"}}))["tool_choice"] == forced("g"));
  const Json allowed = chat_for(with_tools(
      tools, {{"type", "allowed_tools"}, {"mode", "required"}, {"tools", {{{"type", "custom"}, {"name", "g"}}}}}));
  CHECK(allowed["tool_choice"] == "required");
  REQUIRE(allowed["tools"].size() == 1);
  CHECK(allowed["tools"][0]["function"]["name"] == "g");
  refusal(with_tools(tools, {{"type", "function"}, {"name", "h"}}), "tool_choice");
  refusal(with_tools(tools, "sometimes"), "tool_choice");
}

TEST_CASE("tools that a chat cannot tell apart, and nameless ones, are refused") {
  CHECK(has(refusal(with_tools({function_tool("f"), function_tool("f")}), "tools"), "\"f\""));
  refusal(with_tools({{{"type", "function"}}}), "tools[0].name");
  refusal(with_tools({{{"type", "namespace"}, {"name", "n"}, {"tools", {{{"type", "function"}}}}}}),
          "tools[0].tools[0].name");
}

TEST_CASE("only what is strict says so") {
  Json strict = function_tool("f");
  strict["strict"] = true;
  Json loose = function_tool("g");
  loose["strict"] = false;
  const Json tools = chat_for(with_tools({strict, loose}))["tools"];
  CHECK(tools[0]["function"]["strict"] == true);
  CHECK_FALSE(tools[1]["function"].contains("strict"));
}

TEST_CASE("reasoning in the open stays with what was said after it, and what others encrypted is left out") {
  const Json messages = messages_for(
      {user("x"),
       {{"type", "reasoning"},
        {"id", "rs_1"},
        {"summary", {{{"type", "summary_text"}, {"text", "short"}}}},
        {"content", {{{"type", "reasoning_text"}, {"text", "hm, "}}, {{"type", "reasoning_text"}, {"text", "well"}}}}},
       call("a"),
       output("a", "1"),
       {{"type", "reasoning"}, {"summary", Json::array()}, {"encrypted_content", "gAAAAAB"}},
       {{"type", "message"}, {"role", "assistant"}, {"content", "done"}}});
  REQUIRE(messages.size() == 4);
  CHECK(messages[1]["reasoning_content"] == "hm, well");
  CHECK(messages[1]["tool_calls"].size() == 1);
  CHECK(messages[3] == Json{{"role", "assistant"}, {"content", "done"}});
}

TEST_CASE("what OpenAI's own tools did is left out, and items that say more are refused by name") {
  const Json messages = messages_for({user("x"), {{"type", "web_search_call"}, {"id", "ws"}, {"status", "completed"}}});
  CHECK(messages.size() == 1);
  CHECK(has(refusal(with_input({user("x"), {{"type", "item_reference"}, {"id", "msg_1"}}}), "input[1]"),
            "send the item itself"));
  for (const char* type : {"computer_call_output", "local_shell_call", "compaction", "no_such_item"}) {
    CHECK(has(refusal(with_input({user("x"), {{"type", type}}}), "input[1].type"), type));
  }
  CHECK(has(refusal(with_input(Json::array({user({{{"type", "input_video"}}})})), "input[0].content[0].type"),
            "input_video"));
  refusal(with_input(Json::array({user({{{"type", "input_image"}, {"file_id", "file-1"}}})})), "input[0].content[0]");
  refusal(with_input(Json::array({user({{{"type", "input_file"}, {"file_url", "https://x"}}})})),
          "input[0].content[0]");
  refusal(with_input({{{"type", "web_search_call"}}}), "input");
}

TEST_CASE("what needs state between requests is refused, and says what to send") {
  const Json plain{{"model", "m"}, {"input", "x"}};
  const auto with = [&](const char* field, const Json& value) {
    Json request = plain;
    request[field] = value;
    return request;
  };
  CHECK(has(refusal(with("previous_response_id", "resp_1"), "previous_response_id"), "whole input"));
  CHECK(has(refusal(with("conversation", {{"id", "conv_1"}}), "conversation"), "whole input"));
  refusal(with("prompt", {{"id", "pmpt_1"}}), "prompt");
  refusal(with("background", true), "background");
}

TEST_CASE("fields of the wrong type are refused by name, and bodies of other surfaces are told where to go") {
  refusal({{"model", 1}, {"input", "x"}}, "model");
  refusal({{"input", 1}}, "input");
  refusal({{"input", Json::array()}}, "input");
  refusal({{"input", Json::array({"x"})}}, "input");
  refusal({{"input", "x"}, {"stream", "yes"}}, "stream");
  refusal({{"input", "x"}, {"max_output_tokens", 0}}, "max_output_tokens");
  refusal({{"input", "x"}, {"instructions", {"a"}}}, "instructions");
  refusal({{"input", "x"}, {"tools", "f"}}, "tools");
  refusal({{"input", "x"}, {"reasoning", "low"}}, "reasoning");
  refusal({{"input", "x"}, {"text", "low"}}, "text");
  refusal(with_input({user("x"), {{"type", "message"}, {"role", "robot"}, {"content", "x"}}}), "input[1].role");
  refusal({{"model", "m"}}, "input");
  CHECK(has(refusal({{"messages", {user("x")}}}, "messages"), "/v1/chat/completions"));
  CHECK(has(refusal({{"contents", Json::array()}}, "contents"), "generateContent"));
}

}  // namespace nemo::test::responses_request_test
