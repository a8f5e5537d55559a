// An upstream of kind "anthropic" behind the OpenAI chat surface: what it is sent, what the client gets, what it costs.
#include <doctest/doctest.h>

#include "entitled.h"
#include "error_shape.h"
#include "raw_upstream.h"

namespace nemo::test::anthropic_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";
const std::string k_model = "claude-sonnet-4-5@20250929";

// In nano-dollars a token.
constexpr std::int64_t k_input = 3'000;
constexpr std::int64_t k_cached = 300;
constexpr std::int64_t k_cache_write = 3'750;
constexpr std::int64_t k_output = 15'000;

// 11 as they are, 20 read from the cache, 4 written to it.
const Json k_usage{
    {"input_tokens", 11}, {"cache_read_input_tokens", 20}, {"cache_creation_input_tokens", 4}, {"output_tokens", 1}};
constexpr std::int64_t k_cost_of_input = 11 * k_input + 20 * k_cached + 4 * k_cache_write;

void send_json(const RawCall& call, int status, const Json& body) {
  const std::string text = body.dump();
  call.send("HTTP/1.1 " + std::to_string(status) + " Whatever\r\nContent-Type: application/json\r\nContent-Length: " +
            std::to_string(text.size()) + "\r\nConnection: close\r\n\r\n" + text);
}

std::string event(const Json& data) {
  return "event: " + data["type"].get<std::string>() + "\ndata: " + data.dump() + "\n\n";
}

Json message(const Json& content, const std::string& stop_reason, int output) {
  Json usage = k_usage;
  usage["output_tokens"] = output;
  return {{"id", "msg_1"},      {"type", "message"},          {"role", "assistant"}, {"model", "claude-sonnet-4-5"},
          {"content", content}, {"stop_reason", stop_reason}, {"usage", usage}};
}

std::string start() {
  Json begun = message(Json::array(), "", 1);
  begun["stop_reason"] = nullptr;
  return event({{"type", "message_start"}, {"message", begun}});
}
std::string block(int index, const Json& content, const std::vector<Json>& deltas) {
  std::string all = event({{"type", "content_block_start"}, {"index", index}, {"content_block", content}});
  for (const Json& delta : deltas) {
    all += event({{"type", "content_block_delta"}, {"index", index}, {"delta", delta}});
  }
  return all + event({{"type", "content_block_stop"}, {"index", index}});
}
std::string text_block(int index, const std::vector<std::string>& words) {
  std::vector<Json> deltas;
  for (const std::string& word : words) deltas.push_back({{"type", "text_delta"}, {"text", word}});
  return block(index, {{"type", "text"}, {"text", ""}}, deltas);
}
std::string tool_block(int index, const std::string& id, const std::string& name,
                       const std::vector<std::string>& pieces) {
  std::vector<Json> deltas;
  for (const std::string& piece : pieces) deltas.push_back({{"type", "input_json_delta"}, {"partial_json", piece}});
  return block(index, {{"type", "tool_use"}, {"id", id}, {"name", name}, {"input", Json::object()}}, deltas);
}
std::string stop(const std::string& reason, int output) {
  return event({{"type", "message_delta"},
                {"delta", {{"stop_reason", reason}, {"stop_sequence", nullptr}}},
                {"usage", {{"output_tokens", output}}}}) +
         event({{"type", "message_stop"}});
}

RawUpstream::Answer streams(const std::string& events) {
  return [events](const RawCall& call) {
    call.send_stream_head();
    call.send(events);
  };
}

std::string upstream_toml(const std::string& base_url) {
  return "[[upstream]]\nname = \"claude\"\nkind = \"anthropic\"\nkey = \"env:FAKE_KEY\"\nbase_url = \"" + base_url +
         "\"\n[[deployment]]\nmodel = \"" + k_model + "\"\nupstream = \"claude\"\n";
}

Rig::Options options_of(const std::string& toml, bool own_upstream = true) {
  Rig::Options options;
  options.own_upstream = own_upstream;
  options.toml = toml;
  return options;
}

struct Claude {
  RawUpstream upstream;
  Rig rig;
  explicit Claude(RawUpstream::Answer answer)
      : upstream(std::move(answer)), rig(options_of(upstream_toml(upstream.base_url()))) {}

  static Json body(bool stream) {
    return {{"model", k_model},
            {"stream", stream},
            {"max_tokens", 64},
            {"messages", Json::array({{{"role", "system"}, {"content", "be brief"}},
                                      {{"role", "user"}, {"content", "hello there"}}})}};
  }
  Reply ask(const Json& body) { return rig.post(k_chat, body.dump()); }
  std::string head() const {
    const auto requests = upstream.requests();
    REQUIRE(requests.size() == 1);
    return requests[0].substr(0, requests[0].find("\r\n\r\n"));
  }
  Json sent() const {
    const std::string request = upstream.requests().at(0);
    return Json::parse(request.substr(request.find("\r\n\r\n") + 4));
  }
  Json row() {
    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    return rows[0];
  }
};

void check_row(const Json& row, int output) {
  CHECK(row["status"] == "ok");
  CHECK(row["model"] == k_model);
  CHECK(row["usage_source"] == "provider");
  CHECK(row["input_tokens"] == 35);
  CHECK(row["cached_tokens"] == 20);
  CHECK(row["output_tokens"] == output);
  CHECK(nanos(row["cost"]) == k_cost_of_input + output * k_output);
}

Json with_tools() {
  Json body = Claude::body(true);
  const Json parameters{{"type", "object"}, {"properties", {{"city", {{"type", "string"}}}}}};
  body["tools"] = Json::array(
      {{{"type", "function"}, {"function", {{"name", "weather"}, {"description", "?"}, {"parameters", parameters}}}}});
  return body;
}

}  // namespace

TEST_CASE("a chat becomes a Messages request with Anthropic's headers, and its message an OpenAI answer") {
  Claude claude([](const RawCall& call) {
    send_json(call, 200, message(Json::array({{{"type", "text"}, {"text", "Hello!"}}}), "end_turn", 9));
  });
  const Reply reply = claude.ask(Claude::body(false));
  CHECK(reply.status == 200);
  const Json answer = reply.json();
  CHECK(answer["object"] == "chat.completion");
  CHECK(answer["choices"][0]["message"]["content"] == "Hello!");
  CHECK(answer["choices"][0]["finish_reason"] == "stop");
  CHECK(answer["usage"]["prompt_tokens"] == 35);
  CHECK(answer["usage"]["completion_tokens"] == 9);
  CHECK(answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 20);
  CHECK(nanos(reply.header("x-nemo-request-cost")) == k_cost_of_input + 9 * k_output);

  const std::string head = claude.head();
  CHECK(head.starts_with("POST /v1/messages HTTP/1.1"));
  CHECK(contains(head, "x-api-key: sk-upstream-secret-0123456789"));
  CHECK(contains(head, "anthropic-version: 2023-06-01"));
  CHECK(!contains(head, "Authorization"));
  CHECK(!contains(head, claude.rig.key()));
  const Json sent = claude.sent();
  CHECK(sent["model"] == "claude-sonnet-4-5-20250929");
  CHECK(sent["max_tokens"] == 64);
  CHECK(contains(sent["system"].dump(), "be brief"));
  REQUIRE(sent["messages"].size() == 1);
  CHECK(sent["messages"][0]["role"] == "user");
  CHECK(contains(sent["messages"][0]["content"].dump(), "hello there"));
  check_row(claude.row(), 9);
}

TEST_CASE("Anthropic's stream becomes OpenAI chunks, with usage where it was asked for and the right cost") {
  for (const bool wants_usage : {true, false}) {
    CAPTURE(wants_usage);
    Claude claude(
        streams(start() + event({{"type", "ping"}}) + text_block(0, {"Hel", "lo", "!"}) + stop("end_turn", 9)));
    Json body = Claude::body(true);
    if (wants_usage) body["stream_options"] = {{"include_usage", true}};
    const Reply reply = claude.ask(body);
    CHECK(reply.status == 200);
    CHECK(reply.whole);
    CHECK(stream_text(reply.body) == "Hello!");
    const auto events = stream_events(reply.body);
    CHECK(events.back() == "[DONE]");
    Json usage;
    std::string finish;
    for (std::size_t i = 0; i + 1 < events.size(); ++i) {
      const Json chunk = Json::parse(events[i]);
      CHECK(chunk["object"] == "chat.completion.chunk");
      if (chunk.contains("usage") && chunk["usage"].is_object()) usage = chunk["usage"];
      for (const Json& choice : chunk["choices"]) {
        if (choice.contains("finish_reason") && choice["finish_reason"].is_string()) finish = choice["finish_reason"];
      }
    }
    CHECK(finish == "stop");
    CHECK(usage.is_null() != wants_usage);
    if (wants_usage) {
      CHECK(usage["prompt_tokens"] == 35);
      CHECK(usage["completion_tokens"] == 9);
      CHECK(usage["prompt_tokens_details"]["cached_tokens"] == 20);
      CHECK(nanos(usage["nemo_cost"]) == k_cost_of_input + 9 * k_output);
    }
    CHECK(claude.sent()["stream"] == true);
    check_row(claude.row(), 9);
  }
}

TEST_CASE("tools go up in Anthropic's shape, and parallel calls come back piece by piece in OpenAI's") {
  Claude claude(streams(start() + text_block(0, {"Let me see."}) +
                        tool_block(1, "toolu_1", "weather", {"", "{\"city\":", "\"Ulm\"}"}) +
                        tool_block(2, "toolu_2", "weather", {"{\"city\":\"Bonn\"}"}) + stop("tool_use", 30)));
  const Reply reply = claude.ask(with_tools());
  CHECK(reply.status == 200);
  std::map<int, Json> calls;
  std::string finish;
  for (const std::string& text : stream_events(reply.body)) {
    if (text == "[DONE]") continue;
    const Json chunk = Json::parse(text);
    for (const Json& choice : chunk["choices"]) {
      if (choice.contains("finish_reason") && choice["finish_reason"].is_string()) finish = choice["finish_reason"];
      if (!choice["delta"].contains("tool_calls")) continue;
      for (const Json& piece : choice["delta"]["tool_calls"]) {
        Json& call = calls[piece["index"].get<int>()];
        if (piece.contains("id")) call["id"] = piece["id"];
        if (piece["function"].contains("name")) call["name"] = piece["function"]["name"];
        call["arguments"] = call.value("arguments", "") + piece["function"].value("arguments", "");
      }
    }
  }
  CHECK(finish == "tool_calls");
  REQUIRE(calls.size() == 2);
  CHECK(calls[0] == Json{{"id", "toolu_1"}, {"name", "weather"}, {"arguments", "{\"city\":\"Ulm\"}"}});
  CHECK(calls[1] == Json{{"id", "toolu_2"}, {"name", "weather"}, {"arguments", "{\"city\":\"Bonn\"}"}});
  const Json sent = claude.sent();
  REQUIRE(sent["tools"].size() == 1);
  CHECK(sent["tools"][0]["name"] == "weather");
  CHECK(sent["tools"][0]["input_schema"]["properties"].contains("city"));
  check_row(claude.row(), 30);
}

TEST_CASE("a tool's result goes back up as Anthropic wants it") {
  Claude claude([](const RawCall& call) {
    send_json(call, 200, message(Json::array({{{"type", "text"}, {"text", "Rain."}}}), "end_turn", 2));
  });
  Json body = with_tools();
  body["stream"] = false;
  body["messages"].push_back(
      {{"role", "assistant"},
       {"content", nullptr},
       {"tool_calls", Json::array({{{"id", "toolu_1"},
                                    {"type", "function"},
                                    {"function", {{"name", "weather"}, {"arguments", "{\"city\":\"Ulm\"}"}}}}})}});
  body["messages"].push_back({{"role", "tool"}, {"tool_call_id", "toolu_1"}, {"content", "rain"}});
  CHECK(claude.ask(body).json()["choices"][0]["message"]["content"] == "Rain.");
  const Json turns = claude.sent()["messages"];
  REQUIRE(turns.size() == 3);
  CHECK(turns[1]["content"][0]["type"] == "tool_use");
  CHECK(turns[1]["content"][0]["input"] == Json{{"city", "Ulm"}});
  CHECK(turns[2]["role"] == "user");
  CHECK(turns[2]["content"][0]["type"] == "tool_result");
  CHECK(turns[2]["content"][0]["tool_use_id"] == "toolu_1");
}

TEST_CASE("an overloaded Anthropic fails over: by status 529, and by an error event before any content") {
  const Json overloaded{{"type", "error"}, {"error", {{"type", "overloaded_error"}, {"message", "Overloaded"}}}};
  struct Trouble {
    RawUpstream::Answer answer;
    bool stream;
  };
  const RawUpstream::Answer refusal = [&](const RawCall& call) { send_json(call, 529, overloaded); };
  for (const Trouble& trouble :
       {Trouble{refusal, true}, Trouble{refusal, false}, Trouble{streams(start() + event(overloaded)), true}}) {
    const bool stream = trouble.stream;
    CAPTURE(stream);
    RawUpstream claude(trouble.answer);
    Rig rig(options_of(upstream_toml(claude.base_url()) + "order = 1\n[[deployment]]\nmodel = \"" + k_model +
                           "\"\nupstream = \"fake\"\nupstream_model = \"gemini-2.5-pro\"\norder = 2\n",
                       false));
    const Reply reply = rig.post(k_chat, Claude::body(stream).dump());
    CHECK(reply.status == 200);
    CHECK(reply.header("x-nemo-upstream") == "fake");
    CHECK(reply.header("x-nemo-attempts") == "2");
    CHECK(!contains(reply.body, "Overloaded"));
    const Json row = rig.rows(1).at(0);
    CHECK(row["status"] == "ok");
    CHECK(row["cached_tokens"] == 0);
    const Json story = rig.admin("GET", "/calls/" + row["id"].get<std::string>());
    REQUIRE(story["attempts"].size() == 2);
    CHECK(contains(story["attempts"][0]["error"].get<std::string>(), "Overloaded"));
  }
}

TEST_CASE("Anthropic's refusal reaches the client in the OpenAI shape") {
  Claude claude([](const RawCall& call) {
    send_json(call, 400,
              {{"type", "error"}, {"error", {{"type", "invalid_request_error"}, {"message", "max_tokens: too many"}}}});
  });
  const Reply reply = claude.ask(Claude::body(true));
  CHECK(reply.status == 400);
  const Json error = reply.json()["error"];
  CHECK(error["message"] == "max_tokens: too many");
  CHECK(error["type"] == "invalid_request_error");
  CHECK(nanos(claude.row()["cost"]) == 0);
}

TEST_CASE("a client that leaves Anthropic's stream pays for the input as stated and the output as it came") {
  Claude claude([](const RawCall& call) {
    call.send_stream_head();
    call.send(
        start() +
        event({{"type", "content_block_start"}, {"index", 0}, {"content_block", {{"type", "text"}, {"text", ""}}}}) +
        event({{"type", "content_block_delta"},
               {"index", 0},
               {"delta", {{"type", "text_delta"}, {"text", "hello wor"}}}}));
    call.wait_for_close();
  });
  {
    Client client(claude.rig.port());
    client.send(claude.rig.request("POST", k_chat, Claude::body(true).dump()));
    std::string seen;
    while (!contains(seen, "hello wor")) {
      const std::string some = client.receive_some();
      REQUIRE(!some.empty());
      seen += some;
    }
  }
  const Json row = claude.row();
  CHECK(row["status"] == "cancelled");
  CHECK(row["usage_source"] == "partial");
  CHECK(row["input_tokens"] == 35);
  CHECK(row["output_tokens"] == 3);
  CHECK(nanos(row["cost"]) == k_cost_of_input + 3 * k_output);
}

}  // namespace nemo::test::anthropic_test
