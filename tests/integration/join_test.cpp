// Completions that run at once: equal ones share a call, newer ones end what they make useless, and a keystroke may
// wait for the next.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "harness.h"

namespace nemo::test::join_test {

using namespace nemo::test;

namespace {

const std::string k_path = "/v1/completions";

Rig::Options native(const std::string& lane = "") {
  Rig::Options options;
  options.toml = "[lane.completion]\n" + lane;
  options.upstream_toml = "completions = \"native\"\n";
  return options;
}

Json completion(const std::string& prompt, bool stream = false, const Json& more = Json::object()) {
  Json body = {{"model", "gemini-2.5-flash"}, {"prompt", prompt}, {"stream", stream}, {"suffix", "\n"}};
  body.update(more);
  return body;
}

int started(Rig& rig) {
  return rig.upstream.summary()["started"];
}
bool upstream_has(Rig& rig, int calls) {
  return eventually([&] { return started(rig) == calls; });
}
bool upstream_lost(Rig& rig, int calls) {
  return eventually([&] { return rig.upstream.summary()["cancelled"] == calls; });
}

// Sends now; the answer is received when it is asked for.
struct Call {
  Client client;
  Call(Rig& rig, const Json& body, const std::vector<std::string>& headers = {}) : client(rig.port()) {
    client.send(rig.request("POST", k_path, body.dump(), headers));
  }
  std::string read_until(const std::string& what) {
    std::string seen;
    while (seen.find(what) == std::string::npos) {
      const std::string some = client.receive_some();
      REQUIRE(!some.empty());
      seen += some;
    }
    return seen;
  }
};

std::string streamed_text(const std::string& body) {
  std::string text;
  for (const std::string& data : stream_events(body)) {
    if (data == "[DONE]") continue;
    const Json event = Json::parse(data);
    for (const Json& choice : event["choices"]) text += choice.value("text", "");
  }
  return text;
}

// Other words in the daemon's configuration, for the calls that come from now on.
void change_config(Rig& rig, const std::string& before, const std::string& after) {
  std::ostringstream text;
  text << std::ifstream(rig.config_file()).rdbuf();
  std::string changed = text.str();
  const auto at = changed.find(before);
  REQUIRE(at != std::string::npos);
  rig.write_config(changed.replace(at, before.size(), after));
  const Json answer = rig.admin("POST", "/config/reload");
  INFO(answer.dump());
  REQUIRE(!answer.contains("error"));
}

// Sorted: calls end in any order.
std::vector<std::string> column(const std::vector<Json>& rows, const char* name) {
  std::vector<std::string> values;
  for (const Json& row : rows) values.push_back(row[name]);
  std::sort(values.begin(), values.end());
  return values;
}

// A stream that rests after its second word.
const Json k_resting = {{"content", "one two three four five six"}, {"hold_after_chunks", 2}};

}  // namespace

TEST_CASE("three equal requests at once cost one call, whole or streamed") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig(native());
    rig.upstream.script({{"content", "return 1;"}, {"hold", true}});
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 3; ++i) calls.push_back(std::make_unique<Call>(rig, completion("int f() { ", stream)));
    REQUIRE(upstream_has(rig, 1));
    REQUIRE(rig.waits_with(3));
    rig.upstream.release();
    std::vector<std::string> caches;
    for (const auto& call : calls) {
      const Reply reply = call->client.receive();
      CHECK(reply.status == 200);
      CHECK(reply.whole);
      caches.push_back(reply.header("x-nemo-cache"));
      CHECK((stream ? streamed_text(reply.body) : reply.json()["choices"][0]["text"].get<std::string>()) ==
            "return 1;");
    }
    std::sort(caches.begin(), caches.end());
    CHECK(caches == std::vector<std::string>{"join", "join", "miss"});
    CHECK(started(rig) == 1);
    const auto rows = rig.rows(3);
    CHECK(column(rows, "cache") == std::vector<std::string>{"join", "join", "miss"});
    for (const Json& row : rows) {
      CHECK(row["status"] == "ok");
      CHECK((row["cost"] == "0") == (row["cache"] == "join"));
    }
  }
}

TEST_CASE("requests that ask for chance get a call each, and none ends another") {
  for (const Json& more : {Json{{"temperature", 0.8}}, Json{{"n", 2}}, Json{{"nemo_cache", false}}}) {
    CAPTURE(more.dump());
    Rig rig(native());
    rig.upstream.script({{"content", "return 1;"}, {"hold", true}});
    std::vector<std::unique_ptr<Call>> calls;
    for (int i = 0; i < 3; ++i) calls.push_back(std::make_unique<Call>(rig, completion("int f() { ", false, more)));
    REQUIRE(upstream_has(rig, 3));
    rig.upstream.release();
    for (const auto& call : calls) CHECK(call->client.receive().status == 200);
    CHECK(started(rig) == 3);
    CHECK(column(rig.rows(3), "status") == std::vector<std::string>{"ok", "ok", "ok"});
  }
}

TEST_CASE("typing along with a stream joins it where it is") {
  Rig rig(native());
  rig.upstream.script(k_resting);
  Call first(rig, completion("count: ", true));
  first.read_until("two");
  Call typed(rig, completion("count: one tw", true));
  Call ahead(rig, completion("count: one two three fo"));
  REQUIRE(rig.waits_with(3));
  rig.upstream.release();
  const Reply rest = typed.client.receive();
  CHECK(rest.header("x-nemo-cache") == "join");
  CHECK(streamed_text(rest.body) == "o three four five six");
  CHECK(rest.body.ends_with("data: [DONE]\n\n"));
  CHECK(ahead.client.receive().json()["choices"][0]["text"] == "ur five six");
  first.read_until("[DONE]");
  CHECK(started(rig) == 1);
}

TEST_CASE("who has typed something else than what comes makes a call of its own, and ends the older one") {
  Rig rig(native());
  // It says nothing at first, then a word, and never comes to its end.
  rig.upstream.script({{"content", "alpha beta gamma"}, {"hold_after_chunks", 0}, {"stall_after_chunks", 1}});
  Call first(rig, completion("value: ", true));
  REQUIRE(upstream_has(rig, 1));
  rig.upstream.script({{"content", "alpha beta gamma"}});
  Call other(rig, completion("value: omega"));
  REQUIRE(rig.waits_with(2));
  CHECK(started(rig) == 1);
  rig.upstream.release();
  CHECK(other.client.receive().json()["choices"][0]["text"] == "alpha beta gamma");
  CHECK(started(rig) == 2);
  CHECK(upstream_lost(rig, 1));
  const std::string seen = first.read_until("[DONE]");
  CHECK(seen.find("\"finish_reason\":\"stop\"") != std::string::npos);
  const auto rows = rig.rows(2);
  CHECK(column(rows, "status") == std::vector<std::string>{"cancelled", "ok"});
  CHECK(column(rows, "error_code") == std::vector<std::string>{"", "superseded"});
  for (const Json& row : rows) CHECK(row["cache"] == "miss");
}

TEST_CASE("a newer keystroke that disagrees ends the older call, though its client stays") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig(native());
    rig.upstream.script({{"content", "alpha beta"}, {"delay_ms", 600'000}});
    Call older(rig, completion("value: xy", stream));
    REQUIRE(upstream_has(rig, 1));
    rig.upstream.script({{"content", "beta"}, {"delay_ms", 0}});
    Call newer(rig, completion("value: x"));  // a letter was taken back
    CHECK(newer.client.receive().json()["choices"][0]["text"] == "beta");
    const Reply ended = older.client.receive();
    CHECK(ended.status == 200);
    CHECK(ended.whole);
    CHECK(ended.header("x-nemo-superseded") == "true");
    CHECK((stream ? streamed_text(ended.body) : ended.json()["choices"][0]["text"].get<std::string>()).empty());
    CHECK(upstream_lost(rig, 1));
    const auto rows = rig.rows(2);
    for (const Json& row : rows) {
      if (row["error_code"] != "superseded") continue;
      CHECK(row["status"] == "cancelled");
      CHECK(row["input_tokens"].get<int>() > 0);  // it had been sent
    }
    CHECK(column(rows, "status") == std::vector<std::string>{"cancelled", "ok"});
  }
}

TEST_CASE("other clients, keys and files are left to run") {
  Rig rig(native());
  rig.upstream.script({{"content", "alpha"}, {"hold", true}});
  const std::string key = rig.admin("POST", "/keys", {{"seat", "tester"}}).value("key", "");
  std::vector<std::unique_ptr<Call>> calls;
  calls.push_back(std::make_unique<Call>(rig, completion("// one.js\nvalue: xy")));
  REQUIRE(upstream_has(rig, 1));
  calls.push_back(std::make_unique<Call>(rig, completion("// other.js\nthing: xz")));
  calls.push_back(std::make_unique<Call>(rig, completion("// one.js\nvalue: x1"),
                                         std::vector<std::string>{"User-Agent: another/1"}));
  calls.push_back(std::make_unique<Call>(rig, completion("// one.js\nvalue: x2"),
                                         std::vector<std::string>{"Authorization: Bearer " + key}));
  REQUIRE(upstream_has(rig, 4));
  REQUIRE(rig.waits_with(4));
  rig.upstream.release();
  for (const auto& call : calls) CHECK(call->client.receive().json()["choices"][0]["text"] == "alpha");
  CHECK(rig.upstream.summary()["cancelled"] == 0);
}

TEST_CASE("a stream whose own client has left goes on for those who read along, and ends with the last of them") {
  for (const bool follower_stays : {true, false}) {
    CAPTURE(follower_stays);
    Rig rig(native());
    rig.upstream.script(k_resting);
    auto first = std::make_unique<Call>(rig, completion("count: ", true));
    first->read_until("one");
    Call second(rig, completion("count: ", true));
    second.read_until("one");
    first.reset();
    REQUIRE(rig.waits_with(2));
    if (follower_stays) {
      rig.upstream.release();
      second.read_until("[DONE]");
      CHECK(rig.upstream.summary()["cancelled"] == 0);
    } else {
      second.client.close();
      CHECK(upstream_lost(rig, 1));
    }
    const auto rows = rig.rows(2);
    REQUIRE(rows.size() == 2);
    for (const Json& row : rows) {
      const bool leads = row["cache"] == "miss";
      CHECK((row["cost"] != "0") == leads);
      CHECK(row["status"] == (leads || !follower_stays ? "cancelled" : "ok"));
      CHECK(row["usage_source"] == (!leads ? "none" : follower_stays ? "provider" : "partial"));
    }
    CHECK(started(rig) == 1);
  }
}

TEST_CASE("a whole answer whose own client has left is there for those who wait for it") {
  Rig rig(native());
  rig.upstream.script({{"content", "one two three"}, {"hold", true}});
  auto first = std::make_unique<Call>(rig, completion("count: "));
  REQUIRE(upstream_has(rig, 1));
  Call second(rig, completion("count: "));
  Call third(rig, completion("count: one", true));
  REQUIRE(rig.waits_with(3));
  first.reset();
  REQUIRE(rig.waits_with(3));
  rig.upstream.release();
  CHECK(second.client.receive().json()["choices"][0]["text"] == "one two three");
  CHECK(streamed_text(third.client.receive().body) == " two three");
  CHECK(started(rig) == 1);
}

TEST_CASE("an upstream that fails its leader fails nobody who could still ask himself") {
  Rig rig(native());
  rig.upstream.script({{"hold", true}, {"status", 400}});
  Call first(rig, completion("count: "));
  REQUIRE(upstream_has(rig, 1));
  Call second(rig, completion("count: "));
  REQUIRE(rig.waits_with(2));
  CHECK(started(rig) == 1);
  rig.upstream.release();
  CHECK(first.client.receive().status == 400);
  CHECK(second.client.receive().status == 400);
  CHECK(started(rig) == 2);
}

TEST_CASE("a keystroke that waits gives way to the next one without a call") {
  const std::string long_settle = "settle = \"10s\"\n";
  Rig rig(native(long_settle));
  rig.upstream.script({{"content", "alpha"}});
  Call older(rig, completion("value: x", true));
  Call same(rig, completion("value: x"));
  REQUIRE(rig.waits_with(2));
  // The newer one's own wait is to be over soon.
  change_config(rig, long_settle, "settle = \"1ms\"\n");
  Call newer(rig, completion("value: xy"));
  const Reply ended = older.client.receive();
  CHECK(ended.header("x-nemo-superseded") == "true");
  CHECK(streamed_text(ended.body).empty());
  CHECK(same.client.receive().json()["choices"][0]["text"] == "");
  CHECK(newer.client.receive().json()["choices"][0]["text"] == "alpha");
  CHECK(started(rig) == 1);
  const auto rows = rig.rows(3);
  CHECK(column(rows, "status") == std::vector<std::string>{"cancelled", "cancelled", "ok"});
  for (const Json& row : rows) CHECK((row["cost"] == "0") == (row["status"] == "cancelled"));
  // What is known already need not wait.
  CHECK(rig.post(k_path, completion("value: xyal").dump()).header("x-nemo-cache") == "type-through");
}

}  // namespace nemo::test::join_test
