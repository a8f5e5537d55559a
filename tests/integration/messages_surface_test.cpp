// Anthropic's Messages through a whole daemon: by way of a chat, and to Claude itself.
#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/budget/cost.h"
#include "daemon/catalog/catalog.h"
#include "entitled.h"
#include "fake_google.h"
#include "raw_upstream.h"

namespace nemo::test::messages_surface_test {

using namespace nemo::test;

namespace {

const std::string k_messages = "/v1/messages?beta=true";
const std::string k_gemini = "gemini-2.5-flash";
const std::string k_claude = "claude-sonnet-4-5@20250929";

Json ask(const std::string& model, bool stream, const Json& more = Json::object()) {
  Json body{{"model", model},
            {"max_tokens", 64},
            {"stream", stream},
            {"system", Json::array({{{"type", "text"}, {"text", "be brief"}}})},
            {"messages", Json::array({{{"role", "user"}, {"content", "say something about the weather"}}})}};
  body.update(more);
  return body;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// What Anthropic's SDK puts together from a stream.
struct Streamed {
  Json message;
  Json error;
  bool stopped = false;
};

Streamed put_together(const std::string& body) {
  Streamed all;
  std::string input;
  for (const std::string& text : stream_events(body)) {
    const Json event = Json::parse(text);
    const std::string type = event["type"];
    CHECK(contains(body, "event: " + type + "\ndata: "));
    if (type == "message_start") all.message = event["message"];
    if (type == "content_block_start") {
      CHECK(event["index"] == all.message["content"].size());
      all.message["content"].push_back(event["content_block"]);
      input.clear();
    }
    if (type == "content_block_delta") {
      Json& block = all.message["content"].back();
      const Json& delta = event["delta"];
      if (delta["type"] == "text_delta")
        block["text"] = block["text"].get<std::string>() + delta["text"].get<std::string>();
      if (delta["type"] == "input_json_delta") input += delta["partial_json"].get<std::string>();
    }
    if (type == "content_block_stop" && !input.empty()) all.message["content"].back()["input"] = Json::parse(input);
    if (type == "message_delta") {
      all.message["stop_reason"] = event["delta"]["stop_reason"];
      all.message["usage"].update(event["usage"]);
    }
    all.stopped = type == "message_stop";
    if (type == "error") all.error = event["error"];
  }
  return all;
}

// Of a reply of either kind.
Json message_of(const Reply& reply, bool stream) {
  INFO(reply.head, reply.body);
  REQUIRE(reply.status == 200);
  CHECK(reply.whole);
  if (!stream) return reply.json();
  CHECK(reply.header("content-type").starts_with("text/event-stream"));
  const Streamed all = put_together(reply.body);
  CHECK(all.stopped);
  return all.message;
}

Json row_of(Rig& rig, const Reply& reply) {
  const std::string path = "/calls/" + reply.header("x-nemo-request-id");
  REQUIRE(eventually([&] { return rig.admin("GET", path).contains("call"); }));
  return rig.admin("GET", path)["call"];
}

// What upstream billed for its last call is what the client was told and what the ledger has, to the last token.
void check_billed(Rig& rig, const Reply& reply, const Json& usage, const Json& billed, const std::string& model,
                  std::int64_t cache_writes = 0) {
  INFO(reply.body);
  const Json row = row_of(rig, reply);
  CHECK(row["surface"] == "anthropic-messages");
  CHECK(row["status"] == "ok");
  CHECK(row["usage_source"] == "provider");
  CHECK(row["model"] == model);
  CHECK(billed["input_tokens"] > 0);
  for (const char* name : {"input_tokens", "cached_tokens", "output_tokens"}) {
    CAPTURE(name);
    CHECK(row[name] == billed[name]);
  }
  static const nemo::catalog::Catalog catalog;
  nemo::call::Usage used;
  used.input_tokens = billed["input_tokens"];
  used.cached_tokens = billed["cached_tokens"];
  used.output_tokens = billed["output_tokens"];
  used.cache_write_tokens = cache_writes;
  CHECK(nanos(row["cost"]) == nemo::budget::cost_of(*catalog.find(model)->pricing, used).value);
  CHECK(usage["output_tokens"] == billed["output_tokens"]);
  CHECK(usage["cache_read_input_tokens"] == billed["cached_tokens"]);
  CHECK(usage["input_tokens"].get<std::int64_t>() + usage["cache_read_input_tokens"].get<std::int64_t>() +
            usage["cache_creation_input_tokens"].get<std::int64_t>() ==
        billed["input_tokens"].get<std::int64_t>());
}

// Anthropic's error shape, on one line. Returns the error.
Json expect_messages_error(const Reply& reply, int status, const std::string& type) {
  INFO(reply.head, reply.body);
  CHECK(reply.status == status);
  CHECK(reply.body.find('\n') == std::string::npos);
  const Json body = reply.json();
  REQUIRE(body.contains("error"));
  CHECK(body["type"] == "error");
  CHECK(body["error"]["type"] == type);
  CHECK_FALSE(body["error"]["message"].get<std::string>().empty());
  return body["error"];
}

const Json k_tools =
    Json::array({{{"name", "weather"},
                  {"description", "?"},
                  {"input_schema",
                   {{"type", "object"}, {"properties", {{"city", {{"type", "string"}}}}}, {"required", {"city"}}}}}});

// A daemon whose only upstream is the fake Google.
struct Cloud {
  explicit Cloud(const Json& settings = Json::object()) {
    google.set(settings);
    write_private(folder.path() / "account.json", google.service_account().dump());
    Rig::Options options;
    options.own_upstream = true;
    options.toml =
        "[[upstream]]\nname = \"vertex\"\nkind = \"vertex\"\nproject = \"nemo-test\"\n"
        "location = \"europe-west4\"\ncredentials = \"file:" +
        (folder.path() / "account.json").string() + "\"\nbase_url = \"" + google.origin() + "\"\ntoken_url = \"" +
        google.origin() + "/token\"\n";
    rig = std::make_unique<Rig>(options);
  }
  TempFolder folder;
  FakeGoogle google;
  std::unique_ptr<Rig> rig;
};

Rig::Options claude_at(const std::string& base_url) {
  Rig::Options options;
  options.own_upstream = true;
  options.toml = "[[upstream]]\nname = \"claude\"\nkind = \"anthropic\"\nkey = \"env:FAKE_KEY\"\nbase_url = \"" +
                 base_url + "\"\n[[deployment]]\nmodel = \"" + k_claude + "\"\nupstream = \"claude\"\n";
  return options;
}

}  // namespace

TEST_CASE("a chat model answers Messages, whole and streamed, and the books agree with upstream") {
  Rig rig;
  rig.upstream.script({{"cached_tokens", 3}});
  std::string text;
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    const Reply reply = rig.post(k_messages, ask(k_gemini, stream).dump());
    const Json message = message_of(reply, stream);
    CHECK(message["type"] == "message");
    CHECK(message["role"] == "assistant");
    CHECK(message["model"] == k_gemini);
    CHECK(message["stop_reason"] == "end_turn");
    REQUIRE(message["content"].size() == 1);
    CHECK(message["content"][0]["type"] == "text");
    if (stream) CHECK(message["content"][0]["text"] == text);
    text = message["content"][0]["text"];
    CHECK_FALSE(contains(reply.body, "[DONE]"));
    const Json call = rig.upstream.journal().back();
    CHECK(call["path"] == "/v1/chat/completions");
    const Json sent = Json::parse(call["body"].get<std::string>());
    CHECK(sent["messages"][0] == Json{{"role", "system"}, {"content", "be brief"}});
    CHECK(sent["max_tokens"] == 64);
    check_billed(rig, reply, message["usage"], call["billed"], k_gemini);
  }
}

TEST_CASE("a tool's round trip through a chat model, whole and streamed, with parallel calls") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    rig.upstream.script({{"tool_calls", 2}});
    Json body = ask(k_gemini, stream, {{"tools", k_tools}});
    body["messages"][0]["content"] = "use the tool weather with {\"city\":\"Ulm \\u00e9\"}";
    const Json message = message_of(rig.post(k_messages, body.dump()), stream);
    CHECK(message["stop_reason"] == "tool_use");
    Json results = Json::array();
    for (const Json& block : message["content"]) {
      if (block["type"] != "tool_use") continue;
      CHECK(block["name"] == "weather");
      CHECK(block["input"] == Json{{"city", "Ulm é"}});
      results.push_back({{"type", "tool_result"},
                         {"tool_use_id", block["id"]},
                         {"content", Json::array({{{"type", "text"}, {"text", "rain"}}})}});
    }
    REQUIRE(results.size() == 2);
    CHECK(results[0]["tool_use_id"] != results[1]["tool_use_id"]);
    body["messages"].push_back({{"role", "assistant"}, {"content", message["content"]}});
    body["messages"].push_back({{"role", "user"}, {"content", results}});
    rig.upstream.script(Json::object());
    const Reply reply = rig.post(k_messages, body.dump());
    CHECK(message_of(reply, stream)["stop_reason"] == "end_turn");
    const Json sent = last_sent(rig);
    REQUIRE(sent["messages"].size() == 5);
    CHECK(sent["messages"][2]["tool_calls"].size() == 2);
    CHECK(sent["messages"][3]["role"] == "tool");
    CHECK(sent["messages"][3]["tool_call_id"] == sent["messages"][2]["tool_calls"][0]["id"]);
    CHECK(sent["messages"][4]["content"] == "rain");
  }
}

TEST_CASE("Claude on Vertex gets Messages as they came, and its stream passes byte for byte") {
  Cloud cloud(Json{{"cache_write_tokens", 2}});
  cloud.google.script_model(k_claude, {{"cached_tokens", 3}, {"reasoning_tokens", 4}});
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Json body =
        ask(k_claude, stream,
            {{"context_management", Json::object()}, {"thinking", {{"type", "enabled"}, {"budget_tokens", 1024}}}});
    body["messages"].push_back({{"role", "system"}, {"content", "in the middle"}});
    const Reply reply = cloud.rig->post(k_messages, body.dump());
    const Json message = message_of(reply, stream);
    CHECK(message["content"][0]["type"] == "thinking");
    const Json call = cloud.google.journal().back();
    CHECK(contains(call["path"], stream ? ":streamRawPredict" : ":rawPredict"));
    Json sent = Json::parse(call["body"].get<std::string>());
    CHECK(sent["anthropic_version"] == "vertex-2023-10-16");
    CHECK(sent["messages"][1] == Json{{"role", "user"}, {"content", "in the middle"}});
    CHECK(sent["system"] == body["system"]);
    CHECK(sent["thinking"] == body["thinking"]);
    check_billed(*cloud.rig, reply, message["usage"], call["billed"], k_claude, 2);
  }
}

TEST_CASE("Anthropic itself gets the bytes and the headers of a client that speaks its dialect") {
  const std::string events =
      "event: message_start\ndata: {\"type\":\"message_start\", \"message\":{\"id\":\"msg_1\",\"content\":[],"
      "\"usage\":{\"input_tokens\":11,\"output_tokens\":1}}}\n\n"
      "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
      "{\"type\":\"text\",\"text\":\"\"}}\n\n"
      "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
      "{\"type\":\"text_delta\",\"text\":\"hi \\u00e9\"}}\n\n"
      "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
      "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},"
      "\"usage\":{\"output_tokens\":5}}\n\n"
      "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
  RawUpstream claude([&](const RawCall& call) {
    call.send_stream_head();
    call.send(events);
  });
  Rig rig(claude_at(claude.base_url()));
  const std::string body = "{ \"model\":\"" + k_claude +
                           "\", \"max_tokens\":10,\"odd\" : [1.50,\"\\u00e9\"],\"stream\":true,"
                           "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}";
  const Reply reply = rig.post(k_messages, body, {"anthropic-beta: a-2025,b-2026", "anthropic-version: 2026-10-21"});
  CHECK(reply.status == 200);
  CHECK(reply.body == events);
  const std::string request = claude.requests().at(0);
  CHECK(contains(request, "anthropic-beta: a-2025,b-2026\r\n"));
  CHECK(contains(request, "anthropic-version: 2026-10-21\r\n"));
  CHECK_FALSE(contains(request, rig.key()));
  std::string expected = body;
  expected.replace(expected.find(k_claude), k_claude.size(), "claude-sonnet-4-5-20250929");
  CHECK(request.substr(request.find("\r\n\r\n") + 4) == expected);
  const Json row = row_of(rig, reply);
  CHECK(row["surface"] == "anthropic-messages");
  CHECK(row["input_tokens"] == 11);
  CHECK(row["output_tokens"] == 5);
}

TEST_CASE("every refusal has Anthropic's shape") {
  Rig rig;
  const std::string good = ask(k_gemini, false).dump();
  expect_messages_error(rig.post(k_messages, good, {"Authorization: Bearer sk-nemo-wrong"}), 401,
                        "authentication_error");
  expect_messages_error(rig.post(k_messages, "{"), 400, "invalid_request_error");
  expect_messages_error(rig.post(k_messages, ask("no-such-model", false).dump()), 404, "not_found_error");
  Json search = ask(k_gemini, true, {{"tools", {{{"type", "web_search_20250305"}, {"name", "web_search"}}}}});
  CHECK(contains(expect_messages_error(rig.post(k_messages, search.dump()), 400, "invalid_request_error")["message"],
                 "tools[0].type"));
  CHECK(rig.upstream.journal().empty());
  const KeyInHand poor = make_key(rig, {{"budgets", {"0.0000001/total"}}});
  expect_messages_error(rig.post(k_messages, good, {poor.header}), 402, "billing_error");
  rig.upstream.script({{"status", 400}, {"error_message", "too long"}});
  CHECK(expect_messages_error(rig.post(k_messages, ask(k_gemini, true).dump()), 400,
                              "invalid_request_error")["message"] == "too long");
  rig.upstream.script({{"status", 429}, {"error_message", "slow down"}, {"retry_after", "7"}});
  const Reply limited = rig.post(k_messages, good);
  CHECK(expect_messages_error(limited, 429, "rate_limit_error")["message"] == "slow down");
  CHECK(limited.header("retry-after") == "7");
}

TEST_CASE("a stream that breaks ends with an error event, through a chat and from Claude") {
  Rig rig;
  rig.upstream.script({{"error_event_after", 4}, {"error_message", "out of memory"}});
  Streamed all = put_together(rig.post(k_messages, ask(k_gemini, true).dump()).body);
  CHECK_FALSE(all.stopped);
  CHECK(all.error["message"] == "out of memory");
  rig.upstream.script({{"cut_after_chunks", 4}, {"cut", "close"}});
  all = put_together(rig.post(k_messages, ask(k_gemini, true).dump()).body);
  CHECK_FALSE(all.stopped);
  CHECK(all.error["type"] == "api_error");

  Cloud cloud;
  cloud.google.script_model(k_claude, {{"error_event_after", 4}});
  all = put_together(cloud.rig->post(k_messages, ask(k_claude, true).dump()).body);
  CHECK_FALSE(all.stopped);
  CHECK(all.error == Json{{"type", "overloaded_error"}, {"message", "Overloaded"}});
}

TEST_CASE("a client that leaves lets upstream go and pays for what was streamed, through a chat and from Claude") {
  const auto leave = [](Rig& rig, const std::string& model, const std::function<Json()>& summary) {
    {
      Client client(rig.port());
      client.send(rig.request("POST", k_messages, ask(model, true).dump()));
      std::string seen;
      while (!contains(seen, "text_delta")) {
        const std::string some = client.receive_some();
        REQUIRE(!some.empty());
        seen += some;
      }
    }
    CHECK(eventually([&] { return summary()["cancelled"] == 1; }));
    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["status"] == "cancelled");
    CHECK(rows[0]["usage_source"] == "partial");
    CHECK(rows[0]["output_tokens"].get<int>() > 0);
    CHECK(nanos(rows[0]["cost"]) > 0);
  };
  Rig rig;
  rig.upstream.script({{"stall_after_chunks", 4}});
  leave(rig, k_gemini, [&] { return rig.upstream.summary(); });
  Cloud cloud;
  cloud.google.script_model(k_claude, {{"stall_after_chunks", 4}});
  leave(*cloud.rig, k_claude, [&] { return cloud.google.summary(); });
}

TEST_CASE("a client that closes right after message_stop has its whole answer") {
  Rig rig;
  {
    Client client(rig.port());
    client.send(rig.request("POST", k_messages, ask(k_gemini, true).dump()));
    std::string seen;
    while (!contains(seen, "\"message_stop\"")) {
      const std::string some = client.receive_some();
      REQUIRE(!some.empty());
      seen += some;
    }
  }
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["status"] == "ok");
  CHECK(rows[0]["usage_source"] == "provider");
}

TEST_CASE("tokens are counted without a call, and say that they are an estimate") {
  Rig rig;
  const std::string path = "/v1/messages/count_tokens?beta=true";
  Json body = ask(k_gemini, false);
  body.erase("max_tokens");
  const auto count = [&](const Json& one) {
    const Reply reply = rig.post(path, one.dump());
    INFO(reply.body);
    CHECK(reply.status == 200);
    CHECK(reply.header("x-nemo-usage-source") == "estimated");
    CHECK(reply.json().size() == 1);
    return reply.json()["input_tokens"].get<std::int64_t>();
  };
  const std::int64_t few = count(body);
  CHECK(few > 10);
  CHECK(few < 60);
  Json longer = body;
  longer["messages"][0]["content"] = words_of_four_bytes(1'000);
  CHECK(count(longer) > few + 900);
  CHECK(count(longer) < few + 1'100);
  Json picture = body;
  const Json source{{"type", "base64"}, {"media_type", "image/png"}, {"data", std::string(400'000, 'A')}};
  picture["messages"][0]["content"] = Json::array({{{"type", "image"}, {"source", source}}});
  CHECK(count(picture) > 1'000);
  CHECK(count(picture) < 6'000);
  CHECK(rig.upstream.journal().empty());
  expect_messages_error(rig.post(path, "{}"), 400, "invalid_request_error");
  Json unknown = body;
  unknown["model"] = "no-such-model";
  expect_messages_error(rig.post(path, unknown.dump()), 404, "not_found_error");
  expect_messages_error(rig.post(path, body.dump(), {"Authorization: "}), 401, "authentication_error");
}

TEST_CASE("a client that looks whether anybody is there finds out before it calls") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("HEAD", "/", "", {"Connection: close"}));
  CHECK(client.receive_some().starts_with("HTTP/1.1 200"));
  const std::string keyed = rig.request("POST", k_messages, ask(k_gemini, false).dump(), {"x-api-key: " + rig.key()});
  Client caller(rig.port());
  caller.send(keyed);
  CHECK(caller.receive().status == 200);
}

}  // namespace nemo::test::messages_surface_test
