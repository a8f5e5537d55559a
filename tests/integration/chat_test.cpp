#include <doctest/doctest.h>

#include "harness.h"
#include "shared/money.h"

namespace nemo::test::chat_test {

using namespace nemo::test;

namespace {

Json chat(const Json& script) {
  return {{"model", "gemini-2.5-flash"},
          {"messages", Json::array({{{"role", "user"}, {"content", "hello there"}}})},
          {"fake", script}};
}

Json streamed(Json body) {
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  return body;
}

// The usage that a stream's usage event states.
Json usage_of_stream(const Reply& reply) {
  Json usage;
  for (const std::string& event : stream_events(reply.body)) {
    const Json chunk = Json::parse(event, nullptr, false);
    if (chunk.is_object() && chunk.contains("usage")) usage = chunk["usage"];
  }
  return usage;
}

// The row of the call that this answer belongs to; rows of calls on several connections may come in any order.
Json row_of(Rig& rig, const Reply& reply) {
  const std::string path = "/calls/" + reply.header("x-nemo-request-id");
  REQUIRE(eventually([&] { return rig.admin("GET", path).contains("call"); }));
  return rig.admin("GET", path)["call"];
}

struct Bill {
  Json script;
  std::int64_t input, cached, output, reasoning;
  std::int64_t input_price, cached_price, output_price;  // nano-dollars a token
  std::string model = "gemini-2.5-flash";

  std::string dollars() const {
    return nemo::to_dollars({(input - cached) * input_price + cached * cached_price + output * output_price});
  }
};

void check_row(const Json& row, const Bill& bill) {
  CHECK(row["usage_source"] == "provider");
  CHECK(row["input_tokens"] == bill.input);
  CHECK(row["cached_tokens"] == bill.cached);
  CHECK(row["output_tokens"] == bill.output);
  CHECK(row["reasoning_tokens"] == bill.reasoning);
  CHECK(row["cost"] == bill.dollars());
}

const std::string k_hello = R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"hello there"}]})";
const std::string k_hello_streamed =
    R"({"model":"gemini-2.5-flash","stream":true,"messages":[{"role":"user","content":"hello there"}]})";

}  // namespace

TEST_CASE("a chat is answered by upstream and its row has the tokens and the exact cost") {
  Rig rig;
  const Reply reply = rig.post("/v1/chat/completions", k_hello);
  CHECK(reply.status == 200);
  const Json usage = reply.json()["usage"];
  const auto input = usage["prompt_tokens"].get<std::int64_t>();
  const auto output = usage["completion_tokens"].get<std::int64_t>();
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["model"] == "gemini-2.5-flash");
  CHECK(rows[0]["seat"] == "tester");
  CHECK(rows[0]["input_tokens"] == input);
  CHECK(rows[0]["output_tokens"] == output);
  CHECK(rows[0]["usage_source"] == "provider");
  CHECK(rows[0]["cost"] == nemo::to_dollars({input * 300 + output * 2500}));
  CHECK(reply.header("x-nemo-request-cost") == rows[0]["cost"].get<std::string>());
  CHECK(reply.header("x-nemo-request-id") == rows[0]["id"].get<std::string>());
}

TEST_CASE("a client that did not ask for usage sees none, and is billed by it all the same") {
  Rig rig;
  const Reply reply = rig.post("/v1/chat/completions", k_hello_streamed);
  CHECK(reply.status == 200);
  CHECK(reply.whole);
  CHECK(reply.header("content-type").find("text/event-stream") == 0);
  CHECK(reply.body.find("prompt_tokens") == std::string::npos);
  CHECK(stream_events(reply.body).back() == "[DONE]");
  CHECK(!stream_text(reply.body).empty());
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["usage_source"] == "provider");
  CHECK(rows[0]["stream"] == true);
  CHECK(rows[0]["output_tokens"].get<int>() > 0);
  CHECK(!rows[0]["ttft_ms"].is_null());
}

TEST_CASE("every token is billed exactly: cached, reasoning, Gemini's way to count, and the tier above 200,000") {
  const std::vector<Bill> bills = {
      {{{"prompt_tokens", 1'000}}, 1'000, 0, 12, 0, 300, 30, 2'500},
      {{{"prompt_tokens", 1'000}, {"cached_tokens", 640}}, 1'000, 640, 12, 0, 300, 30, 2'500},
      {{{"prompt_tokens", 9}, {"reasoning_tokens", 77}}, 9, 0, 89, 77, 300, 30, 2'500},
      // completion_tokens is 12 here, and total_tokens has the other 77
      {{{"prompt_tokens", 9}, {"reasoning_tokens", 77}, {"gemini_usage", true}}, 9, 0, 89, 77, 300, 30, 2'500},
      {{{"prompt_tokens", 200'000}}, 200'000, 0, 12, 0, 1'250, 125, 10'000, "gemini-2.5-pro"},
      {{{"prompt_tokens", 200'001}}, 200'001, 0, 12, 0, 2'500, 250, 15'000, "gemini-2.5-pro"},
      {{{"prompt_tokens", 900'000}, {"cached_tokens", 100'001}, {"reasoning_tokens", 4'000}, {"gemini_usage", true}},
       900'000,
       100'001,
       4'012,
       4'000,
       2'500,
       250,
       15'000,
       "gemini-2.5-pro"}};
  Rig rig;
  for (const Bill& bill : bills) {
    CAPTURE(bill.script.dump());
    Json body = chat(bill.script);
    body["model"] = bill.model;
    const Reply plain = rig.post("/v1/chat/completions", body.dump());
    CHECK(plain.header("x-nemo-request-cost") == bill.dollars());
    const Reply stream = rig.post("/v1/chat/completions", streamed(body).dump());
    CHECK(stream.header("x-nemo-request-cost").empty());
    CHECK(usage_of_stream(stream)["nemo_cost"] == bill.dollars());
    CHECK(usage_of_stream(stream)["total_tokens"] == bill.input + bill.output);
    CHECK(usage_of_stream(stream)["completion_tokens"] == plain.json()["usage"]["completion_tokens"]);
    for (const Json& row : {row_of(rig, plain), row_of(rig, stream)}) check_row(row, bill);
  }
}

TEST_CASE("a plain answer without usage is billed by an estimate, and its header says so much") {
  Rig rig;
  const Reply reply = rig.post("/v1/chat/completions", chat({{"no_usage", true}}).dump());
  const Json row = rig.rows(1).at(0);
  CHECK(row["usage_source"] == "estimated");
  CHECK(row["input_tokens"].get<int>() > 0);
  CHECK(row["output_tokens"].get<int>() > 0);
  CHECK(row["cost"] != "0");
  CHECK(reply.header("x-nemo-request-cost") == row["cost"].get<std::string>());
}

TEST_CASE("nemo/auto goes by the shape of the call, and the reason is kept") {
  struct Shape {
    const char* field;
    Json value;
    const char* lane;
    const char* reason;
  };
  const Json tools = Json::array({{{"type", "function"}, {"function", {{"name", "f"}}}}});
  const std::string long_text(40'000, 'x');
  const std::vector<Shape> shapes = {
      {"max_tokens", 64, "completion", "small chat"},
      {"max_completion_tokens", 64, "completion", "small chat"},
      {"max_tokens", 4'096, "reasoning", "max_tokens"},
      {"user", "u", "reasoning", "no low max_tokens"},
      {"tools", tools, "reasoning", "tools"},
      {"messages", Json::array({{{"role", "user"}, {"content", long_text}}}), "reasoning", "prompt is long"},
      {"nemo_lane", "completion", "completion", "the request names it"}};
  Rig rig;
  for (const char* model : {"nemo/auto", ""}) {
    for (const Shape& shape : shapes) {
      CAPTURE(shape.field);
      CAPTURE(shape.lane);
      Json body = chat(Json::object());
      body["model"] = model;
      if (std::string_view(shape.reason).find("tools") == 0 || std::string_view(shape.reason).find("prompt") == 0) {
        body["max_tokens"] = 64;
      }
      body[shape.field] = shape.value;
      const Reply reply = rig.post("/v1/chat/completions", body.dump());
      CHECK(reply.status == 200);
      CHECK(reply.header("x-nemo-lane") == shape.lane);
      const bool small = std::string_view(shape.lane) == "completion";
      CHECK(reply.header("x-nemo-model") == (small ? "gemini-2.5-flash" : "gemini-2.5-pro"));
      const std::string id = reply.header("x-nemo-request-id");
      REQUIRE(eventually([&] { return rig.admin("GET", "/calls/" + id).contains("model_reason"); }));
      const std::string reason = rig.admin("GET", "/calls/" + id)["model_reason"];
      CHECK(reason.find(shape.reason) != std::string::npos);
    }
  }
}

TEST_CASE("the answer's headers say who answered, and the row agrees") {
  Rig rig;
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    const Json body = stream ? streamed(chat(Json::object())) : chat(Json::object());
    const Reply reply = rig.post("/v1/chat/completions", body.dump(), {"User-Agent: OpenAI/JS 5.1"});
    CHECK(reply.header("x-nemo-model") == "gemini-2.5-flash");
    CHECK(reply.header("x-nemo-upstream") == "fake");
    CHECK(reply.header("x-nemo-lane") == "reasoning");
    CHECK(reply.header("x-nemo-cache") == "miss");
    CHECK(reply.header("x-nemo-attempts") == "1");
    CHECK(std::stod(reply.header("x-nemo-latency-ms")) < 250);
    const Json row = row_of(rig, reply);
    CHECK(row["id"] == reply.header("x-nemo-request-id"));
    CHECK(row["upstream"] == "fake");
    CHECK(row["deployment"] == "gemini-2.5-flash@fake");
    CHECK(row["client"] == "OpenAI/JS");
    CHECK(row["surface"] == "openai-chat");
    CHECK(row["attempts"] == 1);
    CHECK(row["stream"] == stream);
    CHECK(row["http_status"] == 200);
  }
}

TEST_CASE("tool calls pass, streamed and not, and are billed") {
  Rig rig;
  Json body = chat(Json::object());
  body["messages"][0]["content"] = "use the tool read_file with {\"path\":\"a b.txt\"}";
  body["tools"] =
      Json::array({{{"type", "function"}, {"function", {{"name", "read_file"}, {"parameters", Json::object()}}}}});
  const Json message = rig.post("/v1/chat/completions", body.dump()).json()["choices"][0]["message"];
  CHECK(message["tool_calls"][0]["function"]["arguments"] == R"({"path":"a b.txt"})");
  std::string arguments;
  for (const std::string& event : stream_events(rig.post("/v1/chat/completions", streamed(body).dump()).body)) {
    const Json chunk = Json::parse(event, nullptr, false);
    if (!chunk.is_object() || chunk["choices"].empty()) continue;
    const Json& delta = chunk["choices"][0]["delta"];
    if (delta.contains("tool_calls")) arguments += delta["tool_calls"][0]["function"].value("arguments", "");
  }
  CHECK(arguments == R"({"path":"a b.txt"})");
  for (const Json& row : rig.rows(2)) {
    CHECK(row["status"] == "ok");
    CHECK(row["output_tokens"].get<int>() > 0);
  }
}

}  // namespace nemo::test::chat_test
