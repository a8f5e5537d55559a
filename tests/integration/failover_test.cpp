// What happens when an upstream fails: who is asked next, what the client is told, and what the trace says.
#include <doctest/doctest.h>

#include "harness.h"
#include "raw_upstream.h"
#include "shared/money.h"

namespace nemo::test::failover_test {

using namespace nemo::test;

namespace {

std::string upstream_toml(const std::string& name, const std::string& base_url) {
  return "[[upstream]]\nname = \"" + name + "\"\nkind = \"openai\"\nkey = \"env:FAKE_KEY\"\nbase_url = \"" + base_url +
         "\"\n";
}

// Of the one that is told to stall.
const char* const k_impatient = "first_token_timeout = \"1s\"\nidle_timeout = \"1s\"\n";

std::string deployment_toml(const std::string& model, const std::string& upstream, int order) {
  return "[[deployment]]\nmodel = \"" + model + "\"\nupstream = \"" + upstream +
         "\"\norder = " + std::to_string(order) + "\n";
}

Rig::Options two(const std::string& first_url, const std::string& second_url, int num_retries = 1) {
  Rig::Options options;
  options.own_upstream = true;
  // The order decides, not the place in the file.
  options.toml = upstream_toml("second", second_url) + upstream_toml("first", first_url) + k_impatient +
                 deployment_toml("gemini-2.5-flash", "second", 2) + deployment_toml("gemini-2.5-flash", "first", 1) +
                 // Each once, and however often it has failed before.
                 "[routing]\nnum_retries = " + std::to_string(num_retries) +
                 "\nallowed_fails = 100000\ncooldown = \"0s\"\n";
  return options;
}

Json chat(bool stream) {
  return {{"model", "gemini-2.5-flash"},
          {"stream", stream},
          {"messages", Json::array({{{"role", "user"}, {"content", "hello there"}}})}};
}

// Two upstreams; the first does as it is told, the second answers.
struct Pair {
  FakeUpstream first, second;
  Rig rig{two(first.base_url(), second.base_url())};

  Reply ask(bool stream, const Json& first_script) {
    first.script(first_script);
    return rig.post("/v1/chat/completions", chat(stream).dump());
  }
  Json story(const Reply& reply) { return rig.admin("GET", "/calls/" + reply.header("x-nemo-request-id")); }
};

void check_answered_by_second(Pair& pair, const Reply& reply, bool stream) {
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-attempts") == "2");
  CHECK(reply.header("x-nemo-upstream") == "second");
  if (stream) {
    CHECK(stream_events(reply.body).back() == "[DONE]");
    CHECK(!stream_text(reply.body).empty());
    CHECK(reply.body.find("error") == std::string::npos);
  } else {
    CHECK(!reply.json()["choices"][0]["message"]["content"].get<std::string>().empty());
  }
  REQUIRE(eventually([&] { return pair.story(reply).contains("attempts"); }));
  const Json story = pair.story(reply);
  REQUIRE(story["attempts"].size() == 2);
  CHECK(story["attempts"][0]["upstream"] == "first");
  CHECK(story["attempts"][0]["error_code"] != "");
  CHECK(story["attempts"][0]["error"] != "");
  CHECK(story["attempts"][1]["upstream"] == "second");
  CHECK(story["attempts"][1]["error_code"] == "");
  CHECK(story["attempts"][1]["http_status"] == 200);
  CHECK(story["call"]["status"] == "ok");
  CHECK(story["call"]["upstream"] == "second");
  CHECK(story["call"]["attempts"] == 2);
}

}  // namespace

TEST_CASE("trouble before any content goes to the next deployment, and the client does not see it") {
  Pair pair;
  const std::vector<Json> troubles = {{{"status", 500}},        {{"status", 503}},      {{"status", 429}},
                                      {{"status", 408}},        {{"empty_200", true}},  {{"cut_before_head", true}},
                                      {{"gzip_garbage", true}}, {{"delay_ms", 600'000}}};
  for (const Json& trouble : troubles) {
    for (const bool stream : {false, true}) {
      CAPTURE(trouble.dump());
      CAPTURE(stream);
      check_answered_by_second(pair, pair.ask(stream, trouble), stream);
    }
  }
}

TEST_CASE("a stream that fails inside its 200 before any content goes to the next deployment") {
  Pair pair;
  // After 1 chunk: the role has come, and nothing for the user.
  const std::vector<Json> troubles = {{{"error_event_after", 0}},
                                      {{"error_event_after", 1}},
                                      {{"cut_after_chunks", 0}},
                                      {{"cut_after_chunks", 1}},
                                      {{"stall_after_chunks", 0}},
                                      {{"stall_after_chunks", 1}},
                                      {{"malformed", "json"}, {"malformed_after", 0}},
                                      {{"malformed", "json"}, {"malformed_after", 1}},
                                      {{"tokens", 0}, {"no_finish", true}, {"no_done", true}, {"no_usage", true}}};
  for (const Json& trouble : troubles) {
    CAPTURE(trouble.dump());
    check_answered_by_second(pair, pair.ask(true, trouble), true);
  }
}

TEST_CASE("a plain answer that breaks goes to the next deployment") {
  Pair pair;
  for (const Json& trouble : std::vector<Json>{{{"cut_after_chunks", 1}},
                                               {{"malformed", "json"}},
                                               {{"malformed", "garbage"}},
                                               {{"stall_after_chunks", 1}}}) {
    CAPTURE(trouble.dump());
    check_answered_by_second(pair, pair.ask(false, trouble), false);
  }
}

TEST_CASE("only what the answering deployment used is billed") {
  Pair pair;
  const Reply reply = pair.ask(true, {{"cut_after_chunks", 1}});
  check_answered_by_second(pair, reply, true);
  const Json call = pair.story(reply)["call"];
  CHECK(call["usage_source"] == "provider");
  CHECK(call["output_tokens"] == pair.second.journal()[0]["billed"]["output_tokens"]);
}

TEST_CASE("usage stated in an answer that could not be used is not billed") {
  RawUpstream first([](const RawCall& call) {
    constexpr std::string_view k_body =
        R"({"usage":{"prompt_tokens":5000,"completion_tokens":5000,"total_tokens":10000}})";
    call.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
              std::to_string(k_body.size()) + "\r\n\r\n" + std::string(k_body));
  });
  FakeUpstream second;
  Rig rig(two(first.base_url(), second.base_url()));
  second.script({{"no_usage", true}});
  // Through chat, whose answer has to have choices.
  const Reply reply = rig.post("/v1/completions", R"({"model":"gemini-2.5-flash","prompt":"hello"})");
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-attempts") == "2");
  const Json row = rig.rows(1).at(0);
  CHECK(row["usage_source"] == "estimated");
  CHECK(row["input_tokens"].get<int>() < 10);
}

TEST_CASE("an upstream that refuses the connection is passed over") {
  const ClosedPort nobody;
  FakeUpstream second;
  Rig rig(two(nobody.base_url(), second.base_url()));
  for (const bool stream : {false, true}) {
    const Reply reply = rig.post("/v1/chat/completions", chat(stream).dump());
    CHECK(reply.status == 200);
    CHECK(reply.header("x-nemo-attempts") == "2");
  }
}

TEST_CASE("after the first content there is no other attempt") {
  Pair pair;
  const Reply reply = pair.ask(true, {{"cut_after_chunks", 4}});
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-attempts") == "1");
  CHECK(reply.body.find("[DONE]") == std::string::npos);
  CHECK(reply.body.find("\"error\"") != std::string::npos);
  CHECK(pair.second.summary()["started"] == 0);
}

TEST_CASE("a request that is itself at fault is not tried elsewhere") {
  Pair pair;
  for (const int status : {400, 401, 403, 404, 413, 422}) {
    CAPTURE(status);
    const Reply reply = pair.ask(status % 2 == 0, {{"status", status}, {"error_message", "not like this"}});
    CHECK(reply.status == status);
    CHECK(reply.header("x-nemo-attempts") == "1");
    CHECK(reply.header("x-should-retry").empty());
    CHECK(reply.json()["error"]["message"] == "not like this");
  }
  CHECK(pair.second.summary()["started"] == 0);
}

TEST_CASE("upstream's refusal reaches the client in the OpenAI shape, without secrets, whatever its own shape") {
  Rig rig;
  for (const char* shape : {"openai", "detail", "detail_object", "array", "html"}) {
    CAPTURE(shape);
    Json body = chat(false);
    body["fake"] = {{"status", 400}, {"error_shape", shape}, {"error_message", "the key sk-secret1234567890 is odd"}};
    const Reply reply = rig.post("/v1/chat/completions", body.dump());
    CHECK(reply.status == 400);
    CHECK(reply.header("content-type") == "application/json");
    CHECK(reply.body.find("sk-secret1234567890") == std::string::npos);
    const Json error = reply.json()["error"];
    REQUIRE(error.is_object());
    CHECK(error["message"].get<std::string>().find("is odd") != std::string::npos);
    for (const char* field : {"type", "param", "code"}) CHECK(error.contains(field));
  }
  Json body = chat(false);
  body["fake"] = {{"status", 404}, {"error_shape", "empty"}};
  const Reply reply = rig.post("/v1/chat/completions", body.dump());
  CHECK(reply.status == 404);
  CHECK(!reply.json()["error"]["message"].get<std::string>().empty());
  // The ledger keeps no secret either.
  for (const Json& row : rig.rows(6)) {
    CHECK(row["status"] == "error");
    CHECK(rig.admin("GET", "/calls/" + row["id"].get<std::string>()).dump().find("sk-secret") == std::string::npos);
  }
}

TEST_CASE("upstream's code and type are passed on") {
  Rig rig;
  Json body = chat(true);
  body["fake"] = {{"status", 400}, {"error_code", "context_length_exceeded"}, {"error_type", "too_much"}};
  const Json error = rig.post("/v1/chat/completions", body.dump()).json()["error"];
  CHECK(error["code"] == "context_length_exceeded");
  CHECK(error["type"] == "too_much");
}

TEST_CASE("when every deployment fails the client is told not to retry, and when to come back") {
  for (const bool stream : {false, true}) {
    Pair pair;
    pair.second.script({{"status", 429}, {"retry_after", "17"}, {"error_message", "quota of sk-secret1234567890"}});
    Reply reply = pair.ask(stream, {{"status", 500}});
    CHECK(reply.status == 429);
    CHECK(reply.header("retry-after") == "17");
    CHECK(reply.header("x-should-retry") == "false");
    CHECK(reply.header("x-nemo-attempts") == "2");
    CHECK(reply.body.find("sk-secret1234567890") == std::string::npos);

    Pair other;
    other.second.script({{"status", 503}, {"retry_after", "3"}, {"error_message", "down for now"}});
    reply = other.ask(stream, {{"status", 429}});
    CHECK(reply.status == 502);
    CHECK(reply.header("retry-after") == "3");
    CHECK(reply.header("x-should-retry") == "false");
    CHECK(reply.json()["error"]["code"] == "upstream_error");
    CHECK(reply.json()["error"]["message"].get<std::string>().find("down for now") != std::string::npos);
  }
}

TEST_CASE("a single failed attempt leaves retrying to the client") {
  Rig rig;
  Json body = chat(false);
  body["fake"] = {{"status", 429}, {"retry_after", "7"}};
  const Reply reply = rig.post("/v1/chat/completions", body.dump());
  CHECK(reply.status == 429);
  CHECK(reply.header("retry-after") == "7");
  CHECK(reply.header("x-should-retry").empty());
}

TEST_CASE("num_retries bounds the attempts") {
  FakeUpstream first, second;
  Rig rig(two(first.base_url(), second.base_url(), 0));
  first.script({{"status", 500}});
  const Reply reply = rig.post("/v1/chat/completions", chat(false).dump());
  CHECK(reply.status == 502);
  CHECK(reply.header("x-nemo-attempts") == "1");
  CHECK(second.summary()["started"] == 0);
}

TEST_CASE("a lane falls back to its next model, at that model's price") {
  Rig rig(
      {"[lane.completion]\nmodel = \"gemini-2.5-flash\"\nfallbacks = [\"gemini-2.5-flash-lite\"]\n", "", {}, false});
  rig.upstream.script_model("gemini-2.5-flash", {{"status", 503}});
  Json body = chat(false);
  body["model"] = "nemo/completion";
  const Reply reply = rig.post("/v1/chat/completions", body.dump());
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-model") == "gemini-2.5-flash-lite");
  CHECK(reply.header("x-nemo-lane") == "completion");
  const Json row = rig.rows(1).at(0);
  CHECK(row["model"] == "gemini-2.5-flash-lite");
  CHECK(row["cost"] ==
        nemo::to_dollars({row["input_tokens"].get<int>() * 100 + row["output_tokens"].get<int>() * 400}));
  // A model that the caller named is honoured: the lane's fallbacks are not for it.
  body["model"] = "gemini-2.5-flash";
  CHECK(rig.post("/v1/chat/completions", body.dump()).status == 502);
}

TEST_CASE("the caller's own fallbacks are tried in their order") {
  Rig rig;
  rig.upstream.script_model("gemini-2.5-flash", {{"status", 503}});
  rig.upstream.script_model("gemini-2.5-pro", {{"error_event_after", 0}, {"status", 200}});
  Json body = chat(true);
  body["nemo_fallbacks"] = {"gemini-2.5-pro", "gemini-2.5-flash-lite"};
  const Reply reply = rig.post("/v1/chat/completions", body.dump());
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-model") == "gemini-2.5-flash-lite");
  CHECK(reply.header("x-nemo-attempts") == "3");
  const Json journal = rig.upstream.journal();
  REQUIRE(journal.size() == 3);
  CHECK(journal[1]["model"] == "gemini-2.5-pro");
  for (const Json& call : journal) CHECK(call["body"].get<std::string>().find("nemo_fallbacks") == std::string::npos);
}

TEST_CASE("a fallback that does not exist is refused before anything is asked") {
  Rig rig;
  Json body = chat(false);
  body["nemo_fallbacks"] = {"gemini-2.5-prro"};
  const Reply reply = rig.post("/v1/chat/completions", body.dump());
  CHECK(reply.status == 404);
  CHECK(reply.body.find("gemini-2.5-pro") != std::string::npos);
  CHECK(rig.upstream.summary()["started"] == 0);
}

}  // namespace nemo::test::failover_test
