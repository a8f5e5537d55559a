// A chat model's stream as the events of a response.
#include "responses_told.h"

namespace nemo::test::responses_stream_test {

using namespace nemo::protocol;
using nemo::ErrorKind;
using Types = std::vector<std::string>;

namespace {

const Json k_request{{"model", "m"}, {"input", "x"}, {"instructions", "be brief"}, {"stream", true}};
const Json k_usage{{"choices", Json::array()},
                   {"usage", {{"prompt_tokens", 3}, {"completion_tokens", 4}, {"total_tokens", 7}}}};

std::vector<Json> events_for(const std::string& stream, const Json& request = k_request) {
  return read_events(stream_of(ToldCall::make(request), stream));
}
std::string text(const std::string& word) {
  return chat_event(chat_delta({{"content", word}}));
}
std::string finish(const std::string& reason) {
  return chat_event(chat_delta(Json::object(), reason));
}
// The item of every output_item.done, in the order of their places.
Json items_of(const std::vector<Json>& events) {
  Json items = Json::array();
  for (const Json& event : events) {
    if (event["type"] == "response.output_item.done") items[event["output_index"].get<std::size_t>()] = event["item"];
  }
  return items;
}

}  // namespace

TEST_CASE("a text is told by the events that clients wait for, in order, and nothing comes after the last") {
  const auto events =
      events_for(chat_event(chat_delta({{"role", "assistant"}, {"content", ""}})) + ": keepalive\n\n" + text("Hel") +
                 text("lo \u00e9") + finish("stop") + chat_event(k_usage) + k_done + text("late"));
  CHECK(types_of(events) == Types{"response.created", "response.in_progress", "response.output_item.added",
                                  "response.content_part.added", "response.output_text.delta",
                                  "response.output_text.delta", "response.output_text.done",
                                  "response.content_part.done", "response.output_item.done", "response.completed"});
  CHECK(events[0]["response"]["status"] == "in_progress");
  CHECK(events[0]["response"]["output"] == Json::array());
  CHECK(events[0]["response"]["usage"].is_null());
  CHECK(events[0]["response"]["instructions"] == "be brief");
  CHECK(events[2]["item"]["status"] == "in_progress");
  const std::string id = events[2]["item"]["id"];
  for (std::size_t i = 3; i < 8; ++i) {
    CHECK(events[i]["item_id"] == id);
    CHECK(events[i]["output_index"] == 0);
    CHECK(events[i]["content_index"] == 0);
  }
  CHECK(joined(events, "response.output_text.delta", 0) == "Hello \u00e9");
  CHECK(events[6]["text"] == "Hello \u00e9");
  CHECK(events[7]["part"]["text"] == "Hello \u00e9");
  const Json response = events.back()["response"];
  CHECK(response["id"] == events[0]["response"]["id"]);
  CHECK(response["status"] == "completed");
  CHECK(response["output"] == Json::array({events[8]["item"]}));
  CHECK(response["output"][0]["id"] == id);
  CHECK(response["usage"]["total_tokens"] == 7);
}

TEST_CASE("a stream and a whole answer that say the same give the same response") {
  Json request = k_request;
  request["tools"] = Json::array({{{"type", "custom"}, {"name", "p"}}});
  const auto events =
      events_for(chat_event(chat_delta({{"reasoning_content", "hm"}})) + text("a") + text("b") +
                     chat_event(chat_tool(0, "c1", "f", "{\"a\":")) + chat_event(chat_tool(0, "", "", "1}")) +
                     chat_event(chat_tool(1, "c2", "p", "{\"input\":\"z\"}")) + finish("tool_calls") +
                     chat_event(k_usage) + k_done,
                 request);
  Json streamed = events.back()["response"];
  const auto tool = [](const char* id, const char* name, const char* arguments) {
    return Json{{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}};
  };
  const Json message{{"reasoning_content", "hm"},
                     {"content", "ab"},
                     {"tool_calls", {tool("c1", "f", "{\"a\":1}"), tool("c2", "p", "{\"input\":\"z\"}")}}};
  Json whole = ToldCall::make(request).answer(
      {{"choices", {{{"index", 0}, {"message", message}, {"finish_reason", "tool_calls"}}}},
       {"usage", k_usage["usage"]}});
  CHECK(streamed["output"] == items_of(events));
  for (Json* response : {&streamed, &whole}) {
    response->erase("id");
    for (Json& item : (*response)["output"]) item.erase("id");
  }
  CHECK(streamed == whole);
}

TEST_CASE("a function's arguments come piece by piece, and calls whose pieces come in turns stay apart") {
  const auto events =
      events_for(chat_event(chat_tool(0, "call_1", "f", "")) + chat_event(chat_tool(1, "call_2", "g", "{\"b\"")) +
                 chat_event(chat_tool(0, "", "", "{\"a\":")) + chat_event(chat_tool(1, "", "", ":2}")) +
                 chat_event(chat_tool(0, "", "", "1}")) + finish("tool_calls") + k_done);
  CHECK(joined(events, "response.function_call_arguments.delta", 0) == "{\"a\":1}");
  CHECK(joined(events, "response.function_call_arguments.delta", 1) == "{\"b\":2}");
  const Json items = items_of(events);
  REQUIRE(items.size() == 2);
  CHECK(items[0]["call_id"] == "call_1");
  CHECK(items[0]["arguments"] == "{\"a\":1}");
  CHECK(items[1]["name"] == "g");
  CHECK(items[1]["arguments"] == "{\"b\":2}");
  CHECK(types_of(events)[2] == "response.output_item.added");
  CHECK(events[2]["item"]["arguments"] == "");
  CHECK(events.back()["response"]["output"] == items);
  for (const Json& event : events) {
    if (event["type"] == "response.function_call_arguments.done") CHECK(event["name"].is_string());
  }
}

TEST_CASE("upstreams that give every call the same index, or none, are understood") {
  Json second = chat_tool(0, "call_2", "f", "{\"b\":2}");
  const auto same_index =
      events_for(chat_event(chat_tool(0, "call_1", "f", "{\"a\":1}")) + chat_event(second) + k_done);
  CHECK(items_of(same_index).size() == 2);
  Json both = chat_tool(0, "call_1", "f", "{}");
  both["choices"][0]["delta"]["tool_calls"].push_back(second["choices"][0]["delta"]["tool_calls"][0]);
  for (Json& call : both["choices"][0]["delta"]["tool_calls"]) call.erase("index");
  const Json items = items_of(events_for(chat_event(both) + k_done));
  REQUIRE(items.size() == 2);
  CHECK(items[1]["call_id"] == "call_2");
}

TEST_CASE("a call without an id gets one, and one without arguments gets an empty object") {
  const auto events = events_for(chat_event(chat_tool(0, "", "f", "")) + finish("tool_calls") + k_done);
  const Json item = items_of(events)[0];
  CHECK(item["call_id"].get<std::string>().starts_with("call_"));
  CHECK(item["arguments"] == "{}");
  CHECK(joined(events, "response.function_call_arguments.delta", 0) == "{}");
}

TEST_CASE("a custom tool gets its text, out of the arguments that hold it") {
  Json request = k_request;
  request["tools"] = Json::array({{{"type", "custom"}, {"name", "p"}}});
  const auto events =
      events_for(chat_event(chat_tool(0, "c", "p", "{\"inp")) + chat_event(chat_tool(0, "", "", "ut\":\"a\\n\\\"")) +
                     chat_event(chat_tool(0, "", "", "b\"}")) + finish("tool_calls") + k_done,
                 request);
  CHECK(types_of(events) == Types{"response.created", "response.in_progress", "response.output_item.added",
                                  "response.custom_tool_call_input.delta", "response.custom_tool_call_input.done",
                                  "response.output_item.done", "response.completed"});
  CHECK(joined(events, "response.custom_tool_call_input.delta", 0) == "a\n\"b");
  CHECK(events[4]["input"] == "a\n\"b");
  CHECK(events[5]["item"]["type"] == "custom_tool_call");
  CHECK(events[5]["item"]["input"] == "a\n\"b");
}

TEST_CASE("reasoning is an item before the message") {
  for (const char* field : {"reasoning_content", "reasoning"}) {
    CAPTURE(field);
    const auto events = events_for(chat_event(chat_delta({{field, "let "}})) + chat_event(chat_delta({{field, "me"}})) +
                                   text("yes") + finish("stop") + k_done);
    const Types types = types_of(events);
    CHECK(Types(types.begin() + 2, types.begin() + 9) ==
          Types{"response.output_item.added", "response.content_part.added", "response.reasoning_text.delta",
                "response.reasoning_text.delta", "response.reasoning_text.done", "response.content_part.done",
                "response.output_item.done"});
    CHECK(joined(events, "response.reasoning_text.delta", 0) == "let me");
    const Json items = items_of(events);
    CHECK(items[0]["type"] == "reasoning");
    CHECK(items[0]["content"][0]["text"] == "let me");
    CHECK(items[1]["content"][0]["text"] == "yes");
  }
}

TEST_CASE("a refusal has its own events and part") {
  const auto events = events_for(chat_event(chat_delta({{"refusal", "I "}})) +
                                 chat_event(chat_delta({{"refusal", "cannot"}})) + finish("stop") + k_done);
  CHECK(joined(events, "response.refusal.delta", 0) == "I cannot");
  const Types types = types_of(events);
  CHECK(std::count(types.begin(), types.end(), "response.refusal.done") == 1);
  CHECK(items_of(events)[0]["content"] == Json::array({{{"type", "refusal"}, {"refusal", "I cannot"}}}));
}

TEST_CASE("a stream that was cut off by its length ends as incomplete") {
  const auto events = events_for(text("half") + finish("length") + k_done);
  CHECK(events.back()["type"] == "response.incomplete");
  CHECK(events.back()["response"]["status"] == "incomplete");
  CHECK(events.back()["response"]["incomplete_details"]["reason"] == "max_output_tokens");
  CHECK(items_of(events)[0]["status"] == "incomplete");
}

TEST_CASE("a stream that ends without [DONE] and usage is completed all the same") {
  const auto events = events_for(text("ok") + finish("stop"));
  CHECK(events.back()["type"] == "response.completed");
  CHECK(events.back()["response"]["usage"]["output_tokens"] == 1);
}

TEST_CASE("a broken stream ends with response.failed, its code what clients act on") {
  const ToldCall call = ToldCall::make(k_request);
  struct Broken {
    nemo::Error error;
    std::string code;
  };
  nemo::Error limited = nemo::fail(ErrorKind::rate_limit_exceeded, "slow down");
  limited.retry_after_s = 3;
  const std::vector<Broken> all{
      {nemo::fail(ErrorKind::upstream_error, "it broke"), "server_error"},
      {nemo::fail(ErrorKind::upstream_timeout, "it was silent"), "server_error"},
      {nemo::fail(ErrorKind::budget_exceeded, "Budget has been exceeded!"), "insufficient_quota"},
      {limited, "rate_limit_exceeded"},
      {nemo::fail(ErrorKind::upstream_error, "Rate limit reached for x"), "rate_limit_exceeded"},
      {nemo::fail(ErrorKind::upstream_error, "This model's maximum context length is 8"), "context_length_exceeded"}};
  for (const Broken& broken : all) {
    CAPTURE(broken.error.message);
    const auto events = read_events(stream_of(call, text("half") + text(" of"), broken.error));
    const Json last = events.back();
    CHECK(last["type"] == "response.failed");
    CHECK(last["response"]["status"] == "failed");
    CHECK(last["response"]["id"] == events[0]["response"]["id"]);
    CHECK(last["response"]["error"]["code"] == broken.code);
    CHECK(last["response"]["error"]["message"].get<std::string>().starts_with(broken.error.message));
  }
  const auto events = read_events(stream_of(call, "", limited));
  CHECK(types_of(events) == Types{"response.created", "response.in_progress", "response.failed"});
  CHECK(events.back()["response"]["error"]["message"] == "slow down Please try again in 3s.");
}

TEST_CASE("an error event of upstream, and one that cannot be read, fail the response and end it") {
  const auto failed = events_for(
      text("a") + "data: {\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}\n\n" + text("b") + k_done);
  CHECK(failed.back()["type"] == "response.failed");
  CHECK(failed.back()["response"]["error"] == Json{{"code", "insufficient_quota"}, {"message", "m"}});
  CHECK(joined(failed, "response.output_text.delta", 0) == "a");
  const auto garbage = events_for(text("a") + "data: {\"choices\":[\n\n" + text("b"));
  CHECK(garbage.back()["response"]["error"]["code"] == "server_error");
}

TEST_CASE("characters that upstream split over two events arrive as they were sent") {
  const std::string first = R"(data: {"choices":[{"index":0,"delta":{"content":"\ud83d"}}]})";
  const std::string second = R"(data: {"choices":[{"index":0,"delta":{"content":"\ude00"}}]})";
  const std::string out = stream_of(ToldCall::make(k_request), first + "\n\n" + second + "\n\n" + k_done);
  CHECK(out.find(R"("delta":"\ud83d")") != std::string::npos);
  CHECK(out.find(R"("text":"\ud83d\ude00")") != std::string::npos);
}

TEST_CASE("other choices than the first are none of a response's business") {
  Json other = chat_delta({{"content", "other"}});
  other["choices"][0]["index"] = 1;
  const auto events = events_for(text("one") + chat_event(other) + finish("stop") + k_done);
  CHECK(joined(events, "response.output_text.delta", 0) == "one");
}

}  // namespace nemo::test::responses_stream_test
