// Keys, teams and budgets that change while the daemon runs: what is said now holds for the next call.
#include <doctest/doctest.h>

#include "entitled.h"
#include "error_shape.h"
#include "raw_upstream.h"

namespace nemo::test::budget_change_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";

Rig::Options with(const std::string& toml) {
  return {toml, "", {}, false};
}

// What a call of so many tokens gets.
int ask(Rig& rig, const KeyInHand& key, std::int64_t tokens) {
  return rig.post(k_chat, chat_body({{"max_tokens", tokens}}, {{"tokens", tokens}}).dump(), {key.header}).status;
}

Json refused(Rig& rig, const std::string& method, const std::string& path, const Json& body = Json::object()) {
  const Json answer = rig.admin(method, path, body);
  INFO(method, " ", path, ": ", answer.dump());
  CHECK(answer.contains("error"));
  return answer.value("error", Json::object());
}

Json set_budget(Rig& rig, const KeyInHand& key, const std::string& text) {
  return change(rig, "PATCH", "/keys/" + key.id, {{"budgets", {text}}});
}

// A stream that stays open until its client leaves.
Client hold_stream(Rig& rig, const KeyInHand& key, std::int64_t tokens) {
  Client client(rig.port());
  const Json script{{"content", words_of_four_bytes(tokens)}, {"stall_after_chunks", tokens + 1}};
  client.send(
      rig.request("POST", k_chat, chat_body({{"max_tokens", tokens}, {"stream", true}}, script).dump(), {key.header}));
  std::string seen;
  while (static_cast<std::int64_t>(stream_events(seen).size()) < tokens + 1) {
    const std::string some = client.receive_some();
    REQUIRE(!some.empty());
    seen += some;
  }
  return client;
}

}  // namespace

TEST_CASE("a budget that is set, raised, lowered or removed holds for the next call") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig);
  CHECK(ask(rig, key, 50) == 200);
  // What was spent before there was a budget counts.
  const Json now = set_budget(rig, key, budget_for(60));
  CHECK(now["budgets"] == Json::array({budget_for(60)}));
  CHECK(ask(rig, key, 11) == 402);
  CHECK(ask(rig, key, 10) == 200);
  CHECK(ask(rig, key, 1) == 402);
  set_budget(rig, key, budget_for(80));
  CHECK(ask(rig, key, 20) == 200);
  set_budget(rig, key, budget_for(30));
  CHECK(ask(rig, key, 1) == 402);
  set_budget(rig, key, budget_for(1, "day"));
  set_budget(rig, key, "none/total");
  CHECK(ask(rig, key, 1) == 402);
  set_budget(rig, key, "none");
  CHECK(ask(rig, key, 100) == 200);
  CHECK(rig.admin("GET", "/budgets").empty());
  set_budget(rig, key, "0/month");
  CHECK(ask(rig, key, 1) == 402);
  CHECK(rig.upstream.summary()["started"] == 4);
}

TEST_CASE("of several budgets the tightest holds, whichever of them it is") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(40, "day"), budget_for(100, "week"), budget_for(50)}}});
  CHECK(ask(rig, key, 41) == 402);
  CHECK(ask(rig, key, 40) == 200);
  set_budget(rig, key, "none/day");
  CHECK(ask(rig, key, 11) == 402);
  CHECK(ask(rig, key, 10) == 200);
  set_budget(rig, key, budget_for(500));
  CHECK(ask(rig, key, 51) == 402);
  CHECK(ask(rig, key, 50) == 200);
  CHECK(rig.admin("GET", "/budgets").size() == 2);
}

TEST_CASE("a stream that runs keeps what it set aside when its budget is lowered, and is counted in the new one") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(100)}}});
  Client client = hold_stream(rig, key, 60);
  CHECK(budget_of(rig, "key", key.id, "total")["reserved"] == dollars(60 * k_token));
  CHECK(ask(rig, key, 41) == 402);
  set_budget(rig, key, budget_for(70));
  CHECK(ask(rig, key, 11) == 402);
  CHECK(ask(rig, key, 10) == 200);
  set_budget(rig, key, budget_for(20));
  CHECK(budget_of(rig, "key", key.id, "total")["remaining"] == "0");
  CHECK(ask(rig, key, 1) == 402);
  set_budget(rig, key, budget_for(75));
  client.close();
  CHECK(comes_to_rest(rig));
  CHECK(budget_of(rig, "key", key.id, "total")["spent"] == dollars(70 * k_token));
  CHECK(ask(rig, key, 6) == 402);
  CHECK(ask(rig, key, 5) == 200);
}

TEST_CASE("a rotated key's old secret works for its grace, and both spend from one budget") {
  Rig rig(with(k_round_price));
  const KeyInHand old = make_key(rig, {{"budgets", {budget_for(100)}}});
  const Json rotated = change(rig, "POST", "/keys/" + old.id + "/rotate", {{"grace_s", 3'600}});
  CHECK(rotated["id"] == old.id);
  CHECK(!rotated["old_works_until"].get<std::string>().empty());
  const KeyInHand fresh{old.id, "Authorization: Bearer " + rotated["key"].get<std::string>()};
  CHECK(fresh.header != old.header);
  CHECK(ask(rig, old, 30) == 200);
  CHECK(ask(rig, fresh, 30) == 200);
  CHECK(ask(rig, old, 41) == 402);
  CHECK(ask(rig, fresh, 41) == 402);
  CHECK(budget_of(rig, "key", old.id, "total")["spent"] == dollars(60 * k_token));

  const Json again = change(rig, "POST", "/keys/" + old.id + "/rotate", {{"grace_s", 0}});
  const KeyInHand last{old.id, "Authorization: Bearer " + again["key"].get<std::string>()};
  // One old secret is remembered, so that whoever still uses it is told; with the next rotation it is gone.
  expect_error(rig.post(k_chat, chat_body().dump(), {fresh.header}), 401, "key_expired");
  expect_error(rig.post(k_chat, chat_body().dump(), {old.header}), 401, "invalid_api_key");
  CHECK(ask(rig, last, 40) == 200);
}

TEST_CASE("a revoked key makes no other call, and the one that it is in the middle of comes to its end") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(100)}}});
  Client client(rig.port());
  const Json script{{"tokens", 20}, {"hold_after_chunks", 3}};
  client.send(
      rig.request("POST", k_chat, chat_body({{"max_tokens", 20}, {"stream", true}}, script).dump(), {key.header}));
  REQUIRE(eventually([&] { return rig.upstream.summary()["started"] == 1; }));
  change(rig, "DELETE", "/keys/" + key.id);
  expect_error(rig.post(k_chat, chat_body().dump(), {key.header}), 401, "key_revoked");
  rig.upstream.release();
  CHECK(stream_events(client.receive().body).back() == "[DONE]");
  refused(rig, "PATCH", "/keys/" + key.id, {{"budgets", {"1/day"}}});
  refused(rig, "POST", "/keys/" + key.id + "/rotate", {{"grace_s", 1}});
  const auto rows = rig.rows(2);
  REQUIRE(rows.size() == 2);
  CHECK(rig.upstream.summary()["started"] == 1);
}

TEST_CASE("the keys of a team spend from its budget, and a key that changes teams spends from the new one's") {
  Rig rig(with(k_round_price));
  change(rig, "POST", "/teams", {{"name", "red"}, {"budgets", {budget_for(100)}}});
  change(rig, "POST", "/teams", {{"name", "blue"}, {"budgets", {budget_for(30)}}});
  const KeyInHand alex = make_key(rig, {{"seat", "alex"}, {"team", "red"}});
  const KeyInHand kim = make_key(rig, {{"seat", "kim"}, {"team", "red"}});
  CHECK(ask(rig, alex, 60) == 200);
  CHECK(ask(rig, kim, 41) == 402);
  CHECK(ask(rig, kim, 40) == 200);
  CHECK(ask(rig, alex, 1) == 402);
  change(rig, "PATCH", "/keys/" + kim.id, {{"team", "blue"}});
  CHECK(ask(rig, kim, 31) == 402);
  CHECK(ask(rig, kim, 30) == 200);
  change(rig, "PATCH", "/keys/" + kim.id, {{"team", ""}});
  CHECK(ask(rig, kim, 100) == 200);
  CHECK(ask(rig, alex, 1) == 402);
  CHECK(budget_of(rig, "team", "red", "total")["spent"] == dollars(100 * k_token));
  CHECK(budget_of(rig, "team", "blue", "total")["spent"] == dollars(30 * k_token));
}

TEST_CASE("several keys of one seat spend from the seat's budget") {
  Rig rig(with(k_round_price));
  const KeyInHand first = make_key(rig);
  const KeyInHand second = make_key(rig);
  change(rig, "PATCH", "/seats/alex", {{"budgets", {budget_for(100)}}});
  CHECK(ask(rig, first, 60) == 200);
  CHECK(ask(rig, second, 41) == 402);
  CHECK(ask(rig, second, 40) == 200);
  CHECK(ask(rig, first, 1) == 402);
}

TEST_CASE("a team that is not there, and one that keys belong to, are left as they are") {
  Rig rig(with(k_round_price));
  refused(rig, "POST", "/keys", {{"seat", "alex"}, {"team", "nobody"}});
  refused(rig, "PATCH", "/teams/nobody", {{"budgets", {"1/day"}}});
  refused(rig, "DELETE", "/teams/nobody");
  refused(rig, "PATCH", "/seats/nobody", {{"budgets", {"1/day"}}});
  CHECK(rig.admin("GET", "/keys").size() == 1);  // the rig's own

  change(rig, "POST", "/teams", {{"name", "crew"}, {"budgets", {budget_for(100)}}});
  const KeyInHand key = make_key(rig, {{"team", "crew"}});
  CHECK(ask(rig, key, 60) == 200);
  CHECK(refused(rig, "DELETE", "/teams/crew")["code"] == "conflict");
  CHECK(ask(rig, key, 41) == 402);
  change(rig, "PATCH", "/keys/" + key.id, {{"team", ""}});
  change(rig, "DELETE", "/teams/crew");
  CHECK(rig.admin("GET", "/teams").empty());
  CHECK(rig.admin("GET", "/budgets").empty());
  CHECK(ask(rig, key, 500) == 200);
  // A new team of the old name goes on where the old one was: its spending stays in the ledger.
  change(rig, "POST", "/teams", {{"name", "crew"}, {"budgets", {budget_for(100)}}});
  change(rig, "PATCH", "/keys/" + key.id, {{"team", "crew"}});
  CHECK(ask(rig, key, 41) == 402);
  CHECK(ask(rig, key, 40) == 200);
}

TEST_CASE("of a change with something wrong in it nothing is done") {
  Rig rig(with(k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(10)}}});
  const std::vector<const char*> budgets{
      "80",      "80/fortnight",     "-5/day", "1e3/day", "0.1234567891/day",
      "1/day/1", "999999999999/day", "",       "/day",    "1000000000000000000000000000000/total"};
  for (const char* budget : budgets) {
    CAPTURE(budget);
    const Json error = refused(rig, "PATCH", "/keys/" + key.id, {{"budgets", {budget_for(99), budget}}, {"rpm", "0"}});
    CHECK(error["code"] == "invalid_request");
    refused(rig, "POST", "/keys", {{"seat", "alex"}, {"budgets", {budget}}});
    refused(rig, "POST", "/teams", {{"name", "crew"}, {"budgets", {budget}}});
  }
  CHECK(rig.admin("GET", "/keys").size() == 2);
  CHECK(rig.admin("GET", "/teams").empty());
  CHECK(ask(rig, key, 11) == 402);
  CHECK(ask(rig, key, 10) == 200);
}

TEST_CASE("a restart keeps what was spent, and a clean stop leaves nothing unsettled") {
  Rig rig(with(k_round_price));
  change(rig, "POST", "/teams", {{"name", "crew"}, {"budgets", {budget_for(200, "month")}}});
  const KeyInHand key = make_key(rig, {{"team", "crew"}, {"budgets", {budget_for(100)}}});
  CHECK(ask(rig, key, 60) == 200);
  const Client left = hold_stream(rig, key, 10);
  rig.write_config([&] {
    return "listen = \"127.0.0.1:0\"\ndrain_timeout = \"100ms\"\n" + std::string(k_round_price) +
           "[[upstream]]\nname = \"fake\"\nkind = \"openai\"\nbase_url = \"" + rig.upstream.base_url() + "\"\n";
  }());
  rig.admin("POST", "/config/reload");
  rig.restart();
  for (const auto& [scope, name] : {std::pair<const char*, std::string>{"key", key.id}, {"team", "crew"}}) {
    const Holdings now = holdings_of(rig.folder() / "nemo.db", scope, name);
    CHECK(now.spent == 70 * k_token);
    CHECK(now.leased == 0);
    CHECK(now.unsettled == 0);
  }
  CHECK(rig.admin("GET", "/unsettled").empty());
  const Json standing = budget_of(rig, "key", key.id, "total");
  CHECK(standing["spent"] == dollars(70 * k_token));
  CHECK(standing["reserved"] == "0");
  CHECK(standing["unsettled"] == "0");
  CHECK(ask(rig, key, 31) == 402);
  CHECK(ask(rig, key, 30) == 200);
}

TEST_CASE("a threshold that is passed is recorded once, shown, and posted to the webhook") {
  RawUpstream webhook(
      [](const RawCall& call) { call.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"); });
  Rig rig(with("[alerts]\nwebhook = \"" + webhook.base_url() + "/hook\"\n" + k_round_price));
  const KeyInHand key = make_key(rig, {{"budgets", {budget_for(100)}}});
  const auto posted = [&](std::size_t count) {
    return eventually([&] {
      rig.daemon().tend();
      return webhook.requests().size() >= count;
    });
  };
  CHECK(ask(rig, key, 49) == 200);
  rig.daemon().tend();
  CHECK(rig.admin("GET", "/status")["alerts"].empty());
  CHECK(ask(rig, key, 1) == 200);
  CHECK(posted(1));
  CHECK(ask(rig, key, 50) == 200);
  CHECK(posted(3));
  CHECK(ask(rig, key, 1) == 402);
  rig.daemon().tend();

  const Json alerts = rig.admin("GET", "/status")["alerts"];
  REQUIRE(alerts.size() == 3);
  std::vector<int> percents;
  for (const Json& alert : alerts) {
    CHECK(alert["scope"] == "key");
    CHECK(alert["name"] == key.id);
    CHECK(alert["window"] == "total");
    CHECK(alert["limit"] == dollars(100 * k_token));
    percents.push_back(alert["percent"]);
  }
  std::sort(percents.begin(), percents.end());
  CHECK(percents == std::vector<int>{50, 80, 100});
  CHECK(rig.admin("GET", "/status")["capped"].size() == 1);

  REQUIRE(webhook.requests().size() == 3);
  const std::string first = webhook.requests()[0];
  CHECK(first.starts_with("POST /v1/hook "));
  const Json body = Json::parse(first.substr(first.find("\r\n\r\n")), nullptr, false);
  CHECK(body["event"] == "budget_threshold");
  CHECK(body["percent"] == 50);
  CHECK(body["spent"] == dollars(50 * k_token));
  CHECK(contains(body["text"].get<std::string>(), "50 %"));

  // The next daemon knows that it was told.
  rig.restart();
  CHECK(ask(rig, key, 1) == 402);
  rig.daemon().tend();
  CHECK(rig.admin("GET", "/status")["alerts"].size() == 3);
  CHECK(webhook.requests().size() == 3);
}

}  // namespace nemo::test::budget_change_test
