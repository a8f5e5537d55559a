// Gemini's API through a whole daemon: before an upstream that speaks OpenAI, and before a Google that speaks it too.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "daemon/budget/cost.h"
#include "daemon/catalog/catalog.h"
#include "entitled.h"
#include "fake_google.h"
#include "harness.h"
#include "shared/money.h"

namespace nemo::test::gemini_test {

using namespace nemo::test;

namespace {

const std::string k_model = "gemini-2.5-flash";

std::string path(const std::string& model, bool stream) {
  return "/v1beta/models/" + model + (stream ? ":streamGenerateContent?alt=sse" : ":generateContent");
}

Json hello(const std::string& text = "say something about the weather") {
  return {{"contents", {{{"role", "user"}, {"parts", {{{"text", text}}}}}}}};
}

// As Google's libraries send it: no bearer, and the key in a header of its own.
Reply ask(Rig& rig, const std::string& where, const Json& body) {
  Client client(rig.port());
  const std::string bytes = body.dump();
  client.send("POST " + where + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(rig.port()) +
              "\r\nContent-Type: application/json\r\nx-goog-api-key: " + rig.key() +
              "\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n\r\n" + bytes);
  return client.receive();
}

std::vector<Json> events_of(const Reply& reply) {
  std::vector<Json> events;
  for (const std::string& data : stream_events(reply.body)) {
    CAPTURE(data);
    REQUIRE(Json::accept(data));
    events.push_back(Json::parse(data));
  }
  return events;
}

Json parts_of(const Json& response) {
  return response["candidates"][0]["content"]["parts"];
}

std::string text_of(const std::vector<Json>& responses) {
  std::string text;
  for (const Json& response : responses) {
    for (const Json& part : parts_of(response)) {
      if (!part.value("thought", false)) text += part.value("text", "");
    }
  }
  return text;
}

Json call_in(const std::vector<Json>& responses) {
  for (const Json& response : responses) {
    for (const Json& part : parts_of(response)) {
      if (part.contains("functionCall")) return part;
    }
  }
  return {};
}

// What the answer says of usage, the ledger's row, and the upstream's journal agree; the row has its price.
void check_bill(const Json& usage, const Json& row, const Json& billed, const std::string& model) {
  INFO(usage.dump(), row.dump(), billed.dump());
  const auto thoughts = usage.value("thoughtsTokenCount", 0);
  CHECK(usage["promptTokenCount"] == row["input_tokens"]);
  CHECK(usage["candidatesTokenCount"].get<int>() + thoughts == row["output_tokens"].get<int>());
  CHECK(usage["totalTokenCount"].get<int>() == row["input_tokens"].get<int>() + row["output_tokens"].get<int>());
  for (const char* name : {"input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"}) {
    CAPTURE(name);
    CHECK(row[name] == billed[name]);
  }
  CHECK(row["usage_source"] == "provider");
  CHECK(row["status"] == "ok");
  CHECK(row["surface"] == "gemini");
  CHECK(row["model"] == model);
  static const nemo::catalog::Catalog catalog;
  nemo::call::Usage counted;
  counted.input_tokens = billed["input_tokens"];
  counted.cached_tokens = billed["cached_tokens"];
  counted.output_tokens = billed["output_tokens"];
  CHECK(row["cost"] == nemo::to_dollars(nemo::budget::cost_of(*catalog.find(model)->pricing, counted)));
}

Json with_tool(Json body) {
  body["tools"] = {
      {{"functionDeclarations",
        {{{"name", "look"},
          {"parameters",
           {{"type", "OBJECT"}, {"properties", {{"at", {{"type", "STRING"}}}}}, {"required", {"at"}}}}}}}}};
  return body;
}

// The conversation goes on with what the function gave back.
Json answered(Json body, const Json& part) {
  body["contents"].push_back({{"role", "model"}, {"parts", {part}}});
  Json response = {{"name", part["functionCall"]["name"]}, {"response", {{"output", "clear skies"}}}};
  if (part["functionCall"].contains("id")) response["id"] = part["functionCall"]["id"];
  body["contents"].push_back({{"role", "user"}, {"parts", {{{"functionResponse", response}}}}});
  return body;
}

// A daemon whose only upstream is the fake Google.
struct Cloud {
  Cloud() {
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

std::string read_until(Client& client, std::string_view what) {
  std::string seen;
  while (seen.find(what) == std::string::npos) {
    const std::string some = client.receive_some();
    REQUIRE(!some.empty());
    seen += some;
  }
  return seen;
}

}  // namespace

TEST_CASE("a model behind OpenAI's API answers in Gemini's words, whole and streamed, and the row is the bill") {
  Rig rig;
  rig.upstream.script({{"reasoning_tokens", 3}, {"cached_tokens", 2}});
  const Reply whole = ask(rig, path(k_model, false), hello());
  INFO(whole.head, whole.body);
  REQUIRE(whole.status == 200);
  CHECK(whole.header("content-type") == "application/json");
  CHECK(!whole.header("x-nemo-request-cost").empty());
  const Json answer = whole.json();
  CHECK(answer["candidates"][0]["finishReason"] == "STOP");
  CHECK(answer["candidates"][0]["content"]["role"] == "model");
  CHECK(answer["modelVersion"] == k_model);
  check_bill(answer["usageMetadata"], rig.rows(1)[0], rig.upstream.journal()[0]["billed"], k_model);

  const Reply streamed = ask(rig, path(k_model, true), hello());
  REQUIRE(streamed.status == 200);
  CHECK(streamed.whole);
  CHECK(streamed.header("content-type") == "text/event-stream");
  const auto events = events_of(streamed);
  CHECK(text_of(events) == text_of({answer}));
  CHECK(events.back()["candidates"][0]["finishReason"] == "STOP");
  for (std::size_t i = 0; i + 1 < events.size(); ++i) CHECK(!events[i]["candidates"][0].contains("finishReason"));
  check_bill(events.back()["usageMetadata"], rig.rows(2)[1], rig.upstream.journal()[1]["billed"], k_model);
}

TEST_CASE("limits and paths of Vertex' clients are understood: the answer ends with MAX_TOKENS") {
  Rig rig;
  Json body = hello();
  body["generation_config"] = {{"max_output_tokens", 3}};
  const Reply reply = ask(rig, "/v1beta1/publishers/google/models/" + k_model + ":generateContent", body);
  INFO(reply.body);
  REQUIRE(reply.status == 200);
  CHECK(reply.json()["candidates"][0]["finishReason"] == "MAX_TOKENS");
  CHECK(reply.json()["usageMetadata"]["candidatesTokenCount"] == 3);
  const Reply by_query = ask(rig, path(k_model, true) + "&key=" + rig.key(), body);
  CHECK(by_query.status == 200);
}

TEST_CASE("a function call goes round through an OpenAI upstream and comes back with its id") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    const Json body = with_tool(hello(R"(use the tool look with {"at":"the \"sky\""})"));
    const Reply first = ask(rig, path(k_model, stream), body);
    REQUIRE(first.status == 200);
    const Json part = call_in(stream ? events_of(first) : std::vector<Json>{first.json()});
    INFO(first.body);
    REQUIRE(part.is_object());
    CHECK(part["functionCall"]["name"] == "look");
    CHECK(part["functionCall"]["args"] == Json({{"at", "the \"sky\""}}));
    const Reply second = ask(rig, path(k_model, stream), answered(body, part));
    REQUIRE(second.status == 200);
    CHECK(!text_of(stream ? events_of(second) : std::vector<Json>{second.json()}).empty());
    const Json sent = Json::parse(rig.upstream.journal()[1]["body"].get<std::string>());
    const Json messages = sent["messages"];
    REQUIRE(messages.size() == 3);
    CHECK(messages[1]["tool_calls"][0]["id"] == part["functionCall"]["id"]);
    CHECK(messages[2]["tool_call_id"] == part["functionCall"]["id"]);
    CHECK(messages[2]["content"] == "clear skies");
    CHECK(sent["tools"][0]["function"]["parameters"]["type"] == "object");
  }
}

TEST_CASE("what goes wrong is told in Google's shape: here, upstream, and inside a stream") {
  Rig rig;
  const auto error = [](const Reply& reply, int status, const std::string& name) {
    INFO(reply.body);
    CHECK(reply.status == status);
    const Json told = reply.json()["error"];
    CHECK(told["code"] == status);
    CHECK(told["status"] == name);
    return told;
  };
  CHECK(error(ask(rig, path(k_model, false), {{"x", 1}}), 400, "INVALID_ARGUMENT")["message"] == "contents is missing");
  error(ask(rig, path("no-such-model", true), hello()), 404, "NOT_FOUND");
  Client stranger(rig.port());
  stranger.send("POST " + path(k_model, false) +
                " HTTP/1.1\r\nHost: 127.0.0.1\r\nx-goog-api-key: sk-nemo-x\r\nContent-Length: 2\r\n\r\n{}");
  error(stranger.receive(), 401, "UNAUTHENTICATED");
  Json search = hello();
  search["tools"] = {{{"googleSearch", Json::object()}}};
  const Json refused = error(ask(rig, path(k_model, false), search), 400, "INVALID_ARGUMENT");
  CHECK(refused["message"].get<std::string>().find("googleSearch") != std::string::npos);
  CHECK(rig.upstream.summary()["started"] == 0);

  rig.upstream.script({{"status", 400}, {"error_message", "that is too long"}});
  CHECK(error(ask(rig, path(k_model, false), hello()), 400, "INVALID_ARGUMENT")["message"] == "that is too long");
  rig.upstream.script({{"error_event_after", 3}, {"error_message", "it broke"}});
  const auto events = events_of(ask(rig, path(k_model, true), hello()));
  REQUIRE(events.size() >= 2);
  CHECK(!text_of({events.front()}).empty());
  CHECK(events.back()["error"]["message"] == "it broke");
  rig.upstream.script({{"cut_after_chunks", 3}});
  CHECK(events_of(ask(rig, path(k_model, true), hello())).back().contains("error"));
}

TEST_CASE("a Gemini client that leaves lets upstream go, translated or native") {
  {
    Rig rig;
    Client client(rig.port());
    Json body = hello();
    rig.upstream.script({{"stall_after_chunks", 4}});
    client.send(rig.request("POST", path(k_model, true), body.dump()));
    read_until(client, "\"text\"");
    client.close();
    CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));
    const Json row = rig.rows(1)[0];
    CHECK(row["status"] == "cancelled");
    CHECK(row["usage_source"] == "partial");
    CHECK(row["output_tokens"].get<int>() > 0);
  }
  Cloud cloud;
  cloud.google.script_model(k_model, {{"stall_after_chunks", 4}});
  Client client(cloud.rig->port());
  client.send(cloud.rig->request("POST", path(k_model, true), hello().dump()));
  read_until(client, "\"text\"");
  client.close();
  CHECK(eventually([&] { return cloud.google.summary()["cancelled"] == 1; }));
  const Json row = cloud.rig->rows(1)[0];
  CHECK(row["status"] == "cancelled");
  CHECK(row["usage_source"] == "partial");
  CHECK(row["input_tokens"] == cloud.google.journal()[0]["billed"]["input_tokens"]);
}

TEST_CASE("a Gemini model at Vertex is asked natively: bytes pass, thoughts are billed as output") {
  Cloud cloud;
  Json body = hello();
  body["generationConfig"] = {{"topK", 64}, {"thinkingConfig", {{"includeThoughts", true}, {"thinkingBudget", -1}}}};
  body["safetySettings"] = Json::array();
  const Reply whole = ask(*cloud.rig, path(k_model, false), body);
  INFO(whole.head, whole.body);
  REQUIRE(whole.status == 200);
  Json entry = cloud.google.journal().back();
  CHECK(entry["path"] ==
        "/v1/projects/nemo-test/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent");
  CHECK(entry["body"] == body.dump());
  const Json answer = whole.json();
  CHECK(answer["usageMetadata"]["trafficType"] == "ON_DEMAND");
  CHECK(answer["usageMetadata"]["thoughtsTokenCount"] == 7);
  CHECK(parts_of(answer)[0]["thought"] == true);
  check_bill(answer["usageMetadata"], cloud.rig->rows(1)[0], entry["billed"], k_model);

  const Reply streamed = ask(*cloud.rig, path(k_model, true), body);
  REQUIRE(streamed.status == 200);
  CHECK(streamed.whole);
  entry = cloud.google.journal().back();
  CHECK(entry["path"].get<std::string>().ends_with(":streamGenerateContent"));
  CHECK(streamed.body.find("}\r\n\r\n") != std::string::npos);  // as Google ended its lines
  const auto events = events_of(streamed);
  CHECK(text_of(events) == text_of({answer}));
  check_bill(events.back()["usageMetadata"], cloud.rig->rows(2)[1], entry["billed"], k_model);
  CHECK(entry["billed"]["output_tokens"] == 19);
}

TEST_CASE("a native function call keeps its signature, and Nemo's own fields stay here") {
  Cloud cloud;
  Json body = with_tool(hello("use the tool look"));
  body["nemo_tags"] = Json::array();
  body["model"] = "models/" + k_model;
  const Reply first = ask(*cloud.rig, path(k_model, true), body);
  INFO(first.body);
  REQUIRE(first.status == 200);
  const Json part = call_in(events_of(first));
  REQUIRE(part.is_object());
  CHECK(part["thoughtSignature"] == "ZmFrZS1zaWduYXR1cmU=");
  const Reply second = ask(*cloud.rig, path(k_model, false), answered(body, part));
  INFO(second.body);
  REQUIRE(second.status == 200);
  const Json sent = Json::parse(cloud.google.journal()[1]["body"].get<std::string>());
  CHECK(sent["contents"][1]["parts"][0] == part);
  CHECK(!sent.contains("nemo_tags"));
  CHECK(!sent.contains("model"));
}

TEST_CASE("Google's native errors reach the client: as they are, out of a list, inside a stream") {
  Cloud cloud;
  cloud.google.script_model(k_model, {{"status", 429}, {"error_message", "Quota exceeded for this minute"}});
  for (const bool list : {false, true}) {
    cloud.google.set({{"error_list", list}});
    const Reply reply = ask(*cloud.rig, path(k_model, true), hello());
    CHECK(reply.status == 429);
    CHECK(reply.json()["error"]["message"] == "Quota exceeded for this minute");
    CHECK(reply.json()["error"]["status"] == "RESOURCE_EXHAUSTED");
  }
}

TEST_CASE("a native stream that breaks ends with an error, also where Google puts it into a list") {
  for (const bool list : {false, true}) {
    CAPTURE(list);
    Cloud cloud;
    cloud.google.set({{"error_list", list}});
    cloud.google.script_model(k_model, {{"error_event_after", 3}, {"error_message", "overloaded"}});
    const auto events = events_of(ask(*cloud.rig, path(k_model, true), hello()));
    REQUIRE(events.size() == 4);
    CHECK(events[3]["error"]["message"] == "overloaded");
    CHECK(cloud.rig->rows(1)[0]["status"] == "error");
  }
  Cloud cut;
  cut.google.script_model(k_model, {{"cut_after_chunks", 3}});
  CHECK(events_of(ask(*cut.rig, path(k_model, true), hello())).back()["error"]["status"] == "UNAVAILABLE");
}

TEST_CASE("Claude at Vertex answers a Gemini client, with a function call and its id") {
  Cloud cloud;
  const std::string claude = "claude-sonnet-4-5@20250929";
  const Json body = with_tool(hello("use the tool look"));
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    const Reply reply = ask(*cloud.rig, path(claude, stream), body);
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    const auto responses = stream ? events_of(reply) : std::vector<Json>{reply.json()};
    const Json part = call_in(responses);
    REQUIRE(part.is_object());
    CHECK(part["functionCall"]["name"] == "look");
    CHECK(part["functionCall"]["id"].get<std::string>().starts_with("toolu_"));
    CHECK(responses.back()["usageMetadata"]["totalTokenCount"].get<int>() > 0);
    CHECK(ask(*cloud.rig, path(claude, stream), answered(body, part)).status == 200);
  }
}

TEST_CASE("a budget caps a native answer in Google's own field") {
  Cloud cloud;
  const KeyInHand key = make_key(*cloud.rig, {{"budgets", {"0.001/day"}}});
  Client client(cloud.rig->port());
  const std::string bytes = hello().dump();
  client.send("POST " + path(k_model, false) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + key.header +
              "\r\nContent-Length: " + std::to_string(bytes.size()) + "\r\n\r\n" + bytes);
  const Reply reply = client.receive();
  INFO(reply.body);
  REQUIRE(reply.status == 200);
  const Json sent = Json::parse(cloud.google.journal().back()["body"].get<std::string>());
  CHECK(sent["generationConfig"]["maxOutputTokens"].get<int>() > 0);
  CHECK(sent["generationConfig"]["maxOutputTokens"].get<int>() < 1000);
}

TEST_CASE("models are listed and shown as Gemini's clients read them, and tokens are counted") {
  Rig rig;
  const Json list = rig.get("/v1beta/models").json()["models"];
  bool found = false;
  for (const Json& one : list) found = found || one["name"] == "models/" + k_model;
  CHECK(found);
  const Json shown = rig.get("/v1beta/models/" + k_model).json();
  CHECK(shown["name"] == "models/" + k_model);
  CHECK(shown["displayName"] == k_model);
  CHECK(shown["inputTokenLimit"].get<int>() > 1000);
  CHECK(shown["outputTokenLimit"].get<int>() > 1000);
  CHECK(shown["supportedGenerationMethods"][0] == "generateContent");
  const Reply missing = rig.get("/v1beta/models/gemini-2.5-flsh");
  CHECK(missing.status == 404);
  CHECK(missing.json()["error"]["status"] == "NOT_FOUND");

  const auto count = [&](const Json& body) {
    const Reply reply = ask(rig, "/v1beta/models/" + k_model + ":countTokens", body);
    INFO(reply.body);
    REQUIRE(reply.status == 200);
    return reply.json()["totalTokens"].get<int>();
  };
  const std::string text(4'000, 'x');
  CHECK(count(hello(text)) == 1'000);
  CHECK(count({{"generateContentRequest", {{"model", "models/" + k_model}, {"contents", hello(text)["contents"]}}}}) ==
        1'000);
  Json with_image = hello(text);
  with_image["contents"][0]["parts"].push_back(
      {{"inlineData", {{"mimeType", "image/png"}, {"data", std::string(1'000'000, 'A')}}}});
  CHECK(count(with_image) > 1'000);
  CHECK(count(with_image) < 10'000);
  CHECK(count(with_tool(hello(text))) > 1'000);
  CHECK(ask(rig, "/v1beta/models/" + k_model + ":countTokens", {{"x", 1}}).json()["error"]["status"] ==
        "INVALID_ARGUMENT");
  CHECK(rig.upstream.summary()["started"] == 0);
}

}  // namespace nemo::test::gemini_test
