// on_budget = "fallback:MODEL": a call that the budget refuses goes on with another model instead.
#include <doctest/doctest.h>

#include "entitled.h"
#include "error_shape.h"

namespace nemo::test::budget_fallback_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";
const std::string k_local =
    "[[deployment]]\nmodel = \"gemini-2.5-flash\"\nupstream = \"fake\"\n"
    "[[deployment]]\nmodel = \"gemini-2.5-pro\"\nupstream = \"fake\"\n"
    "[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"fake\"\n"
    "[model.\"my-local\"]\nprice = { input = \"0\", cached_input = \"0\", output = \"0\" }\n"
    "[[deployment]]\nmodel = \"my-local\"\nupstream = \"fake\"\n"
    "[model.\"other-local\"]\nprice = { input = \"0\", cached_input = \"0\", output = \"0\" }\n"
    "[[deployment]]\nmodel = \"other-local\"\nupstream = \"fake\"\n";

Rig::Options with(const std::string& toml) {
  return {k_local + toml + k_round_price, "", {}, false};
}

Reply ask(Rig& rig, const KeyInHand& key, const Json& more) {
  return rig.post(k_chat, chat_body(more, {{"tokens", 20}}).dump(), {key.header});
}

}  // namespace

TEST_CASE("a key's fallback answers what its budget refuses, free, and the row says so") {
  Rig rig(with(""));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(20)}}, {"on_budget", "fallback:my-local"}});
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    // While there is money it is spent.
    if (!stream) CHECK(ask(rig, key, {{"max_tokens", 20}}).header("x-nemo-model") == "gemini-2.5-flash");
    const Reply reply = ask(rig, key, {{"max_tokens", 20}, {"stream", stream}});
    CHECK(reply.status == 200);
    CHECK(reply.header("x-nemo-model") == "my-local");
    CHECK(reply.header("x-nemo-budget-remaining") == "0");
    if (stream) CHECK(contains(reply.body, "data: [DONE]"));
    CHECK(last_sent(rig)["model"] == "my-local");
    CHECK(last_sent(rig)["max_tokens"] == 20);
  }
  const auto rows = rig.rows(3);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0]["budget_fallback"] == "");
  for (std::size_t i = 1; i < rows.size(); ++i) {
    CHECK(rows[i]["status"] == "ok");
    CHECK(rows[i]["model"] == "my-local");
    CHECK(rows[i]["budget_fallback"] == "gemini-2.5-flash");
    CHECK(rows[i]["cost"] == "0");
    const Json story = rig.admin("GET", "/calls/" + rows[i]["id"].get<std::string>());
    CHECK(contains(story.dump(), "on_budget"));
  }
  CHECK(budget_of(rig, "key", key.id, "total")["spent"] == dollars(20 * k_token));
  CHECK(rig.upstream.summary()["started"] == 3);

  change(rig, "PATCH", "/keys/" + key.id, {{"on_budget", "refuse"}});
  expect_error(ask(rig, key, {{"max_tokens", 20}}), 402, "budget_exceeded");
}

TEST_CASE("a lane's fallback answers for keys that have none of their own") {
  Rig rig(with("[lane.reasoning]\nmodel = \"gemini-2.5-flash\"\non_budget = \"fallback:my-local\"\n"));
  const KeyInHand plain = make_key(rig, {{"budgets", {"0/total"}}});
  const KeyInHand own = make_key(rig, {{"budgets", {"0/total"}}, {"on_budget", "fallback:other-local"}});
  const Json routed{{"model", "nemo/reasoning"}};
  const Reply reply = ask(rig, plain, routed);
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-model") == "my-local");
  CHECK(reply.header("x-nemo-lane") == "reasoning");
  CHECK(ask(rig, own, routed).header("x-nemo-model") == "other-local");
  // A model that was named is asked within a lane too: that of its surface.
  CHECK(ask(rig, plain, {{"model", "gemini-2.5-flash"}}).header("x-nemo-model") == "my-local");
}

TEST_CASE("a fallback that costs money too, that is not served, or that the key may not use leaves the refusal") {
  Rig rig(with(""));
  const std::vector<Json> keys{
      {{"on_budget", "fallback:codestral-2"}},
      {{"on_budget", "fallback:gemini-2.5-flash"}},
      {{"on_budget", "fallback:nobody-has-it"}},
      {{"on_budget", "fallback:my-local"}, {"models", {"gemini-2.5-flash"}}},
  };
  for (Json request : keys) {
    CAPTURE(request.dump());
    request["budgets"] = {"0/total"};
    const KeyInHand key = make_key(rig, request);
    const std::string message = expect_error(ask(rig, key, {{"max_tokens", 10}}), 402, "budget_exceeded");
    CHECK(message.starts_with("Budget has been exceeded!"));
  }
  CHECK(rig.upstream.summary()["started"] == 0);
  for (const Json& row : rig.rows(4)) CHECK(row["status"] == "refused");
}

TEST_CASE("a model that the budget still pays for is fallen back to, and paid for") {
  Rig rig(with("[model.\"gemini-2.5-pro\"]\nprice = { input = \"0\", output = \"100\" }\n"));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(90)}}, {"on_budget", "fallback:gemini-2.5-flash"}});
  const Reply reply = ask(rig, key, {{"model", "gemini-2.5-pro"}, {"max_tokens", 30}});
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-model") == "gemini-2.5-flash");
  CHECK(reply.header("x-nemo-request-cost") == dollars(20 * k_token));
  const Json row = rig.rows(1)[0];
  CHECK(row["budget_fallback"] == "gemini-2.5-pro");
  CHECK(row["reserved"] == dollars(30 * k_token));
  CHECK(budget_of(rig, "key", key.id, "total")["spent"] == dollars(20 * k_token));
  CHECK(budget_of(rig, "key", key.id, "total")["reserved"] == "0");
}

TEST_CASE("a lane's fallback is a model that is known") {
  Rig rig(with(""));
  rig.write_config(
      "listen = \"127.0.0.1:0\"\n[lane.reasoning]\nmodel = \"gemini-2.5-flash\"\n"
      "on_budget = \"fallback:nobody-has-it\"\n");
  const Json answer = rig.admin("POST", "/config/reload");
  CHECK(answer["error"]["code"] == "invalid_config");
  CHECK(contains(answer["error"]["message"].get<std::string>(), "nobody-has-it"));
}

}  // namespace nemo::test::budget_fallback_test
