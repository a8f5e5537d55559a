// A chat model's whole answer as a response.
#include "responses_told.h"

namespace nemo::test::responses_answer_test {

using namespace nemo::protocol;

namespace {

Json chat(const Json& message, const Json& finish = "stop", const Json& usage = nullptr) {
  Json answer{{"id", "chatcmpl-1"},
              {"object", "chat.completion"},
              {"created", 5},
              {"model", "upstream-model"},
              {"choices", {{{"index", 0}, {"message", message}, {"finish_reason", finish}}}}};
  if (!usage.is_null()) answer["usage"] = usage;
  return answer;
}

Json call_of(const std::string& id, const std::string& name, const std::string& arguments) {
  return {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}};
}

const Json k_usage{{"prompt_tokens", 30},
                   {"completion_tokens", 12},
                   {"total_tokens", 42},
                   {"prompt_tokens_details", {{"cached_tokens", 20}}},
                   {"completion_tokens_details", {{"reasoning_tokens", 7}}}};

// What a client sends back for the next turn, as the messages of a chat.
Json next_turn(const Json& response, const Json& more) {
  Json items = Json::array({{{"role", "user"}, {"content", "x"}}});
  for (const Json& item : response["output"]) items.push_back(item);
  for (const Json& item : more) items.push_back(item);
  const ToldCall next = ToldCall::make({{"model", "m"}, {"input", items}});
  const auto told = ToldCall::form().request(next.body, next.spec);
  REQUIRE(told.ok());
  return Json::parse(*told)["messages"];
}

}  // namespace

TEST_CASE("a text is a message with one part, and usage is told in the words of responses") {
  const ToldCall call = ToldCall::make({{"model", "m"}, {"input", "x"}});
  const Json response = call.answer(chat({{"role", "assistant"}, {"content", "h\u00e9 \"you\"\n"}}, "stop", k_usage));
  CHECK(response["object"] == "response");
  CHECK(response["id"].get<std::string>().starts_with("resp_"));
  CHECK(response["created_at"] == 1'700'000'000);
  CHECK(response["model"] == "catalog-model");
  CHECK(response["status"] == "completed");
  CHECK(response["error"].is_null());
  CHECK(response["incomplete_details"].is_null());
  REQUIRE(response["output"].size() == 1);
  const Json item = response["output"][0];
  CHECK(item["type"] == "message");
  CHECK(item["role"] == "assistant");
  CHECK(item["status"] == "completed");
  CHECK(item["id"].get<std::string>().starts_with("msg_"));
  CHECK(item["content"] == Json::array({{{"type", "output_text"},
                                         {"text", "h\u00e9 \"you\"\n"},
                                         {"annotations", Json::array()},
                                         {"logprobs", Json::array()}}}));
  CHECK(response["usage"] == Json{{"input_tokens", 30},
                                  {"input_tokens_details", {{"cached_tokens", 20}}},
                                  {"output_tokens", 12},
                                  {"output_tokens_details", {{"reasoning_tokens", 7}}},
                                  {"total_tokens", 42}});
}

TEST_CASE("a response repeats what was asked, says that nothing is stored, and fills in what was not said") {
  const Json tools{{{"type", "function"}, {"name", "f"}, {"parameters", {{"type", "object"}}}}};
  const ToldCall call = ToldCall::make({{"model", "m"},
                                        {"input", "x"},
                                        {"instructions", "be\nbrief"},
                                        {"tools", tools},
                                        {"tool_choice", "required"},
                                        {"parallel_tool_calls", false},
                                        {"temperature", 0.25},
                                        {"max_output_tokens", 9},
                                        {"metadata", {{"a", "b"}}},
                                        {"store", true}});
  const Json response = call.answer(chat({{"content", "y"}}));
  CHECK(response["instructions"] == "be\nbrief");
  CHECK(response["tools"] == tools);
  CHECK(response["tool_choice"] == "required");
  CHECK(response["parallel_tool_calls"] == false);
  CHECK(response["temperature"] == 0.25);
  CHECK(response["max_output_tokens"] == 9);
  CHECK(response["metadata"] == Json{{"a", "b"}});
  CHECK(response["store"] == false);
  CHECK(response["background"] == false);
  CHECK(response["previous_response_id"].is_null());
  CHECK(response["top_p"].is_null());
  CHECK(response["text"] == Json{{"format", {{"type", "text"}}}});

  const Json bare = ToldCall::make({{"input", "x"}}).answer(chat({{"content", "y"}}));
  CHECK(bare["instructions"].is_null());
  CHECK(bare["tools"] == Json::array());
  CHECK(bare["tool_choice"] == "auto");
  CHECK(bare["parallel_tool_calls"] == true);
}

TEST_CASE("reasoning, text and calls are items in this order, each with its own id") {
  const ToldCall call = ToldCall::make({{"input", "x"}});
  const Json response =
      call.answer(chat({{"content", "so:"},
                        {"reasoning_content", "hm"},
                        {"tool_calls", {call_of("call_1", "f", "{\"a\":1}"), call_of("call_2", "g", "")}}},
                       "tool_calls"));
  CHECK(response["status"] == "completed");
  const Json output = response["output"];
  REQUIRE(output.size() == 4);
  CHECK(output[0]["type"] == "reasoning");
  CHECK(output[0]["summary"] == Json::array());
  CHECK(output[0]["content"] == Json::array({{{"type", "reasoning_text"}, {"text", "hm"}}}));
  CHECK(output[1]["content"][0]["text"] == "so:");
  CHECK(output[2]["type"] == "function_call");
  CHECK(output[2]["call_id"] == "call_1");
  CHECK(output[2]["name"] == "f");
  CHECK(output[2]["arguments"] == "{\"a\":1}");
  CHECK(output[2]["status"] == "completed");
  CHECK(output[3]["arguments"] == "{}");
  std::vector<std::string> ids;
  for (const Json& item : output) ids.push_back(item["id"]);
  std::sort(ids.begin(), ids.end());
  CHECK(std::unique(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("a custom tool's call comes back as the text it was given, whatever the model made of its argument") {
  const ToldCall call = ToldCall::make({{"input", "x"}, {"tools", {{{"type", "custom"}, {"name", "p"}}}}});
  const std::string patch = "*** Begin\n+\"a\\b\" \u00e9\U0001F600\n";
  const auto input_for = [&](const std::string& arguments) {
    const Json item = call.answer(chat({{"tool_calls", {call_of("c", "p", arguments)}}}))["output"][0];
    CHECK(item["type"] == "custom_tool_call");
    CHECK(item["call_id"] == "c");
    CHECK(item["name"] == "p");
    CHECK_FALSE(item.contains("arguments"));
    return item["input"].get<std::string>();
  };
  CHECK(input_for(Json{{"input", patch}}.dump()) == patch);
  CHECK(input_for(Json{{"input", patch}}.dump(-1, ' ', true)) == patch);  // in ASCII
  CHECK(input_for(patch) == patch);                                       // no JSON at all
  CHECK(input_for("{\"input\":\"cut of") == "{\"input\":\"cut of");
  CHECK(input_for("{\"other\":1}") == "{\"other\":1}");
  CHECK(input_for("{\"input\":[1]}") == "[1]");
}

TEST_CASE("a call of a namespace's function names both") {
  const Json inner = Json::array({{{"type", "function"}, {"name", "log"}}});
  const ToldCall call =
      ToldCall::make({{"input", "x"}, {"tools", {{{"type", "namespace"}, {"name", "git"}, {"tools", inner}}}}});
  const Json item = call.answer(chat({{"tool_calls", {call_of("c", "git__log", "{}")}}}))["output"][0];
  CHECK(item["name"] == "log");
  CHECK(item["namespace"] == "git");
}

TEST_CASE("an answer that was cut off is incomplete and says why") {
  const ToldCall call = ToldCall::make({{"input", "x"}});
  const Json cut = call.answer(chat({{"content", "half"}}, "length"));
  CHECK(cut["status"] == "incomplete");
  CHECK(cut["incomplete_details"] == Json{{"reason", "max_output_tokens"}});
  CHECK(cut["output"][0]["status"] == "incomplete");
  const Json filtered = call.answer(chat({{"content", nullptr}}, "content_filter"));
  CHECK(filtered["incomplete_details"] == Json{{"reason", "content_filter"}});
  CHECK(filtered["output"] == Json::array());
}

TEST_CASE("a refusal is a part of its own") {
  const ToldCall call = ToldCall::make({{"input", "x"}});
  const Json output = call.answer(chat({{"content", nullptr}, {"refusal", "I cannot"}}))["output"];
  REQUIRE(output.size() == 1);
  CHECK(output[0]["content"] == Json::array({{{"type", "refusal"}, {"refusal", "I cannot"}}}));
}

TEST_CASE("usage that upstream does not state is estimated, for clients want numbers") {
  const ToldCall call = ToldCall::make({{"input", std::string(400, 'a')}});
  const Json usage = call.answer(chat({{"content", std::string(80, 'b')}}))["usage"];
  CHECK(usage["output_tokens"] == 20);
  CHECK(usage["input_tokens"].get<int>() >= 100);
  CHECK(usage["total_tokens"] == usage["input_tokens"].get<int>() + 20);
}

TEST_CASE("content in parts is read, thoughts and all") {
  const ToldCall call = ToldCall::make({{"input", "x"}});
  const Json thinking{{"type", "thinking"}, {"thinking", {{{"type", "text"}, {"text", "hm"}}}}};
  const Json output = call.answer(chat({{"content", {thinking, {{"type", "text"}, {"text", "yes"}}}}}))["output"];
  REQUIRE(output.size() == 2);
  CHECK(output[0]["content"][0]["text"] == "hm");
  CHECK(output[1]["content"][0]["text"] == "yes");
}

TEST_CASE("what only the model's upstream can read of its thoughts comes back to it with the next request") {
  const ToldCall call = ToldCall::make({{"input", "x"}});
  const Json blocks = Json::array({{{"type", "thinking"}, {"thinking", "hm\n"}, {"signature", "s+/="}}});
  Json signed_call = call_of("call_1", "f", "{}");
  signed_call["extra_content"] = {{"google", {{"thought_signature", "abc"}}}};
  Json response = call.answer(chat({{"content", nullptr},
                                    {"reasoning_content", "hm\n"},
                                    {"thinking_blocks", blocks},
                                    {"tool_calls", {signed_call, call_of("call_2", "f", "{}")}}},
                                   "tool_calls"));
  // Codex keeps no reasoning but what is encrypted.
  for (Json& item : response["output"]) {
    if (item["type"] == "reasoning") item.erase("content");
  }
  const Json messages =
      next_turn(response, {{{"type", "function_call_output"}, {"call_id", "call_1"}, {"output", "1"}},
                           {{"type", "function_call_output"}, {"call_id", "call_2"}, {"output", "2"}}});
  REQUIRE(messages.size() == 4);
  CHECK(messages[1]["reasoning_content"] == "hm\n");
  CHECK(messages[1]["thinking_blocks"] == blocks);
  CHECK(messages[1]["tool_calls"][0]["extra_content"]["google"]["thought_signature"] == "abc");
  CHECK_FALSE(messages[1]["tool_calls"][1].contains("extra_content"));
}

TEST_CASE("what is no chat answer is upstream's fault") {
  const ToldCall call = ToldCall::make({{"input", "x"}});
  for (const char* text : {"", "[]", "{}", "{\"choices\":[", "{\"choices\":7}"}) {
    CAPTURE(text);
    const auto told = ToldCall::form().answer(text, call.telling());
    REQUIRE_FALSE(told.ok());
    CHECK(told.error().kind == nemo::ErrorKind::upstream_error);
  }
}

}  // namespace nemo::test::responses_answer_test
