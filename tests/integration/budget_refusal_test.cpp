// What a call without money gets, what a call with little money gets, and what upstream sees of both.
#include <doctest/doctest.h>

#include "entitled.h"
#include "error_shape.h"

namespace nemo::test::budget_refusal_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";
const std::string k_completions = "/v1/completions";

Rig::Options with(const std::string& toml) {
  return {toml, "", {}, false};
}

Reply chat(Rig& rig, const KeyInHand& key, const Json& more = Json::object(), const Json& script = Json::object()) {
  return rig.post(k_chat, chat_body(more, script).dump(), {key.header});
}

Reply complete(Rig& rig, const KeyInHand& key, const Json& body) {
  return rig.post(k_completions, body.dump(), {key.header});
}

// The whole of what a refusal must be; its message.
std::string expect_refusal(const Reply& reply) {
  const std::string message = expect_error(reply, 402, "budget_exceeded");
  CHECK(reply.json()["error"]["type"] == "budget_exceeded");
  CHECK(message.starts_with("Budget has been exceeded!"));
  CHECK(!reply.header("x-nemo-request-id").empty());
  CHECK(!reply.header("x-nemo-budget-remaining").empty());
  CHECK(reply.header("retry-after").empty());
  return message;
}

// Of so many rows, the newest that was answered. Rows come in the order in which calls ended, which is not quite that
// in which their clients read them.
Json answered_row(Rig& rig, std::size_t count) {
  const auto rows = rig.rows(count);
  Json newest;
  for (const Json& row : rows) {
    if (row["status"] == "ok" && (newest.is_null() || row["at"] >= newest["at"])) newest = row;
  }
  REQUIRE(newest.is_object());
  return newest;
}

std::int64_t sent_upstream(Rig& rig) {
  return rig.upstream.summary()["started"].get<std::int64_t>();
}

}  // namespace

TEST_CASE("a call that a key, a seat or a team cannot pay for is a 402 that names the scope, and nothing is sent") {
  const std::vector<std::array<const char*, 3>> cases{
      {"key", "month", "resets at"}, {"seat", "week", "resets at"}, {"team", "total", "never"}};
  for (const auto& one : cases) {
    const char* const scope = one[0];
    const char* const window = one[1];
    const char* const reset = one[2];
    CAPTURE(scope);
    Rig rig(with(k_round_price));
    change(rig, "POST", "/teams", {{"name", "crew"}});
    const KeyInHand key = make_key(rig, {{"team", "crew"}});
    const std::string name = scope == std::string("key") ? key.id : scope == std::string("seat") ? "alex" : "crew";
    change(rig, "PATCH", "/" + std::string(scope) + "s/" + name, {{"budgets", {budget_for(99, window)}}});
    for (const bool stream : {false, true}) {
      const Reply reply = chat(rig, key, {{"max_tokens", 100}, {"stream", stream}});
      const std::string message = expect_refusal(reply);
      CHECK(contains(message, scope));
      CHECK(contains(message, name));
      CHECK(contains(message, reset));
      CHECK(reply.header("x-nemo-budget-remaining") == dollars(99 * k_token));
    }
    CHECK(sent_upstream(rig) == 0);
    const auto rows = rig.rows(2);
    REQUIRE(rows.size() == 2);
    for (const Json& row : rows) {
      CHECK(row["status"] == "refused");
      CHECK(row["http_status"] == 402);
      CHECK(row["error_code"] == "budget_exceeded");
      CHECK(row["cost"] == "0");
      CHECK(row["seat"] == "alex");
      CHECK(row["model"] == "gemini-2.5-flash");
    }
    const Json standing = budget_of(rig, scope, name, window);
    CHECK(standing["spent"] == "0");
    CHECK(standing["reserved"] == "0");
    CHECK(chat(rig, key, {{"max_tokens", 99}}).status == 200);
  }
}

TEST_CASE("a refusal by the team's budget tells nothing of another seat") {
  Rig rig(with(k_round_price));
  change(rig, "POST", "/teams", {{"name", "crew"}, {"budgets", {budget_for(1'000)}}});
  const KeyInHand mine = make_key(rig, {{"seat", "alex"}, {"team", "crew"}});
  const KeyInHand theirs = make_key(rig, {{"seat", "kim"}, {"team", "crew"}});
  REQUIRE(chat(rig, theirs, {{"max_tokens", 987}}, {{"tokens", 987}}).status == 200);
  const std::string message = expect_refusal(chat(rig, mine, {{"max_tokens", 100}}));
  CHECK(contains(message, "team crew"));
  CHECK(!contains(message, "kim"));
  CHECK(!contains(message, theirs.id));
  CHECK(!contains(message, dollars(987 * k_token)));
  CHECK(!contains(message, dollars(13 * k_token)));
}

TEST_CASE("every surface is refused in its own shape and none reaches upstream") {
  Rig rig;
  const KeyInHand key = make_key(rig, {{"budgets", {"0/day"}}});
  expect_refusal(chat(rig, key));
  expect_refusal(complete(rig, key, {{"model", "codestral-2"}, {"prompt", "a"}}));
  expect_refusal(complete(rig, key, {{"model", "gemini-2.5-flash"}, {"prompt", "a"}, {"stream", true}}));
  expect_refusal(rig.post("/v1/embeddings", R"({"model":"text-embedding-005","input":"some words"})", {key.header}));
  CHECK(sent_upstream(rig) == 0);
  CHECK(rig.get("/v1/models", {key.header}).status == 200);
}

TEST_CASE("an empty budget does not stand in the way of a model that costs nothing") {
  Rig rig(
      with("[model.\"my-local\"]\nprice = { input = \"0\", cached_input = \"0\", output = \"0\" }\n"
           "[[deployment]]\nmodel = \"my-local\"\nupstream = \"fake\"\n"
           "[[deployment]]\nmodel = \"gemini-2.5-flash\"\nupstream = \"fake\"\n"));
  const KeyInHand key = make_key(rig, {{"budgets", {"0/total", "1/day"}}});
  for (const bool stream : {false, true}) {
    const Reply reply = chat(rig, key, {{"model", "my-local"}, {"stream", stream}});
    CHECK(reply.status == 200);
    CHECK(reply.header("x-nemo-budget-remaining") == "0");
  }
  expect_refusal(chat(rig, key));
  CHECK(sent_upstream(rig) == 2);
  for (const Json& row : rig.rows(3)) CHECK(row["cost"] == "0");
}

TEST_CASE("x-nemo-budget-remaining is what the tightest budget has left, after what this call cost") {
  Rig rig(with(k_round_price));
  change(rig, "POST", "/teams", {{"name", "crew"}, {"budgets", {budget_for(2'000, "month")}}});
  const KeyInHand key = make_key(rig, {{"team", "crew"}, {"budgets", {budget_for(1'000), budget_for(900, "week")}}});
  const KeyInHand free = make_key(rig, {{"seat", "kim"}});
  CHECK(chat(rig, key, {{"max_tokens", 50}}, {{"tokens", 30}}).header("x-nemo-budget-remaining") ==
        dollars(870 * k_token));
  // A stream's head goes out before it is known what the answer costs: what may be spent counts as spent.
  const Reply stream = chat(rig, key, {{"max_tokens", 300}, {"stream", true}}, {{"tokens", 20}});
  CHECK(stream.header("x-nemo-budget-remaining") == dollars(570 * k_token));
  change(rig, "PATCH", "/teams/crew", {{"budgets", {budget_for(100, "month")}}});
  CHECK(chat(rig, key, {{"max_tokens", 10}}, {{"tokens", 5}}).header("x-nemo-budget-remaining") ==
        dollars(45 * k_token));
  const Reply unlimited = chat(rig, free);
  CHECK(unlimited.status == 200);
  CHECK(unlimited.header("x-nemo-budget-remaining").empty());
}

TEST_CASE("a chat is cut down to what is left, in the field that its client used") {
  const std::vector<std::pair<Json, const char*>> cases{{Json::object(), "max_tokens"},
                                                        {{{"max_tokens", 1'000}}, "max_tokens"},
                                                        {{{"max_completion_tokens", 1'000}}, "max_completion_tokens"}};
  for (const auto& one : cases) {
    const auto& asked = one.first;
    const auto& field = one.second;
    for (const bool stream : {false, true}) {
      CAPTURE(asked.dump());
      CAPTURE(stream);
      Rig rig(with(k_round_price));
      const KeyInHand key = make_key(rig, {{"budgets", {budget_for(300)}}});
      Json more = asked;
      more.update({{"stream", stream}, {"stream_options", {{"include_usage", true}}}});
      const Reply reply = chat(rig, key, more, {{"content", words_of_four_bytes(2'000)}});
      CHECK(reply.status == 200);
      CHECK(reply.whole);
      CHECK(contains(reply.body, R"("finish_reason":"length")"));
      if (stream) CHECK(stream_events(reply.body).back() == "[DONE]");
      const Json sent = last_sent(rig);
      CHECK(sent[field] == 300);
      CHECK(sent.contains("max_tokens") + sent.contains("max_completion_tokens") == 1);
      CHECK(sent["messages"] == chat_body()["messages"]);
      const Json row = rig.rows(1)[0];
      CHECK(row["status"] == "ok");
      CHECK(row["output_tokens"] == 300);
      CHECK(row["cost"] == dollars(300 * k_token));
      CHECK(row["reserved"] == row["cost"]);
      CHECK(budget_of(rig, "key", key.id, "total")["capped"] == true);
      expect_refusal(chat(rig, key, more));
    }
  }
}

TEST_CASE("a completion is cut down too, asked natively or through chat") {
  for (const char* model : {"codestral-2", "gemini-2.5-flash"}) {
    for (const char* field : {"max_tokens", "max_completion_tokens"}) {
      CAPTURE(model);
      CAPTURE(field);
      Rig rig(with(k_round_price));
      const KeyInHand key = make_key(rig, {{"budgets", {budget_for(20)}}});
      const Reply reply = complete(rig, key,
                                   {{"model", model},
                                    {"prompt", "def add(a, b):"},
                                    {"suffix", "\n"},
                                    {field, 100},
                                    {"fake", {{"tokens", 100}}}});
      CHECK(reply.status == 200);
      const Json sent = last_sent(rig);
      const bool native = sent.contains("prompt");
      CHECK(native == (model == std::string("codestral-2")));
      CHECK(sent[native ? field : "max_tokens"] == 20);
      CHECK(sent.contains("max_tokens") + sent.contains("max_completion_tokens") == 1);
      CHECK(rig.rows(1)[0]["reserved"] == dollars(20 * k_token));
    }
  }
}

TEST_CASE(
    "an answer is not begun that would be cut below 256 tokens, or 16 of a completion, unless no more were asked") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(255)}}});
  expect_refusal(chat(rig, key));
  expect_refusal(chat(rig, key, {{"max_tokens", 257}}));
  expect_refusal(chat(rig, key, {{"max_tokens", 256}}));
  CHECK(chat(rig, key, {{"max_tokens", 255}}, {{"tokens", 1}}).status == 200);
  const auto set = [&](std::int64_t tokens) {
    change(rig, "PATCH", "/keys/" + key.id, {{"budgets", {budget_for(tokens)}}});
  };
  set(1 + 256);
  CHECK(chat(rig, key, {{"max_tokens", 257}}, {{"tokens", 1}}).status == 200);
  CHECK(last_sent(rig)["max_tokens"] == 256);
  set(2 + 15);
  expect_refusal(complete(rig, key, {{"model", "codestral-2"}, {"prompt", "a"}, {"max_tokens", 17}}));
  set(2 + 16);
  CHECK(complete(rig, key, {{"model", "codestral-2"}, {"prompt", "a"}, {"max_tokens", 17}, {"fake", {{"tokens", 1}}}})
            .status == 200);
  CHECK(last_sent(rig)["max_tokens"] == 16);
}

TEST_CASE("the least answer that is begun is a setting") {
  Rig rig(with(std::string("[budgets]\nleast_chat_tokens = 10\nleast_completion_tokens = 5\n") + k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(10)}}});
  CHECK(chat(rig, key, Json::object(), {{"tokens", 1}}).status == 200);
  CHECK(last_sent(rig)["max_tokens"] == 10);
  expect_refusal(chat(rig, key));
  change(rig, "PATCH", "/keys/" + key.id, {{"budgets", {budget_for(1 + 4)}}});
  expect_refusal(complete(rig, key, {{"model", "codestral-2"}, {"prompt", "a"}}));
}

TEST_CASE("a request whose budget suffices goes upstream as it came") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(10'000)}}});
  const std::string body =
      R"({ "messages": [{"role":"user","content":"as it is"}], "max_tokens" : 77,"model":"gemini-2.5-flash" })";
  CHECK(rig.post(k_chat, body, {key.header}).status == 200);
  CHECK(rig.upstream.journal()[0]["body"] == body);
}

TEST_CASE("several answers are paid for, each of them: n, and a list of prompts") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(200)}}});
  expect_refusal(chat(rig, key, {{"n", 4}, {"max_tokens", 51}}));
  CHECK(chat(rig, key, {{"n", 4}, {"max_tokens", 50}}, {{"tokens", 0}}).status == 200);
  CHECK(answered_row(rig, 2)["reserved"] == dollars(200 * k_token));
  const Json several{
      {"model", "codestral-2"}, {"prompt", {"one", "two", "three"}}, {"max_tokens", 100}, {"fake", {{"tokens", 100}}}};
  CHECK(complete(rig, key, several).status == 200);
  CHECK(last_sent(rig)["max_tokens"] == 66);
  const Json row = answered_row(rig, 3);
  CHECK(row["output_tokens"] == 3 * 66);
  CHECK(nanos(row["cost"]) <= 200 * k_token);
}

TEST_CASE("embeddings set aside what they read and nothing else") {
  Rig rig(with("[model.\"text-embedding-005\"]\nprice = { input = \"10\", output = \"0\" }\n"));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(1'000)}}});
  const auto embed = [&](std::size_t bytes) {
    return rig.post("/v1/embeddings", Json{{"model", "text-embedding-005"}, {"input", std::string(bytes, 'e')}}.dump(),
                    {key.header});
  };
  expect_refusal(embed(4'000));
  CHECK(sent_upstream(rig) == 0);
  CHECK(embed(400).status == 200);
  const Json row = answered_row(rig, 2);
  CHECK(row["cost"] == dollars(100 * k_token));
  CHECK(row["estimated_tokens"].get<int>() >= 200);
  CHECK(row["reserved"] == dollars(row["estimated_tokens"].get<std::int64_t>() * k_token));
  CHECK(budget_of(rig, "key", key.id, "total")["spent"] == dollars(100 * k_token));
}

}  // namespace nemo::test::budget_refusal_test
