// Calls that end in other ways than planned: stopped at the ceiling, left by their clients, broken by upstream. Each is
// paid for once.
#include <doctest/doctest.h>

#include "entitled.h"
#include "error_shape.h"

namespace nemo::test::budget_stream_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";

Rig::Options with(const std::string& toml) {
  return {toml, "", {}, false};
}

std::string read_until(Client& client, std::string_view what, int times = 1) {
  std::string seen;
  for (std::size_t from = 0; times > 0; --times) {
    for (auto at = seen.find(what, from); at == std::string::npos; at = seen.find(what, from)) {
      const std::string some = client.receive_some();
      INFO(seen);
      REQUIRE(!some.empty());
      seen += some;
    }
    from = seen.find(what, from) + what.size();
  }
  return seen;
}

// Without an end, and so that little is on its way when it is stopped.
Json endless() {
  return {{"content", words_of_four_bytes(3'000)}, {"ignore_max_tokens", true}, {"stall_after_chunks", 400}};
}

Json standing(Rig& rig, const KeyInHand& key) {
  return budget_of(rig, "key", key.id, "total");
}

}  // namespace

TEST_CASE("a stream whose upstream keeps to no limit is stopped at the ceiling, told so, and upstream is let go") {
  for (const bool through_chat : {false, true}) {
    CAPTURE(through_chat);
    Rig rig(with(k_round_price));
    const KeyInHand key = make_key(rig, {{"budgets", {budget_for(300)}}});
    Json body = chat_body({{"max_tokens", 280}, {"stream", true}}, endless());
    if (through_chat) {
      body["prompt"] = "hello there";
      body.erase("messages");
    }
    const std::string path = through_chat ? "/v1/completions" : k_chat;
    // The fake's own fields do not go through the translation.
    if (through_chat) rig.upstream.script(endless());
    const Reply reply = rig.post(path, body.dump(), {key.header});
    CHECK(reply.status == 200);
    CHECK(reply.whole);
    const auto events = stream_events(reply.body);
    REQUIRE(!events.empty());
    const Json error = Json::parse(events.back(), nullptr, false)["error"];
    CHECK(error["code"] == "budget_exceeded");
    CHECK(error["type"] == "budget_exceeded");
    CHECK(error["message"].get<std::string>().starts_with("Budget has been exceeded!"));
    CHECK(!contains(reply.body, "[DONE]"));
    CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));

    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["status"] == "error");
    CHECK(rows[0]["error_code"] == "budget_exceeded");
    CHECK(rows[0]["usage_source"] == "partial");
    const std::int64_t streamed = static_cast<std::int64_t>(stream_text(reply.body).size() + 3) / 4;
    CHECK(rows[0]["output_tokens"] == streamed);
    CHECK(rows[0]["cost"] == dollars(streamed * k_token));
    // The client has all that was paid for, and what came beyond is what was on its way.
    CHECK(streamed >= 280);
    CHECK(streamed <= 400);
    CHECK(standing(rig, key)["spent"] == rows[0]["cost"]);
    CHECK(standing(rig, key)["reserved"] == "0");
    // Before anything else is let in, that is made up for.
    CHECK(rig.post(k_chat, chat_body({{"max_tokens", 21}}).dump(), {key.header}).status == 402);
  }
}

TEST_CASE("a stream that outgrows what was set aside goes on while the budget has more") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(10'000)}}});
  const Json script{{"content", words_of_four_bytes(1'500)}, {"ignore_max_tokens", true}};
  const Reply reply = rig.post(k_chat, chat_body({{"max_tokens", 20}, {"stream", true}}, script).dump(), {key.header});
  CHECK(stream_events(reply.body).back() == "[DONE]");
  const Json row = rig.rows(1)[0];
  CHECK(row["status"] == "ok");
  CHECK(row["cost"] == dollars(1'500 * k_token));
  CHECK(nanos(row["reserved"]) >= 1'500 * k_token);
  CHECK(standing(rig, key)["spent"] == row["cost"]);
}

TEST_CASE("an answer that cost more than was set aside is counted, shown, and made up for") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(100)}}});
  const Json script{{"tokens", 150}, {"ignore_max_tokens", true}};
  const Reply reply = rig.post(k_chat, chat_body({{"max_tokens", 60}}, script).dump(), {key.header});
  CHECK(reply.status == 200);
  CHECK(reply.header("x-nemo-request-cost") == dollars(150 * k_token));
  CHECK(reply.header("x-nemo-budget-remaining") == "0");
  CHECK(standing(rig, key)["spent"] == dollars(150 * k_token));
  CHECK(rig.post(k_chat, chat_body({{"max_tokens", 1}}).dump(), {key.header}).status == 402);
  change(rig, "PATCH", "/keys/" + key.id, {{"budgets", {budget_for(155)}}});
  CHECK(rig.post(k_chat, chat_body({{"max_tokens", 6}}).dump(), {key.header}).status == 402);
  CHECK(rig.post(k_chat, chat_body({{"max_tokens", 5}}).dump(), {key.header}).status == 200);
  rig.rows(4);
  const Json accuracy = rig.admin("GET", "/accuracy");
  REQUIRE(accuracy.size() == 1);
  CHECK(accuracy[0]["model"] == "gemini-2.5-flash");
  CHECK(accuracy[0]["overruns"] == 1);
  CHECK(accuracy[0]["overrun_cost"] == dollars(90 * k_token));
}

TEST_CASE("a stream that its client left is paid for once: what it read and what was streamed") {
  Rig rig(with("[model.\"gemini-2.5-flash\"]\nprice = { input = \"10\", output = \"10\" }\n"));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(10'000)}}});
  Client client(rig.port());
  const Json script{{"content", words_of_four_bytes(50)}, {"stall_after_chunks", 21}};
  client.send(
      rig.request("POST", k_chat, chat_body({{"max_tokens", 60}, {"stream", true}}, script).dump(), {key.header}));
  read_until(client, "\"content\":", 21);
  CHECK(nanos(standing(rig, key)["reserved"]) >= 60 * k_token);
  CHECK(standing(rig, key)["spent"] == "0");
  client.close();
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["status"] == "cancelled");
  CHECK(rows[0]["output_tokens"] == 20);
  const std::int64_t input = rows[0]["input_tokens"];
  CHECK(input > 0);
  CHECK(rows[0]["cost"] == dollars((20 + input) * k_token));
  CHECK(standing(rig, key)["spent"] == rows[0]["cost"]);
  CHECK(standing(rig, key)["reserved"] == "0");
  const Json billed = rig.upstream.journal()[0]["billed"];
  CHECK(rows[0]["output_tokens"] >= billed["output_tokens"]);
  CHECK(rows[0]["input_tokens"] >= billed["input_tokens"]);
}

TEST_CASE("a call that is drained after its client left is paid for as upstream states it") {
  Rig rig(with(std::string(k_round_price) + "[[deployment]]\nmodel = \"gemini-2.5-flash\"\nupstream = \"fake\"\n" +
               "on_disconnect = \"drain\"\n"));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(10'000)}}});
  Client client(rig.port());
  const Json script{{"tokens", 40}, {"hold_after_chunks", 5}};
  client.send(
      rig.request("POST", k_chat, chat_body({{"max_tokens", 60}, {"stream", true}}, script).dump(), {key.header}));
  read_until(client, "\"content\":", 3);
  client.close();
  REQUIRE(rig.waits_with(1));
  rig.upstream.release();
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["cost"] == dollars(40 * k_token));
  CHECK(standing(rig, key)["spent"] == rows[0]["cost"]);
  CHECK(standing(rig, key)["reserved"] == "0");
}

TEST_CASE("a call that upstream refuses, breaks or cuts gives back what it did not use") {
  Rig rig(with(std::string(k_round_price) + "[routing]\nnum_retries = 0\nallowed_fails = 100\n"));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(1'000)}}});
  const std::vector<Json> scripts{{{"status", 400}},           {{"status", 500}},     {{"status", 429}},
                                  {{"cut_before_head", true}}, {{"empty_200", true}}, {{"error_event_after", 1}},
                                  {{"cut_after_chunks", 1}}};
  std::size_t calls = 0;
  for (const bool stream : {false, true}) {
    for (const Json& script : scripts) {
      CAPTURE(script.dump());
      if (!stream && script.contains("error_event_after")) continue;  // there are no events
      rig.post(k_chat, chat_body({{"max_tokens", 900}, {"stream", stream}}, script).dump(), {key.header});
      CHECK(rig.rows(++calls).back()["cost"] == "0");
      CHECK(standing(rig, key)["reserved"] == "0");
    }
  }
  CHECK(standing(rig, key)["spent"] == "0");
  // After some words a stream is paid for as far as it came.
  const Json script{{"content", words_of_four_bytes(50)}, {"cut_after_chunks", 11}};
  rig.post(k_chat, chat_body({{"max_tokens", 900}, {"stream", true}}, script).dump(), {key.header});
  rig.rows(++calls);
  CHECK(standing(rig, key)["spent"] == dollars(10 * k_token));
  CHECK(standing(rig, key)["reserved"] == "0");
}

TEST_CASE("a call that fails over is paid for once, at the price of the model that answered") {
  Rig rig(with(std::string(k_round_price) + "[model.\"gemini-2.5-pro\"]\nprice = { input = \"0\", output = \"20\" }\n"
                                            "[routing]\nallowed_fails = 100\n"));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(200)}}});
  const Json more{{"model", "gemini-2.5-pro"}, {"nemo_fallbacks", {"gemini-2.5-flash"}}, {"max_tokens", 100}};
  rig.upstream.script_model("gemini-2.5-pro", {{"status", 500}});
  CHECK(rig.post(k_chat, chat_body(more, {{"tokens", 50}}).dump(), {key.header}).status == 200);
  const Json row = rig.rows(1)[0];
  CHECK(row["model"] == "gemini-2.5-flash");
  CHECK(row["attempts"].get<int>() >= 2);
  CHECK(row["cost"] == dollars(50 * k_token));
  CHECK(row["reserved"] == dollars(100 * k_token));
  CHECK(standing(rig, key)["spent"] == row["cost"]);
  CHECK(standing(rig, key)["reserved"] == "0");
}

}  // namespace nemo::test::budget_stream_test
