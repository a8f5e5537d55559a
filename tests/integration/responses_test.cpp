// /v1/responses through a whole daemon: what upstream is asked, what the client gets, what it costs.
#include <doctest/doctest.h>

#include "entitled.h"
#include "error_shape.h"
#include "raw_upstream.h"

namespace nemo::test::responses_test {

using namespace nemo::test;

namespace {

const std::string k_responses = "/v1/responses";
const std::string k_model = "gemini-2.5-flash";

Json ask(bool stream, const Json& more = Json::object()) {
  Json body{{"model", k_model}, {"input", "hello there"}, {"instructions", "be brief"}, {"stream", stream}};
  body.update(more);
  return body;
}

// Every event's data; the form of all of them is checked on the way.
std::vector<Json> events_of(const Reply& reply) {
  INFO(reply.body);
  CHECK(reply.status == 200);
  CHECK(reply.whole);
  CHECK(reply.header("content-type").starts_with("text/event-stream"));
  CHECK(!contains(reply.body, "[DONE]"));
  CHECK(reply.body.find(":") > 0);
  CHECK(!contains(reply.body, "\n: "));
  std::vector<Json> events;
  std::size_t at = 0;
  while (at < reply.body.size()) {
    const std::size_t end = reply.body.find("\n\n", at);
    REQUIRE(end != std::string::npos);
    const std::string event = reply.body.substr(at, end - at);
    at = end + 2;
    const std::size_t data = event.find("\ndata: ");
    REQUIRE(event.starts_with("event: "));
    REQUIRE(data != std::string::npos);
    events.push_back(Json::parse(event.substr(data + 7)));
    CHECK(events.back()["type"] == event.substr(7, data - 7));
    CHECK(events.back()["sequence_number"] == events.size() - 1);
  }
  REQUIRE(!events.empty());
  CHECK(events.front()["type"] == "response.created");
  return events;
}

std::string text_of(const Json& response) {
  std::string text;
  for (const Json& item : response["output"]) {
    if (item["type"] != "message") continue;
    for (const Json& part : item["content"]) text += part.value("text", "");
  }
  return text;
}

// The whole response, streamed or not.
Json response_to(Rig& rig, const Json& body) {
  const Reply reply = rig.post(k_responses, body.dump());
  INFO(reply.body);
  REQUIRE(reply.status == 200);
  if (!body["stream"].get<bool>()) return reply.json();
  const auto events = events_of(reply);
  CHECK(events.back()["type"] == "response.completed");
  Json items = Json::array();
  for (const Json& event : events) {
    if (event["type"] == "response.output_item.done") items.push_back(event["item"]);
  }
  CHECK(events.back()["response"]["output"] == items);
  return events.back()["response"];
}

void check_billed(const Json& row, const Json& call) {
  const Json billed = call["billed"];
  CHECK(row["status"] == "ok");
  CHECK(row["surface"] == "openai-responses");
  CHECK(row["usage_source"] == "provider");
  for (const char* field : {"input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"}) {
    CAPTURE(field);
    CHECK(row[field] == billed[field]);
  }
  CHECK(row["cost"] != "0");
}

std::string read_until(Client& client, std::string_view what) {
  std::string seen;
  while (seen.find(what) == std::string::npos) {
    const std::string some = client.receive_some();
    INFO(seen);
    REQUIRE(!some.empty());
    seen += some;
  }
  return seen;
}

std::string event(const Json& data) {
  return "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump() + "\n\n";
}

// An upstream that has Responses itself; 7 tokens in, 3 out.
Json native_response(const std::string& status) {
  const Json part{{"type", "output_text"}, {"text", "Hello"}, {"annotations", Json::array()}};
  return {{"id", "resp_1"},
          {"object", "response"},
          {"status", status},
          {"model", "gpt-x"},
          {"output", {{{"id", "msg_1"}, {"type", "message"}, {"role", "assistant"}, {"content", {part}}}}},
          {"usage", {{"input_tokens", 7}, {"output_tokens", 3}, {"total_tokens", 10}}}};
}
std::string native_stream() {
  Json begun = native_response("in_progress");
  begun["output"] = Json::array();
  begun["usage"] = nullptr;
  return event({{"type", "response.created"}, {"sequence_number", 0}, {"response", begun}}) +
         event({{"type", "response.output_text.delta"}, {"sequence_number", 1}, {"delta", "Hello"}}) +
         event({{"type", "response.completed"}, {"sequence_number", 2}, {"response", native_response("completed")}});
}

std::string native_toml(const RawUpstream& raw, const std::string& more = "") {
  return "[[upstream]]\nname = \"raw\"\nkind = \"openai\"\nresponses = \"native\"\nbase_url = \"" + raw.base_url() +
         "\"\n[[deployment]]\nmodel = \"" + k_model + "\"\nupstream = \"raw\"\nupstream_model = \"gpt-x\"\n" + more;
}

Rig::Options options_of(const std::string& toml, bool own_upstream) {
  Rig::Options options;
  options.toml = toml;
  options.own_upstream = own_upstream;
  return options;
}

std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

const Json k_shell{{"type", "function"},
                   {"name", "shell"},
                   {"parameters", {{"type", "object"}, {"properties", {{"command", {{"type", "string"}}}}}}}};

}  // namespace

TEST_CASE("a response is asked of a chat upstream and costs what upstream bills, streamed and whole") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    rig.upstream.script({{"content", "H\u00e9llo \"you\" there"}, {"cached_tokens", 3}, {"split", "bytes"}});
    const Json response = response_to(rig, ask(stream, {{"max_output_tokens", 90}}));
    CHECK(text_of(response) == "H\u00e9llo \"you\" there");
    CHECK(response["status"] == "completed");
    CHECK(response["model"] == k_model);
    CHECK(response["max_output_tokens"] == 90);
    CHECK(response["store"] == false);
    const Json call = rig.upstream.journal().at(0);
    CHECK(call["path"] == "/v1/chat/completions");
    const Json sent = Json::parse(call["body"].get<std::string>());
    CHECK(sent["max_tokens"] == 90);
    CHECK(sent["messages"] ==
          Json::array({{{"role", "system"}, {"content", "be brief"}}, {{"role", "user"}, {"content", "hello there"}}}));
    CHECK(response["usage"]["input_tokens"] == call["billed"]["input_tokens"]);
    CHECK(response["usage"]["input_tokens_details"]["cached_tokens"] == 3);
    CHECK(response["usage"]["output_tokens"] == call["billed"]["output_tokens"]);
    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    check_billed(rows[0], call);
    CHECK(rows[0]["stream"] == stream);
  }
}

TEST_CASE("an answer that its limit cut off is incomplete") {
  for (const bool stream : {false, true}) {
    Rig rig;
    rig.upstream.script({{"tokens", 50}});
    const Reply reply = rig.post(k_responses, ask(stream, {{"max_output_tokens", 16}}).dump());
    const Json last = stream ? events_of(reply).back() : Json{{"response", reply.json()}};
    if (stream) CHECK(last["type"] == "response.incomplete");
    CHECK(last["response"]["status"] == "incomplete");
    CHECK(last["response"]["incomplete_details"]["reason"] == "max_output_tokens");
    CHECK(rig.rows(1)[0]["status"] == "ok");
  }
}

TEST_CASE("parallel function calls go to the client and their outputs back to the model") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    const std::string arguments = "{\"command\":\"ls \\\"a b\\\" \u00e9\"}";
    rig.upstream.script({{"tool_calls", 2}, {"tool_name", "shell"}, {"tool_arguments", arguments}});
    Json body = ask(stream, {{"tools", {k_shell, {{"type", "web_search"}}}}, {"parallel_tool_calls", true}});
    body["input"] = Json::array({{{"type", "message"}, {"role", "user"}, {"content", "list"}}});
    const Json response = response_to(rig, body);
    REQUIRE(response["output"].size() == 2);
    for (const Json& item : response["output"]) {
      CHECK(item["type"] == "function_call");
      CHECK(item["name"] == "shell");
      CHECK(item["arguments"] == arguments);
      body["input"].push_back(item);
    }
    CHECK(Json::parse(rig.upstream.journal().at(0)["body"].get<std::string>())["tools"].size() == 1);

    rig.upstream.reset();
    rig.upstream.script({{"tool_calls", 0}});
    for (const Json& item : response["output"]) {
      body["input"].push_back({{"type", "function_call_output"},
                               {"call_id", item["call_id"]},
                               {"output", "out of " + item["id"].get<std::string>()}});
    }
    CHECK(text_of(response_to(rig, body)).starts_with("The tool said: out of fc_"));
    const Json call = rig.upstream.journal().at(0);
    const Json messages = Json::parse(call["body"].get<std::string>())["messages"];
    REQUIRE(messages.size() == 5);
    CHECK(messages[2]["tool_calls"].size() == 2);
    CHECK(messages[2]["tool_calls"][0]["function"]["arguments"] == arguments);
    CHECK(messages[3]["tool_call_id"] == response["output"][0]["call_id"]);
    CHECK(messages[4]["tool_call_id"] == response["output"][1]["call_id"]);
    const auto rows = rig.rows(2);
    REQUIRE(rows.size() == 2);
    check_billed(rows[1], call);
  }
}

TEST_CASE("a custom tool is called with its text and its output goes back to the model") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    const std::string patch = "*** Begin Patch\n+\"x\\y\" \u00e9\n*** End Patch\n";
    rig.upstream.script(
        {{"tool_calls", 1}, {"tool_name", "apply_patch"}, {"tool_arguments", Json{{"input", patch}}.dump()}});
    Json body = ask(stream, {{"tools", {{{"type", "custom"}, {"name", "apply_patch"}, {"description", "edits"}}}}});
    body["input"] = Json::array({{{"role", "user"}, {"content", "edit"}}});
    const Json item = response_to(rig, body)["output"].at(0);
    CHECK(item["type"] == "custom_tool_call");
    CHECK(item["input"] == patch);

    rig.upstream.reset();
    rig.upstream.script({{"tool_calls", 0}});
    body["input"].push_back(item);
    body["input"].push_back({{"type", "custom_tool_call_output"}, {"call_id", item["call_id"]}, {"output", "patched"}});
    CHECK(text_of(response_to(rig, body)) == "The tool said: patched");
    const Json sent = Json::parse(rig.upstream.journal().at(0)["body"].get<std::string>());
    CHECK(Json::parse(sent["messages"][2]["tool_calls"][0]["function"]["arguments"].get<std::string>()) ==
          Json{{"input", patch}});
    for (const Json& row : rig.rows(2)) CHECK(row["status"] == "ok");
  }
}

TEST_CASE("refusals are OpenAI's, before anything is asked upstream") {
  Rig rig;
  const auto refuse = [&](const Json& body, const std::string& param) {
    const Reply reply = rig.post(k_responses, body.dump());
    const std::string message = expect_error(reply, 400, "invalid_request");
    CHECK(reply.json()["error"]["param"] == param);
    return message;
  };
  CHECK(contains(refuse(ask(true, {{"previous_response_id", "resp_1"}}), "previous_response_id"), "whole input"));
  refuse(ask(false, {{"background", true}}), "background");
  refuse(ask(true, {{"tools", {{{"type", "file_search"}}}}, {"tool_choice", {{"type", "file_search"}}}}),
         "tool_choice");
  refuse(ask(true, {{"input", {{{"type", "item_reference"}, {"id", "x"}}}}}), "input[0]");
  CHECK(contains(refuse({{"model", k_model}, {"messages", Json::array()}}, "messages"), "/v1/chat/completions"));
  expect_error(rig.post(k_responses, ask(true, {{"model", "no-such-model"}}).dump()), 404, "model_not_found");
  expect_error(rig.post(k_responses, ask(true).dump(), {"Authorization: Bearer sk-nemo-wrong"}), 401,
               "invalid_api_key");
  CHECK(rig.upstream.journal().empty());
}

TEST_CASE("what upstream refuses keeps its status, and a stream that breaks ends with response.failed") {
  Rig rig;
  rig.upstream.script({{"status", 400}, {"error_message", "no such thing"}, {"error_code", "bad"}});
  const Reply refused = rig.post(k_responses, ask(true).dump());
  CHECK(refused.status == 400);
  CHECK(refused.json()["error"]["message"] == "no such thing");

  rig.upstream.script({{"status", 200}, {"tokens", 12}, {"cut_after_chunks", 5}, {"cut", "close"}});
  const auto events = events_of(rig.post(k_responses, ask(true).dump()));
  CHECK(events.back()["type"] == "response.failed");
  CHECK(events.back()["response"]["error"]["code"] == "server_error");
  const auto rows = rig.rows(2);
  REQUIRE(rows.size() == 2);
  CHECK(rows[1]["status"] == "error");
  CHECK(rows[1]["error_code"] == "upstream_error");
  CHECK(rows[1]["usage_source"] == "partial");
}

TEST_CASE("a stream that is stopped where the money ends says so in the code that clients know") {
  Rig rig(options_of(k_round_price, false));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(300)}}});
  rig.upstream.script(
      {{"content", words_of_four_bytes(3'000)}, {"ignore_max_tokens", true}, {"stall_after_chunks", 400}});
  const Reply reply = rig.post(k_responses, ask(true, {{"max_output_tokens", 280}}).dump(), {key.header});
  const auto events = events_of(reply);
  CHECK(events.back()["type"] == "response.failed");
  CHECK(events.back()["response"]["error"]["code"] == "insufficient_quota");
  CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));
  const Reply refused = rig.post(k_responses, ask(true).dump(), {key.header});
  expect_error(refused, 402, "budget_exceeded");
}

TEST_CASE("a WebSocket is answered 426 at once, so that Codex goes on with POST") {
  Rig rig;
  const Reply reply = rig.get(k_responses, {"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="});
  CHECK(reply.status == 426);
  CHECK(reply.json()["error"].is_object());
  CHECK(response_to(rig, ask(true))["status"] == "completed");
}

TEST_CASE("a client that leaves in the middle lets upstream go") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    rig.upstream.script({{"stall_after_chunks", 4}});
    Client client(rig.port());
    client.send(rig.request("POST", k_responses, ask(stream).dump()));
    if (stream) read_until(client, "response.output_text.delta");
    REQUIRE(eventually([&] { return rig.upstream.summary()["started"] == 1; }));
    client.close();
    CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));
    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["status"] == "cancelled");
    CHECK(rows[0]["usage_source"] == "partial");
  }
}

TEST_CASE("a client that closes at response.completed, as Codex does, has not cancelled") {
  const Json usage{{"prompt_tokens", 7}, {"completion_tokens", 3}, {"total_tokens", 10}};
  const std::string chat =
      "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hello\"}}]}\n\n"
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
      "data: {\"choices\":[],\"usage\":" +
      usage.dump() + "}\n\ndata: [DONE]\n\n";
  for (const bool native : {false, true}) {
    CAPTURE(native);
    // The body stays open, as with an upstream that is slow to end it: the client is gone first.
    RawUpstream raw([&](const RawCall& call) {
      call.send_stream_head();
      call.send(native ? native_stream() : chat);
      call.wait_for_close();
    });
    std::string toml = native_toml(raw);
    if (!native) toml.replace(toml.find("native"), 6, "chat");
    Rig rig(options_of(toml, true));
    Client client(rig.port());
    client.send(rig.request("POST", k_responses, ask(true).dump()));
    read_until(client, "event: response.completed");
    client.close();
    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["status"] == "ok");
    CHECK(rows[0]["input_tokens"] == 7);
    CHECK(rows[0]["output_tokens"] == 3);
    CHECK(rows[0]["usage_source"] == "provider");
  }
}

TEST_CASE("an upstream with Responses of its own is asked for them, and its bytes pass") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    const std::string whole = native_response("completed").dump(2);
    RawUpstream raw([&](const RawCall& call) {
      if (stream) {
        call.send_stream_head();
        call.send(native_stream());
      } else {
        call.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
                  std::to_string(whole.size()) + "\r\n\r\n" + whole);
      }
    });
    Rig rig(options_of(native_toml(raw), true));
    const std::string body =
        R"({"input" : "x", "model":"gemini-2.5-flash","tools":[{"type":"web_search"}], "stream":)" +
        std::string(stream ? "true" : "false") + R"(,"nemo_cache":false})";
    const Reply reply = rig.post(k_responses, body);
    CHECK(reply.status == 200);
    CHECK(reply.body == (stream ? native_stream() : whole));
    const std::string sent = raw.requests().at(0);
    CHECK(sent.starts_with("POST /v1/responses HTTP/1.1"));
    CHECK(body_of(sent) == R"({"input" : "x", "model":"gpt-x","tools":[{"type":"web_search"}], "stream":)" +
                               std::string(stream ? "true" : "false") + "}");
    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["status"] == "ok");
    CHECK(rows[0]["surface"] == "openai-responses");
    CHECK(rows[0]["usage_source"] == "provider");
    CHECK(rows[0]["input_tokens"] == 7);
    CHECK(rows[0]["output_tokens"] == 3);
    CHECK(rows[0]["cost"] != "0");
  }
}

TEST_CASE(
    "a native stream that fails before any content goes to another deployment, and one that breaks later says so") {
  const Json trouble{
      {"type", "response.failed"},
      {"response", {{"id", "resp_1"}, {"error", {{"code", "server_error"}, {"message", "overloaded"}}}}}};
  const std::string begun = event({{"type", "response.created"}, {"response", {{"id", "resp_1"}}}});
  RawUpstream failing([&](const RawCall& call) {
    call.send_stream_head();
    call.send(begun + event(trouble));
  });
  Rig rig(options_of(
      native_toml(failing, "order = 1\n[[deployment]]\nmodel = \"" + k_model + "\"\nupstream = \"fake\"\norder = 2\n"),
      false));
  const Reply reply = rig.post(k_responses, ask(true).dump());
  CHECK(events_of(reply).back()["type"] == "response.completed");
  CHECK(reply.header("x-nemo-upstream") == "fake");
  CHECK(!contains(reply.body, "overloaded"));

  const std::string delta = event({{"type", "response.output_text.delta"}, {"sequence_number", 1}, {"delta", "He"}});
  RawUpstream breaking([&](const RawCall& call) {
    call.send_stream_head();
    call.send(begun + delta);
  });
  Rig alone(options_of(native_toml(breaking), true));
  const Reply broken = alone.post(k_responses, ask(true).dump());
  CHECK(broken.body.starts_with(begun + delta + "event: response.failed\n"));
  CHECK(contains(broken.body, "\"code\":\"server_error\""));
  CHECK(alone.rows(1)[0]["status"] == "error");
}

TEST_CASE("a model that speaks Anthropic's Messages answers with responses too") {
  const Json usage{{"input_tokens", 11}, {"output_tokens", 1}};
  const auto block = [](int index, const Json& content, const Json& delta) {
    return event({{"type", "content_block_start"}, {"index", index}, {"content_block", content}}) +
           event({{"type", "content_block_delta"}, {"index", index}, {"delta", delta}}) +
           event({{"type", "content_block_stop"}, {"index", index}});
  };
  const std::string stream =
      event({{"type", "message_start"},
             {"message",
              {{"id", "msg_1"},
               {"role", "assistant"},
               {"model", "claude"},
               {"content", Json::array()},
               {"usage", usage}}}}) +
      event({{"type", "ping"}}) +
      block(0, {{"type", "text"}, {"text", ""}}, {{"type", "text_delta"}, {"text", "Let me."}}) +
      block(1, {{"type", "tool_use"}, {"id", "toolu_1"}, {"name", "shell"}, {"input", Json::object()}},
            {{"type", "input_json_delta"}, {"partial_json", "{\"command\":\"ls\"}"}}) +
      event({{"type", "message_delta"}, {"delta", {{"stop_reason", "tool_use"}}}, {"usage", {{"output_tokens", 9}}}}) +
      event({{"type", "message_stop"}});
  RawUpstream claude([&](const RawCall& call) {
    call.send_stream_head();
    call.send(stream);
  });
  const std::string model = "claude-sonnet-4-5@20250929";
  Rig rig(options_of("[[upstream]]\nname = \"claude\"\nkind = \"anthropic\"\nkey = \"env:FAKE_KEY\"\nbase_url = \"" +
                         claude.base_url() + "\"\n[[deployment]]\nmodel = \"" + model + "\"\nupstream = \"claude\"\n",
                     true));
  const Json response = response_to(rig, ask(true, {{"model", model}, {"tools", {k_shell}}}));
  REQUIRE(response["output"].size() == 2);
  CHECK(text_of(response) == "Let me.");
  CHECK(response["output"][1]["call_id"] == "toolu_1");
  CHECK(response["output"][1]["arguments"] == "{\"command\":\"ls\"}");
  CHECK(response["usage"]["input_tokens"] == 11);
  CHECK(response["usage"]["output_tokens"] == 9);
  const Json sent = Json::parse(body_of(claude.requests().at(0)));
  CHECK(sent["tools"][0]["name"] == "shell");
  CHECK(contains(sent["system"].dump(), "be brief"));
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["status"] == "ok");
  CHECK(rows[0]["output_tokens"] == 9);
}

}  // namespace nemo::test::responses_test
