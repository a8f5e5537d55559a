// Requests a minute, tokens a minute, calls at once: what is let in, what is told to come back and when, and that no
// place is lost, whatever ends a call.
#include <doctest/doctest.h>

#include <algorithm>

#include "entitled.h"
#include "error_shape.h"

namespace nemo::test::limits_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";

Rig::Options with(const std::string& toml) {
  return {toml, "", {}, false};
}

Reply ask(Rig& rig, const KeyInHand& key, const Json& more = Json::object(), const Json& script = Json::object()) {
  return rig.post(k_chat, chat_body(more, script).dump(), {key.header});
}

std::int64_t sent_upstream(Rig& rig) {
  return rig.upstream.summary()["started"].get<std::int64_t>();
}

std::int64_t number(const Reply& reply, const char* header) {
  const std::string text = reply.header(header);
  CAPTURE(header);
  REQUIRE(!text.empty());
  return std::stoll(text);
}

// The refusal of one limit; its message.
std::string expect_limit(const Reply& reply, const std::string& code) {
  const std::string message = expect_error(reply, 429, code);
  CHECK(!reply.header("x-nemo-request-id").empty());
  return message;
}

// Calls that upstream holds open until they are let go.
class Held {
 public:
  Held(Rig& rig, const KeyInHand& key, std::size_t count, bool stream = true) : m_rig(rig) {
    const std::int64_t before = sent_upstream(rig);
    for (std::size_t i = 0; i < count; ++i) {
      m_clients.emplace_back(rig.port());
      const Json script = stream ? Json{{"stall_after_chunks", 3}} : Json{{"delay_ms", 600'000}};
      m_clients.back().send(rig.request("POST", k_chat, chat_body({{"stream", stream}}, script).dump(), {key.header}));
    }
    CHECK(eventually([&] { return sent_upstream(rig) == before + static_cast<std::int64_t>(count); }));
  }
  void let_go() {
    m_clients.clear();
    CHECK(comes_to_rest(m_rig));
  }

 private:
  Rig& m_rig;
  std::vector<Client> m_clients;
};

}  // namespace

TEST_CASE("requests beyond those of a minute are a 429 that says when to come back, and nothing is sent") {
  Rig rig;
  const KeyInHand key = make_key(rig, {{"rpm", "3"}});
  for (std::int64_t left = 2; left >= 0; --left) {
    const Reply reply = ask(rig, key);
    CHECK(reply.status == 200);
    CHECK(reply.header("x-ratelimit-limit-requests") == "3");
    CHECK(number(reply, "x-ratelimit-remaining-requests") == left);
    CHECK(!reply.header("x-ratelimit-reset-requests").empty());
    CHECK(reply.header("x-ratelimit-limit-tokens").empty());
    CHECK(reply.header("retry-after").empty());
  }
  const Reply refused = ask(rig, key);
  const std::string message = expect_limit(refused, "rate_limit_exceeded");
  CHECK(contains(message, key.id));
  CHECK(contains(message, "3 requests a minute"));
  // The first of the three leaves the minute within 60 seconds, and it has only just come.
  const std::int64_t wait = number(refused, "retry-after");
  CHECK(wait <= 60);
  CHECK(wait >= 30);
  CHECK(contains(message, std::to_string(wait) + " s"));
  CHECK(refused.header("x-ratelimit-remaining-requests") == "0");
  CHECK(sent_upstream(rig) == 3);
  const auto rows = rig.rows(4);
  REQUIRE(rows.size() == 4);
  // Rows come in the order in which calls ended, and the one before may end after its client has read all of it.
  const auto row = std::find_if(rows.begin(), rows.end(), [](const Json& one) { return one["status"] == "refused"; });
  REQUIRE(row != rows.end());
  CHECK((*row)["http_status"] == 429);
  CHECK((*row)["error_code"] == "rate_limit_exceeded");
  CHECK((*row)["cost"] == "0");
}

TEST_CASE("tokens of a minute are set aside by estimate and corrected to what upstream counted") {
  Rig rig;
  const KeyInHand key = make_key(rig, {{"tpm", "2000"}});
  const Json script{{"prompt_tokens", 100}, {"tokens", 50}};
  const Reply first = ask(rig, key, {{"max_tokens", 1'500}}, script);
  CHECK(first.status == 200);
  CHECK(first.header("x-ratelimit-limit-tokens") == "2000");
  CHECK(number(first, "x-ratelimit-remaining-tokens") == 2'000 - 150);
  CHECK(ask(rig, key, {{"max_tokens", 1'500}, {"stream", true}}, script).status == 200);
  CHECK(comes_to_rest(rig));
  const Reply third = ask(rig, key, {{"max_tokens", 1'900}}, script);
  const std::string message = expect_limit(third, "tpm_limit_exceeded");
  CHECK(contains(message, "2000 tokens a minute"));
  CHECK(number(third, "retry-after") <= 60);
  CHECK(number(third, "x-ratelimit-remaining-tokens") == 2'000 - 300);
  CHECK(ask(rig, key, {{"max_tokens", 1'600}}, script).status == 200);
  CHECK(sent_upstream(rig) == 3);
}

TEST_CASE("calls at once beyond the limit are a 429 to be tried again in a second") {
  Rig rig;
  const KeyInHand key = make_key(rig, {{"parallel", "2"}});
  Held held(rig, key, 2);
  const Reply refused = ask(rig, key);
  const std::string message = expect_limit(refused, "too_many_parallel_requests");
  CHECK(contains(message, "2 calls at once"));
  CHECK(refused.header("retry-after") == "1");
  CHECK(sent_upstream(rig) == 2);
  held.let_go();
  CHECK(ask(rig, key).status == 200);
}

TEST_CASE("a team's limits hold for all its keys together, and a limit names its scope") {
  Rig rig;
  change(rig, "POST", "/teams", {{"name", "crew"}, {"rpm", "2"}});
  const KeyInHand alex = make_key(rig, {{"seat", "alex"}, {"team", "crew"}, {"rpm", "100"}});
  const KeyInHand kim = make_key(rig, {{"seat", "kim"}, {"team", "crew"}});
  const Reply reply = ask(rig, alex);
  CHECK(reply.status == 200);
  // The scope with the least left.
  CHECK(reply.header("x-ratelimit-limit-requests") == "2");
  CHECK(ask(rig, kim).status == 200);
  for (const KeyInHand& key : {alex, kim}) {
    CHECK(contains(expect_limit(ask(rig, key), "rate_limit_exceeded"), "Team \"crew\""));
  }
  change(rig, "PATCH", "/teams/crew", {{"rpm", "none"}});
  CHECK(ask(rig, kim).status == 200);
}

TEST_CASE("a call that is refused consumes nothing: not by a limit, not by a budget, not for a fault of its own") {
  Rig rig(with(k_round_price));
  const KeyInHand key =
      make_key(rig, {{"rpm", "3"}, {"tpm", "100000"}, {"parallel", "1"}, {"budgets", {budget_for(10)}}});
  const auto small_call = [&] { return ask(rig, key, {{"max_tokens", 1}}, {{"tokens", 1}, {"prompt_tokens", 1}}); };
  for (int i = 0; i < 5; ++i) {
    const Reply refused = ask(rig, key, {{"max_tokens", 11}});
    expect_error(refused, 402, "budget_exceeded");
    CHECK(refused.header("x-ratelimit-remaining-requests") == "3");
    CHECK(refused.header("x-ratelimit-remaining-tokens") == "100000");
    expect_error(ask(rig, key, {{"model", "nobody"}}), 404, "model_not_found");
    expect_error(ask(rig, key, {{"max_tokens", "many"}}), 400, "invalid_request");
  }
  const Reply first = small_call();
  CHECK(first.header("x-ratelimit-remaining-requests") == "2");
  CHECK(first.header("x-ratelimit-remaining-tokens") == "99998");
  Held held(rig, make_key(rig), 1);  // another key's call is no affair of this one
  CHECK(small_call().header("x-ratelimit-remaining-requests") == "1");
  held.let_go();
  CHECK(small_call().header("x-ratelimit-remaining-requests") == "0");
  expect_limit(ask(rig, key, {{"max_tokens", 1}}), "rate_limit_exceeded");
  expect_limit(ask(rig, key, {{"max_tokens", 1}}), "rate_limit_exceeded");
  // What the limits refused spent nothing either.
  CHECK(budget_of(rig, "key", key.id, "total")["spent"] == dollars(3 * k_token));
  CHECK(budget_of(rig, "key", key.id, "total")["reserved"] == "0");
  CHECK(sent_upstream(rig) == 4);
}

TEST_CASE("a limit of 0 lets nothing in, says so, and names no time at which it would") {
  Rig rig;
  const std::vector<std::pair<const char*, const char*>> limits{
      {"rpm", "rate_limit_exceeded"}, {"tpm", "tpm_limit_exceeded"}, {"parallel", "too_many_parallel_requests"}};
  for (const auto& one : limits) {
    const auto& field = one.first;
    const auto& code = one.second;
    CAPTURE(field);
    const KeyInHand key = make_key(rig, {{field, "0"}});
    const Reply refused = ask(rig, key);
    CHECK(contains(expect_limit(refused, code), "none is let in"));
    CHECK(refused.header("retry-after").empty());
    change(rig, "PATCH", "/keys/" + key.id, {{field, "none"}});
    CHECK(ask(rig, key).status == 200);
  }
  CHECK(sent_upstream(rig) == 3);
}

TEST_CASE("a limit that is set, raised or lowered holds for the next call, and what was counted stays counted") {
  Rig rig;
  const KeyInHand key = make_key(rig, {{"rpm", "100"}});
  const auto set = [&](const char* field, const char* value) {
    change(rig, "PATCH", "/keys/" + key.id, {{field, value}});
  };
  CHECK(ask(rig, key).status == 200);
  CHECK(ask(rig, key).status == 200);
  set("rpm", "2");
  expect_limit(ask(rig, key), "rate_limit_exceeded");
  set("rpm", "3");
  CHECK(ask(rig, key).status == 200);
  set("rpm", "none");
  set("parallel", "1");
  Held held(rig, key, 1);
  expect_limit(ask(rig, key), "too_many_parallel_requests");
  set("parallel", "2");
  CHECK(ask(rig, key).status == 200);
  held.let_go();
}

TEST_CASE("no place among the calls at once is lost, whatever ends a call: 64 of each at a limit of 64") {
  constexpr std::size_t k_many = 64;
  Rig rig({std::string("[routing]\nnum_retries = 0\nallowed_fails = 100000\n"
                       "[model.\"gemini-2.5-pro\"]\nprice = { input = \"0\", output = \"100000000\" }\n") +
               k_round_price,
           "",
           {},
           false});
  const KeyInHand key = make_key(rig, {{"parallel", std::to_string(k_many)}, {"budgets", {budget_for(100'000'000)}}});
  // What each is, and the status that its client sees; 0: it leaves before it sees one.
  struct End {
    std::string what;
    Json more;
    Json script;
    int status;
  };
  const std::vector<End> ends{
      {"answered", {}, {}, 200},
      {"streamed", {{"stream", true}}, {}, 200},
      {"left before an answer", {}, {{"delay_ms", 600'000}}, 0},
      {"left in a stream", {{"stream", true}}, {{"stall_after_chunks", 3}}, 0},
      {"left in a flowing stream", {{"stream", true}, {"max_tokens", 5'000}}, {{"tokens", 5'000}, {"chunk_ms", 20}}, 0},
      {"refused by upstream", {}, {{"status", 400}}, 400},
      {"broken by upstream", {}, {{"cut_before_head", true}}, 502},
      {"cut by upstream", {{"stream", true}}, {{"cut_after_chunks", 4}}, 200},
      {"not for this budget", {{"model", "gemini-2.5-pro"}}, {}, 402},
      {"no such model", {{"model", "nobody"}}, {}, 404},
      {"no such field", {{"max_tokens", "many"}}, {}, 400},
  };
  for (const End& end : ends) {
    CAPTURE(end.what);
    const std::int64_t before = sent_upstream(rig);
    std::vector<Client> clients;
    for (std::size_t i = 0; i < k_many; ++i) {
      clients.emplace_back(rig.port());
      Json more{{"max_tokens", 100}};
      if (!end.more.is_null()) more.update(end.more);
      clients.back().send(rig.request("POST", k_chat, chat_body(more, end.script).dump(), {key.header}));
    }
    if (end.status == 0) {
      // All are let in together.
      CHECK(eventually([&] { return sent_upstream(rig) == before + static_cast<std::int64_t>(k_many); }));
      CHECK(ask(rig, key).status == 429);
      clients.clear();
    }
    for (Client& client : clients) CHECK(client.receive().status == end.status);
    CHECK(comes_to_rest(rig));
  }
  Held held(rig, key, k_many);
  expect_limit(ask(rig, key), "too_many_parallel_requests");
  held.let_go();
  CHECK(budget_of(rig, "key", key.id, "total")["reserved"] == "0");
}

TEST_CASE("a call that upstream keeps waiting too long gives its place back") {
  constexpr std::size_t k_many = 64;
  Rig rig({"[routing]\nnum_retries = 0\nallowed_fails = 100000\n", "first_token_timeout = \"1s\"\n", {}, false});
  const KeyInHand key = make_key(rig, {{"parallel", std::to_string(k_many)}});
  for (int round = 0; round < 2; ++round) {
    std::vector<Client> clients;
    for (std::size_t i = 0; i < k_many; ++i) {
      clients.emplace_back(rig.port());
      clients.back().send(rig.request("POST", k_chat, chat_body({}, {{"delay_ms", 600'000}}).dump(), {key.header}));
    }
    for (Client& client : clients) CHECK(client.receive().status == 504);
  }
  CHECK(comes_to_rest(rig));
  CHECK(ask(rig, key).status == 200);
}

}  // namespace nemo::test::limits_test
