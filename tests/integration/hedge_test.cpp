// Hedging in a whole daemon: a silent upstream is raced by another one, and the books agree with what both bill.
#include <doctest/doctest.h>

#include "entitled.h"
#include "error_shape.h"

namespace nemo::test::hedge_test {

using namespace nemo::test;

namespace {

const std::string k_path = "/v1/completions";

// One dollar a million tokens that are read, ten that are written; in nano-dollars for each.
const std::string k_price = "[model.\"codestral-2\"]\nprice = { input = \"1\", output = \"10\" }\n";
constexpr std::int64_t k_input = 1'000;
constexpr std::int64_t k_output = 10'000;

// "first" is asked before "second".
Rig::Options options_of(const FakeUpstream& first, const FakeUpstream& second, const std::string& hedge) {
  Rig::Options options;
  options.own_upstream = true;
  options.toml = k_price + "[lane.completion]\nmodel = \"codestral-2\"\n" + hedge;
  int order = 0;
  for (const auto& [name, fake] : {std::pair("first", &first), std::pair("second", &second)}) {
    const std::string quoted = "\"" + std::string(name) + "\"";
    options.toml += "[[upstream]]\nname = " + quoted + "\nkind = \"openai\"\nkey = \"env:FAKE_KEY\"\nbase_url = \"" +
                    fake->base_url() + "\"\n" + "[[deployment]]\nmodel = \"codestral-2\"\nupstream = " + quoted +
                    "\norder = " + std::to_string(++order) + "\n";
  }
  return options;
}

struct Pair {
  FakeUpstream first, second;
  Rig rig;
  explicit Pair(const std::string& hedge = "hedge_after = \"50ms\"\n") : rig(options_of(first, second, hedge)) {
    first.reset();
    second.reset();
  }

  // 38 bytes, in quotes 40: ten tokens by everybody's count.
  static std::string body(bool stream, std::int64_t max_tokens) {
    return Json{{"model", "nemo/completion"},
                {"stream", stream},
                {"max_tokens", max_tokens},
                {"prompt", "abc abc abc abc abc abc abc abc abc ab"}}
        .dump();
  }
  Reply ask(bool stream, const std::vector<std::string>& headers = {}) {
    return rig.post(k_path, body(stream, 12), headers);
  }
  Json row() {
    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    return rows[0];
  }
  Json attempts() { return rig.admin("GET", "/calls/" + row()["id"].get<std::string>())["attempts"]; }
  // What an upstream bills for its only call, in nano-dollars.
  static std::int64_t bill(FakeUpstream& fake) {
    const Json journal = fake.journal();
    REQUIRE(journal.size() == 1);
    const Json billed = journal[0]["billed"];
    return billed["input_tokens"].get<std::int64_t>() * k_input +
           billed["output_tokens"].get<std::int64_t>() * k_output;
  }
  void check_that_nothing_is_left() {
    CHECK(eventually([&] {
      for (const Json& one : rig.admin("GET", "/deployments")) {
        if (one["in_flight"] != 0) return false;
      }
      return rig.admin("GET", "/status")["open_calls"] == 0;
    }));
  }
};

}  // namespace

TEST_CASE("a stalled first is outrun by the second: its call is cancelled, and the row is what both bill") {
  for (const Json& stall : {Json{{"delay_ms", 600'000}}, Json{{"stall_after_chunks", 0}}}) {
    for (const bool stream : {true, false}) {
      CAPTURE(stall.dump());
      CAPTURE(stream);
      Pair pair;
      // An answer that is not streamed stalls only before its head.
      pair.first.script(stream ? stall : Json{{"delay_ms", 600'000}});
      const Reply reply = pair.ask(stream);
      CHECK(reply.status == 200);
      CHECK(reply.whole);
      CHECK(reply.header("x-nemo-upstream") == "second");
      CHECK(reply.header("x-nemo-attempts") == "2");
      if (stream) CHECK(stream_events(reply.body).back() == "[DONE]");
      CHECK(eventually([&] { return pair.first.summary()["cancelled"] == 1; }));
      CHECK(pair.second.journal()[0]["state"] == "completed");
      const Json row = pair.row();
      CHECK(row["status"] == "ok");
      CHECK(row["upstream"] == "second");
      CHECK(row["attempts"] == 2);
      CHECK(row["input_tokens"] == 10);
      CHECK(row["output_tokens"] == 12);
      const std::int64_t lost = Pair::bill(pair.first);
      CHECK(lost == 10 * k_input);
      CHECK(nanos(row["cost"]) == lost + Pair::bill(pair.second));
      const Json attempts = pair.attempts();
      REQUIRE(attempts.size() == 2);
      CHECK(attempts[0]["upstream"] == "first");
      CHECK(attempts[0]["note"] == "lost the race");
      CHECK(nanos(attempts[0]["cost"]) == lost);
      CHECK(attempts[1]["upstream"] == "second");
      CHECK(attempts[1]["http_status"] == 200);
      pair.check_that_nothing_is_left();
    }
  }
}

TEST_CASE("a first that is quick enough is not raced") {
  Pair pair("hedge_after = \"60s\"\n");
  CHECK(pair.ask(true).header("x-nemo-upstream") == "first");
  CHECK(pair.second.summary()["started"] == 0);
}

TEST_CASE("without hedge_after nobody is raced, however slow") {
  Pair pair("");
  pair.first.script({{"first_token_ms", 300}});
  CHECK(pair.ask(true).header("x-nemo-upstream") == "first");
  CHECK(pair.second.summary()["started"] == 0);
}

TEST_CASE("a second that fails leaves the answer to the slow first, and costs nothing") {
  Pair pair;
  pair.first.script({{"hold_after_chunks", 0}});
  pair.second.script({{"status", 503}});
  Client client(pair.rig.port());
  client.send(pair.rig.request("POST", k_path, Pair::body(true, 12)));
  REQUIRE(eventually([&] { return pair.second.summary()["ended"] == 1; }));
  REQUIRE(pair.rig.waits_with(1));
  pair.first.release();
  const Reply reply = client.receive();
  CHECK(reply.header("x-nemo-upstream") == "first");
  CHECK(stream_events(reply.body).back() == "[DONE]");
  const Json row = pair.row();
  CHECK(nanos(row["cost"]) == Pair::bill(pair.first));
  const Json attempts = pair.attempts();
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0]["upstream"] == "second");
  CHECK(attempts[0]["http_status"] == 503);
  CHECK(pair.first.summary()["cancelled"] == 0);
  pair.check_that_nothing_is_left();
}

TEST_CASE("a budget pays for both or nobody is raced, and is settled once") {
  // One answer of 100 tokens may cost a thousand tokens' worth of micro-dollars and its input.
  for (const bool enough : {true, false}) {
    CAPTURE(enough);
    Pair pair;
    const std::string limit = dollars(enough ? 4'000'000 : 1'500'000) + "/total";
    const KeyInHand key = make_key(pair.rig, {{"budgets", {limit}}});
    if (enough) {
      pair.first.script({{"delay_ms", 600'000}});
    } else {
      pair.first.script({{"first_token_ms", 400}});
    }
    const Reply reply = pair.rig.post(k_path, Pair::body(true, 100), {key.header});
    CHECK(reply.status == 200);
    CHECK(reply.header("x-nemo-upstream") == (enough ? "second" : "first"));
    CHECK(pair.second.summary()["started"] == (enough ? 1 : 0));
    const Json row = pair.row();
    CHECK(nanos(row["cost"]) == Pair::bill(pair.first) + (enough ? Pair::bill(pair.second) : 0));
    const Json budget = budget_of(pair.rig, "key", key.id, "total");
    CHECK(nanos(budget["spent"]) == nanos(row["cost"]));
    CHECK(nanos(budget["reserved"]) == 0);
    pair.check_that_nothing_is_left();
  }
}

TEST_CASE("a client that leaves during a race ends both calls") {
  Pair pair;
  for (FakeUpstream* fake : {&pair.first, &pair.second}) fake->script({{"delay_ms", 600'000}});
  {
    Client client(pair.rig.port());
    client.send(pair.rig.request("POST", k_path, Pair::body(true, 12)));
    REQUIRE(eventually([&] { return pair.second.summary()["open"] == 1; }));
  }
  for (FakeUpstream* fake : {&pair.first, &pair.second}) {
    CHECK(eventually([&] { return fake->summary()["cancelled"] == 1; }));
  }
  const Json row = pair.row();
  CHECK(row["status"] == "cancelled");
  CHECK(nanos(row["cost"]) == Pair::bill(pair.first) + Pair::bill(pair.second));
  pair.check_that_nothing_is_left();
}

}  // namespace nemo::test::hedge_test
