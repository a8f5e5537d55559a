// Vertex AI through a whole daemon, against a Google that checks every token and every wire format.
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "daemon/budget/cost.h"
#include "daemon/catalog/catalog.h"
#include "fake_google.h"
#include "harness.h"
#include "shared/money.h"

namespace nemo::test::vertex_test {

using namespace nemo::test;

namespace {

// A daemon whose only upstream is the fake Google, with a service account's key in a file.
struct Cloud {
  explicit Cloud(const Json& settings = Json::object(), const std::string& missing_field = "") {
    google.set(settings);
    Json account = google.service_account();
    if (!missing_field.empty()) account.erase(missing_field);
    write_private(key_file(), account.dump());
    Rig::Options options;
    options.own_upstream = true;
    options.toml =
        "[[upstream]]\nname = \"vertex\"\nkind = \"vertex\"\nproject = \"nemo-test\"\n"
        "location = \"europe-west4\"\ncredentials = \"file:" +
        key_file().string() + "\"\nbase_url = \"" + google.origin() + "\"\ntoken_url = \"" + google.origin() +
        "/token\"\n";
    rig = std::make_unique<Rig>(options);
  }
  std::filesystem::path key_file() const { return folder.path() / "account.json"; }

  Json story(const Reply& reply) {
    Json story;
    eventually([&] {
      story = rig->admin("GET", "/calls/" + reply.header("x-nemo-request-id"));
      return story.contains("call");
    });
    REQUIRE(story.contains("call"));
    return story;
  }

  TempFolder folder;
  FakeGoogle google;
  std::unique_ptr<Rig> rig;
};

Json chat(const std::string& model, bool stream) {
  return {{"model", model},
          {"stream", stream},
          {"messages", Json::array({{{"role", "user"}, {"content", "say something about the weather"}}})}};
}

// What a call with these tokens costs by the catalog.
std::string price_of(const std::string& model, const Json& billed, std::int64_t cache_writes = 0) {
  static const nemo::catalog::Catalog catalog;
  const nemo::catalog::Model* found = catalog.find(model);
  REQUIRE(found != nullptr);
  REQUIRE(found->pricing.has_value());
  nemo::call::Usage usage;
  usage.input_tokens = billed["input_tokens"];
  usage.cached_tokens = billed["cached_tokens"];
  usage.output_tokens = billed["output_tokens"];
  usage.cache_write_tokens = cache_writes;
  return nemo::to_dollars(nemo::budget::cost_of(*found->pricing, usage));
}

// The ledger has what Google billed for its last call, and what that costs. Gives the journal's line.
Json check_billed_as_google_did(Cloud& cloud, const Reply& reply, const std::string& model,
                                std::int64_t cache_writes = 0) {
  CAPTURE(model);
  INFO(reply.head, reply.body);
  REQUIRE(reply.status == 200);
  const Json row = cloud.story(reply)["call"];
  const Json entry = cloud.google.journal().back();
  const Json& billed = entry["billed"];
  CHECK(billed["input_tokens"] > 0);
  for (const char* name : {"input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens"}) {
    CAPTURE(name);
    CHECK(row[name] == billed[name]);
  }
  CHECK(row["status"] == "ok");
  CHECK(row["usage_source"] == "provider");
  CHECK(row["model"] == model);
  CHECK(row["cost"] == price_of(model, billed, cache_writes));
  CHECK(nemo::parse_dollars(row["cost"].get<std::string>())->value > 0);
  return entry;
}

// That Google refused of Gemini's.
int refused_calls(const Cloud& cloud) {
  const Json none = Json::object();
  const Json states = cloud.google.summary()["models"].value("google/gemini-2.5-flash", none);
  return states.value("refused", none).value("calls", 0);
}

std::int64_t words_in(const std::string& text) {
  return text.empty() ? 0 : std::count(text.begin(), text.end(), ' ') + 1;
}

}  // namespace

TEST_CASE("Gemini answers by its catalog id, and reasoning outside completion_tokens is billed as output") {
  Cloud cloud;
  const Reply whole = cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", false).dump());
  Json entry = check_billed_as_google_did(cloud, whole, "gemini-2.5-flash");
  CHECK(entry["path"] == "/v1/projects/nemo-test/locations/europe-west4/endpoints/openapi/chat/completions");
  CHECK(entry["model"] == "google/gemini-2.5-flash");
  CHECK(entry["billed"]["output_tokens"] == 19);
  CHECK(entry["billed"]["reasoning_tokens"] == 7);
  CHECK(words_in(whole.json()["choices"][0]["message"]["content"]) == 12);
  CHECK(whole.header("x-nemo-request-cost") == price_of("gemini-2.5-flash", entry["billed"]));
  CHECK(whole.header("x-nemo-upstream") == "vertex");

  const Reply streamed = cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", true).dump());
  entry = check_billed_as_google_did(cloud, streamed, "gemini-2.5-flash");
  CHECK(entry["billed"]["output_tokens"] == 19);
  CHECK(stream_text(streamed.body) == whole.json()["choices"][0]["message"]["content"]);
  CHECK(stream_events(streamed.body).back() == "[DONE]");
  CHECK(streamed.body.find("total_tokens") == std::string::npos);  // it was not asked for
}

TEST_CASE("a model as a service answers by its catalog id, with reasoning inside completion_tokens billed once") {
  Cloud cloud;
  for (const bool stream : {false, true}) {
    const Reply reply =
        cloud.rig->post("/v1/chat/completions", chat("qwen/qwen3-coder-480b-a35b-instruct-maas", stream).dump());
    const Json entry = check_billed_as_google_did(cloud, reply, "qwen/qwen3-coder-480b-a35b-instruct-maas");
    CHECK(entry["billed"]["output_tokens"] == 19);
  }
}

TEST_CASE("Claude answers an OpenAI chat by its catalog id, whole and streamed, with its cache reads and writes") {
  Cloud cloud(Json{{"cache_write_tokens", 2}});
  const std::string model = "claude-sonnet-4-5@20250929";
  cloud.google.script_model(model, {{"cached_tokens", 3}});
  const Reply whole = cloud.rig->post("/v1/chat/completions", chat(model, false).dump());
  Json entry = check_billed_as_google_did(cloud, whole, model, 2);
  CHECK(entry["path"] ==
        "/v1/projects/nemo-test/locations/europe-west4/publishers/anthropic/models/" + model + ":rawPredict");
  CHECK(entry["billed"]["cached_tokens"] == 3);
  const std::string text = whole.json()["choices"][0]["message"]["content"];
  CHECK(words_in(text) == 12);
  CHECK(whole.json()["choices"][0]["finish_reason"] == "stop");

  const Reply streamed = cloud.rig->post("/v1/chat/completions", chat(model, true).dump());
  entry = check_billed_as_google_did(cloud, streamed, model, 2);
  CHECK(entry["path"].get<std::string>().ends_with(":streamRawPredict"));
  CHECK(stream_text(streamed.body) == text);
  CHECK(stream_events(streamed.body).back() == "[DONE]");
}

TEST_CASE("Codestral fills in the middle by its catalog id through /v1/completions, whole and streamed") {
  Cloud cloud;
  Json body = {{"model", "codestral-2"},
               {"prompt", "def f("},
               {"suffix", "\n  return x"},
               {"max_tokens", 5},
               {"nemo_cache", false}};  // asked twice
  const Reply whole = cloud.rig->post("/v1/completions", body.dump());
  Json entry = check_billed_as_google_did(cloud, whole, "codestral-2");
  CHECK(entry["path"].get<std::string>().ends_with("/publishers/mistralai/models/codestral-2:rawPredict"));
  const Json sent = Json::parse(entry["body"].get<std::string>());
  CHECK(sent["prompt"] == "def f(");
  CHECK(sent["suffix"] == "\n  return x");
  CHECK(entry["billed"]["output_tokens"] == 5);
  CHECK(whole.json()["object"] == "text_completion");
  const std::string text = whole.json()["choices"][0]["text"];
  CHECK(words_in(text) == 5);

  body["stream"] = true;
  const Reply streamed = cloud.rig->post("/v1/completions", body.dump());
  entry = check_billed_as_google_did(cloud, streamed, "codestral-2");
  CHECK(entry["path"].get<std::string>().ends_with(":streamRawPredict"));
  std::string joined;
  for (const std::string& event : stream_events(streamed.body)) {
    if (event == "[DONE]") continue;
    const Json chunk = Json::parse(event);
    if (!chunk["choices"].empty()) joined += chunk["choices"][0]["text"].get<std::string>();
  }
  CHECK(joined == text);
  CHECK(stream_events(streamed.body).back() == "[DONE]");
}

TEST_CASE("embeddings go by :predict, and one text by :embedContent to the family that has no other") {
  Cloud cloud;
  const Json several = {{"model", "text-embedding-005"}, {"input", {"one text", "and another"}}, {"dimensions", 8}};
  const Reply predicted = cloud.rig->post("/v1/embeddings", several.dump());
  Json entry = check_billed_as_google_did(cloud, predicted, "text-embedding-005");
  CHECK(entry["path"].get<std::string>().ends_with("/publishers/google/models/text-embedding-005:predict"));
  REQUIRE(predicted.json()["data"].size() == 2);
  CHECK(predicted.json()["data"][1]["embedding"].size() == 8);
  CHECK(predicted.json()["data"][0]["embedding"] != predicted.json()["data"][1]["embedding"]);
  CHECK(predicted.json()["usage"]["prompt_tokens"] == entry["billed"]["input_tokens"]);

  const Json one = {{"model", "gemini-embedding-2"}, {"input", "one text"}};
  const Reply embedded = cloud.rig->post("/v1/embeddings", one.dump());
  entry = check_billed_as_google_did(cloud, embedded, "gemini-embedding-2");
  CHECK(entry["path"].get<std::string>().ends_with("/publishers/google/models/gemini-embedding-2:embedContent"));
  CHECK(embedded.json()["data"][0]["embedding"].size() == 64);
}

TEST_CASE("Google's refusal reaches the client in the OpenAI shape, also from inside a list") {
  Cloud cloud(Json{{"error_list", true}});
  cloud.google.script_model("google/*", {{"status", 429}, {"error_message", "Quota exceeded for this minute"}});
  const Reply reply = cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", true).dump());
  CHECK(reply.status == 429);
  CHECK(reply.json()["error"]["message"] == "Quota exceeded for this minute");
}

TEST_CASE("a token that Google takes back is renewed once, shared by all who were refused, and the calls succeed") {
  Cloud cloud;
  CHECK(cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", false).dump()).status == 200);
  CHECK(cloud.google.token_requests() == 1);
  cloud.google.set({{"hold_tokens", true}});
  cloud.google.revoke();
  constexpr int k_calls = 6;
  std::vector<std::thread> threads;
  std::vector<Reply> replies(k_calls);
  for (int i = 0; i < k_calls; ++i) {
    threads.emplace_back([&cloud, &replies, i] {
      replies[static_cast<std::size_t>(i)] =
          cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", i % 2 == 0).dump());
    });
  }
  CHECK(eventually([&] { return refused_calls(cloud) == k_calls; }));
  CHECK(eventually([&] { return cloud.google.token_requests() == 2; }));
  REQUIRE(cloud.rig->waits_with(k_calls));  // for the one token
  cloud.google.release();
  for (std::thread& thread : threads) thread.join();
  int renewed = 0;
  for (const Reply& reply : replies) {
    INFO(reply.body);
    CHECK(reply.status == 200);
    CHECK(reply.header("x-nemo-attempts") == "1");
    const Json story = cloud.story(reply);
    if (story["attempts"][0]["note"] == "token renewed") ++renewed;
    CHECK(story["call"]["usage_source"] == "provider");
    CHECK(story["call"]["output_tokens"] == 19);
  }
  CHECK(renewed > 0);
  CHECK(cloud.google.token_requests() == 2);
}

TEST_CASE("a token that is refused although it is new ends the call with Google's 401, after one renewal") {
  Cloud cloud(Json{{"refuse_tokens", true}});
  const Reply reply = cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", false).dump());
  INFO(reply.body);
  CHECK(reply.status == 401);
  CHECK(cloud.google.summary()["started"] == 2);
  CHECK(cloud.google.token_requests() == 2);
  CHECK(cloud.story(reply)["call"]["cost"] == "0");
}

TEST_CASE("a service account's file that lacks a field is told of by file and field, in the status and to the caller") {
  for (const char* field : {"client_email", "private_key", "type"}) {
    CAPTURE(field);
    Cloud cloud(Json::object(), field);
    const Json upstream = cloud.rig->admin("GET", "/status")["upstreams"][0];
    CHECK(upstream["key"] == "missing");
    const std::string detail = upstream["detail"];
    CHECK(detail.find(field) != std::string::npos);
    CHECK(detail.find(cloud.key_file().string()) != std::string::npos);
    const Reply reply = cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", false).dump());
    INFO(reply.body);
    CHECK(reply.status == 503);
    CHECK(reply.json()["error"]["code"] == "no_deployment_available");
    CHECK(reply.json()["error"]["message"].get<std::string>().find(field) != std::string::npos);
    CHECK(reply.body.find("PRIVATE KEY") == std::string::npos);
    CHECK(cloud.google.summary()["started"] == 0);
    CHECK(cloud.google.token_requests() == 0);
  }
}

TEST_CASE("while a token is renewed ahead of its end calls go on with the one that still holds") {
  Cloud cloud(Json{{"expires_in", 10}});  // renewed after five, so that five are left for what follows
  CHECK(cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", false).dump()).status == 200);
  cloud.google.set({{"hold_tokens", true}});  // this renewal will not end
  REQUIRE(eventually([&] { return cloud.google.token_requests() == 2; }));
  const Reply reply = cloud.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", false).dump());
  CHECK(reply.status == 200);
  CHECK(cloud.google.token_requests() == 2);
  CHECK(cloud.story(reply)["attempts"][0]["note"] == "");
}

namespace {

struct Added {
  std::vector<double> ms;  // x-nemo-latency-ms of every call, sorted
  int tokens = 0;          // that were asked for

  double at(double part) const { return ms[static_cast<std::size_t>(part * static_cast<double>(ms.size() - 1))]; }
  std::string text() const {
    return std::to_string(ms.size()) + " calls, " + std::to_string(tokens) + " tokens asked for: added p50 " +
           std::to_string(at(0.5)) + " ms, p99 " + std::to_string(at(0.99)) + " ms, slowest " +
           std::to_string(ms.back()) + " ms";
  }
};

// Calls one after the other on one connection: 2,000, and on until so many tokens were asked for. Whatever token is
// asked for meanwhile comes only after some more calls.
Added call_until(Cloud& cloud, int tokens) {
  constexpr std::size_t k_calls = 2'000;
  constexpr std::size_t k_calls_of_a_step = 25;
  Added added;
  Client client(cloud.rig->port());
  const std::string request =
      cloud.rig->request("POST", "/v1/chat/completions", chat("gemini-2.5-flash", false).dump());
  const auto make_some_calls = [&] {
    for (std::size_t i = 0; i < k_calls_of_a_step; ++i) {
      REQUIRE(client.send(request));
      const Reply reply = client.receive();
      INFO(reply.body);
      REQUIRE(reply.status == 200);
      added.ms.push_back(std::stod(reply.header("x-nemo-latency-ms")));
    }
  };
  cloud.google.set({{"hold_tokens", true}});
  added.tokens = cloud.google.token_requests();
  while (added.ms.size() < k_calls || added.tokens < tokens) {
    make_some_calls();
    const int asked_for = cloud.google.token_requests();
    if (asked_for == added.tokens) continue;
    make_some_calls();
    added.tokens = asked_for;
    cloud.google.release();
    cloud.google.set({{"hold_tokens", true}});
  }
  std::sort(added.ms.begin(), added.ms.end());
  return added;
}

}  // namespace

TEST_CASE("2,000 calls across several renewals: none is refused, none waits, and tokens are few") {
  Cloud still;
  REQUIRE(still.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", false).dump()).status == 200);
  const Added without = call_until(still, 1);
  CHECK(without.tokens == 1);
  MESSAGE("one token: ", without.text());

  // Renewed after four seconds, so that four are left. A call that waited for the new one would wait for ever.
  constexpr int k_tokens = 4;
  Cloud moving(Json{{"expires_in", 8}});
  REQUIRE(moving.rig->post("/v1/chat/completions", chat("gemini-2.5-flash", false).dump()).status == 200);
  const Added across = call_until(moving, k_tokens);
  MESSAGE("renewed every four seconds: ", across.text());
  CHECK(across.tokens >= k_tokens);
  CHECK(static_cast<std::size_t>(across.tokens) * 50 < across.ms.size());
  CHECK(refused_calls(moving) == 0);
}

}  // namespace nemo::test::vertex_test
