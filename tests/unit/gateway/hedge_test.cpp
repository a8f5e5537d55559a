// Hedging: a second candidate is asked when the first one is silent, and both are charged truthfully.
#include <doctest/doctest.h>

#include "chunks.h"
#include "daemon/lib/time_zone/time_zone.h"
#include "daemon/protocol/openai.h"
#include "office.h"

namespace nemo::test::hedge_test {

using namespace nemo;
using namespace nemo::test;

namespace {

const std::string k_body = R"({"model":"m","stream":true,"stream_options":{"include_usage":true},"max_tokens":1000,)"
                           R"("messages":[{"role":"user","content":"hi"}]})";

// "a" and "b" serve the model, and the lane hedges.
struct HedgingOffice : Office {
  HedgingOffice() {
    world.table.deployments.pop_back();
    world.settings.lanes["reasoning"].hedge = config::Lane::Hedge{config::Millis(50)};
  }
  void allow(std::int64_t nano_dollars) {
    budgets.configure(budget::Calendar(lib::TimeZone::find("UTC").value()),
                      {{call::Scope{call::ScopeKind::seat, "local"}, {{call::Window::total, NanoUsd{nano_dollars}}}}});
  }
  gateway::Answer ask_stream() { return ask(k_body); }
  std::int64_t in_flight() const {
    std::int64_t sum = 0;
    for (const auto& one : world.table.deployments) {
      sum += one.gauge->figures("reasoning", routing::Answering::streamed, clock.steady()).in_flight;
    }
    return sum;
  }
};

ScriptedAnswer silent() {
  return streams({""}, Ending::silent);
}
ScriptedAnswer good(const std::string& text) {
  return streams({role(), word(text), finish(), usage(5, 7), done()});
}
// Its first piece comes after the time at which the second is asked.
ScriptedAnswer late(ScriptedAnswer answer) {
  answer.pieces.insert(answer.pieces.begin(), "");
  return answer;
}

std::string drained(gateway::Answer& answer) {
  std::string all;
  REQUIRE(answer.stream != nullptr);
  while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
  }
  return all;
}

constexpr std::int64_t k_cost_of_good = 5 * 1'000 + 7 * 10'000;

// The frame of usage(5, 7), as the client that asked for it gets it; `lost`: what the other one cost.
std::string usage_with_cost(std::int64_t lost = 0) {
  return protocol::with_cost(usage(5, 7), NanoUsd{k_cost_of_good + lost});
}

constexpr std::int64_t k_cost_of_loser = 8 * 1'000;

}  // namespace

TEST_CASE("where the first is silent the second answers; the first is cancelled and charged for what it was sent") {
  HedgingOffice office;
  office.transport.expect(silent());
  office.transport.expect(good("from-b"));
  auto answer = office.ask_stream();
  CHECK(office.transport.cancelled() == 1);
  CHECK(drained(answer).find("from-b") != std::string::npos);
  CHECK(header(answer, "x-nemo-upstream") == "b");
  CHECK(header(answer, "x-nemo-attempts") == "2");
  CHECK(office.in_flight() == 1);
  const auto row = office.settle(answer);
  CHECK(office.in_flight() == 0);
  CHECK(row.outcome == call::Outcome::ok);
  CHECK(row.deployment == "m@b");
  REQUIRE(row.trace.attempts.size() == 2);
  CHECK(row.trace.attempts[0].upstream == "a");
  CHECK(row.trace.attempts[0].note == "lost the race");
  CHECK(row.trace.attempts[0].cost > NanoUsd{0});
  CHECK(row.trace.attempts[1].upstream == "b");
  CHECK(row.trace.attempts[1].http_status == 200);
  CHECK(row.trace.attempts[1].cost == NanoUsd{0});
  CHECK(row.usage.output_tokens == 7);
  CHECK(row.cost == NanoUsd{k_cost_of_good} + row.trace.attempts[0].cost);
  for (const auto& request : office.transport.requests()) CHECK(request.raced);
}

TEST_CASE("the loser costs its whole input at its own model's price") {
  HedgingOffice office;
  office.transport.expect(silent());
  office.transport.expect(good("b"));
  auto answer = office.ask_stream();
  drained(answer);
  // [{"role":"user","content":"hi"}] is 32 bytes: eight tokens.
  CHECK(office.settle(answer).trace.attempts.at(0).cost == NanoUsd{8 * 1'000});
}

TEST_CASE("a loser that had not even been sent costs nothing, and nothing is learned of its deployment") {
  for (const bool is_sent : {true, false}) {
    HedgingOffice office;
    office.transport.expect(late(good("from-a")));
    ScriptedAnswer queued = silent();
    queued.is_sent = is_sent;
    office.transport.expect(queued);
    auto answer = office.ask_stream();
    drained(answer);
    const auto row = office.settle(answer);
    CHECK(row.trace.attempts.at(1).cost == NanoUsd{is_sent ? 8 * 1'000 : 0});
    CHECK(row.cost == NanoUsd{k_cost_of_good} + row.trace.attempts[1].cost);
    const auto figures = office.world.table.deployments[1].gauge->figures("reasoning", routing::Answering::streamed,
                                                                          office.clock.steady());
    CHECK(figures.measured == (is_sent ? 1 : 0));
    CHECK(figures.waiting == 0);
  }
}

TEST_CASE("a first that answers after all wins, and the second is cancelled and charged") {
  HedgingOffice office;
  office.transport.expect(late(good("from-a")));
  office.transport.expect(silent());
  auto answer = office.ask_stream();
  CHECK(drained(answer).find("from-a") != std::string::npos);
  CHECK(office.transport.cancelled() == 1);
  const auto row = office.settle(answer);
  CHECK(row.deployment == "m@a");
  REQUIRE(row.trace.attempts.size() == 2);
  CHECK(row.trace.attempts[0].upstream == "a");
  CHECK(row.trace.attempts[1].note == "lost the race");
  CHECK(row.cost == NanoUsd{k_cost_of_good} + row.trace.attempts[1].cost);
  CHECK(office.in_flight() == 0);
}

TEST_CASE("a whole answer is hedged too, and its cost header tells of both") {
  HedgingOffice office;
  office.transport.expect(silent());
  office.transport.expect(says(200, good_answer(5, 7)));
  auto answer = office.chat();
  CHECK(answer.body == good_answer(5, 7));
  const auto row = office.settle(answer);
  CHECK(header(answer, "x-nemo-request-cost") == to_dollars(row.cost));
  CHECK(row.cost == NanoUsd{k_cost_of_good} + row.trace.attempts.at(0).cost);
}

TEST_CASE("nobody is asked beside a first that speaks in time") {
  HedgingOffice office;
  office.transport.expect(good("a"));
  auto answer = office.ask_stream();
  drained(answer);
  CHECK(office.settle(answer).trace.attempts.size() == 1);
  CHECK(office.transport.requests().size() == 1);
}

TEST_CASE("without a setting, without a second candidate, or where one retry is too many, nothing is hedged") {
  HedgingOffice off;
  off.world.settings.lanes["reasoning"].hedge.reset();
  off.transport.expect(late(good("a")));
  CHECK(off.ask_stream().status == 200);
  HedgingOffice alone;
  alone.world.table.deployments.pop_back();
  alone.transport.expect(late(good("a")));
  CHECK(alone.ask_stream().status == 200);
  HedgingOffice bounded;
  bounded.world.settings.routing.num_retries = 0;
  bounded.transport.expect(late(good("a")));
  CHECK(bounded.ask_stream().status == 200);
  HedgingOffice unmeasured;
  unmeasured.world.settings.lanes["reasoning"].hedge = config::Lane::Hedge{};  // p95, which nobody knows yet
  unmeasured.transport.expect(late(good("a")));
  CHECK(unmeasured.ask_stream().status == 200);
}

TEST_CASE("p95 is that of the deployment, once it has been measured often enough") {
  HedgingOffice office;
  office.world.settings.lanes["reasoning"].hedge = config::Lane::Hedge{};
  for (int i = 0; i < 200; ++i) {
    auto call = office.world.table.deployments[0].gauge->begin("reasoning", routing::Answering::streamed,
                                                               office.clock.steady());
    call.first_token(Micros(20'000), office.clock.steady());
    call.succeeded(1, office.clock.steady());
  }
  office.transport.expect(silent());
  office.transport.expect(good("from-b"));
  auto answer = office.ask_stream();
  CHECK(drained(answer).find("from-b") != std::string::npos);
}

TEST_CASE("nothing is hedged when the budget cannot pay for both; where it can, it is settled once") {
  // Either one sets aside 1000 tokens of output for 10,000,000 and a little for its input.
  for (const bool enough : {false, true}) {
    CAPTURE(enough);
    HedgingOffice office;
    office.allow(enough ? 25'000'000 : 15'000'000);
    office.transport.expect(late(good("from-a")));
    if (enough) office.transport.expect(silent());
    auto answer = office.ask_stream();
    CHECK(drained(answer).find("from-a") != std::string::npos);
    CHECK(office.transport.all_used());
    const auto row = office.settle(answer);
    CHECK(row.trace.attempts.size() == (enough ? 2 : 1));
    CHECK((row.reserved > NanoUsd{20'000'000}) == enough);
    REQUIRE(office.budgets.standings().size() == 1);
    CHECK(office.budgets.standings()[0].spent == row.cost);
    CHECK(office.budgets.standings()[0].reserved == NanoUsd{0});
  }
}

TEST_CASE("a leader that fails leaves the field to the other") {
  ScriptedAnswer broken = streams({role()}, Ending::broken);
  for (const ScriptedAnswer& bad :
       {fails(), says(503, R"({"error":{"message":"overloaded"}})"), broken, streams({error_in_stream()})}) {
    HedgingOffice second_fails;
    second_fails.allow(25'000'000);
    second_fails.transport.expect(late(late(good("from-a"))));
    second_fails.transport.expect(bad);
    auto answer = second_fails.ask_stream();
    CHECK(drained(answer).find("from-a") != std::string::npos);
    auto row = second_fails.settle(answer);
    REQUIRE(row.trace.attempts.size() == 2);
    CHECK(row.trace.attempts[0].upstream == "b");
    CHECK(!row.trace.attempts[0].error_code.empty());
    CHECK(row.trace.attempts[1].upstream == "a");
    CHECK(row.deployment == "m@a");
    CHECK(row.cost == NanoUsd{k_cost_of_good});  // who failed is not charged
    CHECK(second_fails.in_flight() == 0);
    CHECK(second_fails.budgets.standings().at(0).spent == row.cost);

    HedgingOffice first_fails;
    first_fails.transport.expect(late(bad));
    first_fails.transport.expect(late(good("from-b")));
    answer = first_fails.ask_stream();
    CHECK(drained(answer).find("from-b") != std::string::npos);
    row = first_fails.settle(answer);
    CHECK(row.deployment == "m@b");
    CHECK(row.cost == NanoUsd{k_cost_of_good});
    CHECK(first_fails.in_flight() == 0);
  }
}

TEST_CASE("a refusal that is the request's own fault ends the race") {
  HedgingOffice office;
  office.transport.expect(silent());
  office.transport.expect(says(400, R"({"error":{"message":"no such tool"}})"));
  auto answer = office.ask_stream();
  CHECK(answer.status == 400);
  CHECK(office.transport.cancelled() == 1);
  const auto row = office.settle(answer);
  CHECK(row.cost == row.trace.attempts.at(0).cost);
  CHECK(office.in_flight() == 0);
}

TEST_CASE("when both fail, whoever may do better is tried again, and whoever was waited for to the end is not") {
  HedgingOffice office;
  ScriptedAnswer slow = streams({""}, Ending::broken);
  slow.failure = fail(ErrorKind::upstream_timeout, "nothing came");
  office.transport.expect(late(says(503, "{}")));  // a
  office.transport.expect(slow);                   // b
  office.transport.expect(good("from-a"));
  auto answer = office.ask_stream();
  CHECK(drained(answer).find("from-a") != std::string::npos);
  CHECK(office.transport.pauses().size() == 1);
  const auto row = office.settle(answer);
  REQUIRE(row.trace.attempts.size() == 3);
  CHECK(row.trace.attempts[1].upstream == "b");
  CHECK(row.trace.attempts[2].upstream == "a");
  CHECK(office.in_flight() == 0);
}

TEST_CASE("a hedge counts as an attempt: num_retries bounds both together") {
  HedgingOffice office;
  office.world.settings.routing.num_retries = 1;
  office.transport.expect(late(fails()));
  office.transport.expect(fails());
  auto answer = office.ask_stream();
  CHECK(answer.status == 502);
  CHECK(office.settle(answer).trace.attempts.size() == 2);
}

TEST_CASE("a client that leaves during a race ends both, and pays for what both were sent") {
  HedgingOffice office;
  ScriptedAnswer left = streams({""}, Ending::client_leaves);
  left.has_head = false;
  office.transport.expect(left);
  office.transport.expect(silent());
  auto answer = office.ask_stream();
  CHECK(answer.client_gone);
  CHECK(office.transport.cancelled() == 2);
  const auto row = office.settle(answer, gateway::Delivery::client_gone);
  CHECK(row.outcome == call::Outcome::cancelled);
  CHECK(row.trace.attempts.size() == 2);
  CHECK(row.cost == NanoUsd{2 * 8 * 1'000});
  CHECK(office.in_flight() == 0);
}

TEST_CASE("a role is no answer: a first that says no more than that is raced") {
  HedgingOffice office;
  office.transport.expect(streams({role(), ": ping\n\n", ""}, Ending::silent));
  office.transport.expect(good("from-b"));
  auto answer = office.ask_stream();
  CHECK(drained(answer) == role() + word("from-b") + finish() + usage_with_cost(k_cost_of_loser) + done());
  CHECK(office.transport.cancelled() == 1);
  const auto row = office.settle(answer);
  CHECK(row.deployment == "m@b");
  REQUIRE(row.trace.attempts.size() == 2);
  CHECK(row.trace.attempts[0].note == "lost the race");
  CHECK(office.in_flight() == 0);
}

TEST_CASE("in a race too it is the first content that counts, and what came before it is not lost") {
  HedgingOffice office;
  office.transport.expect(
      streams({"", "", role().substr(0, 20), role().substr(20) + word("from-a"), finish(), usage(5, 7), done()}));
  office.transport.expect(streams({role(), ""}, Ending::silent));
  auto answer = office.ask_stream();
  CHECK(drained(answer) == role() + word("from-a") + finish() + usage_with_cost(k_cost_of_loser) + done());
  CHECK(office.transport.cancelled() == 1);
  CHECK(office.settle(answer).deployment == "m@a");
}

TEST_CASE("a role that its first content follows in time is not raced") {
  HedgingOffice office;
  office.transport.expect(streams({role(), word("from-a"), finish(), usage(5, 7), done()}));
  auto answer = office.ask_stream();
  CHECK(drained(answer) == role() + word("from-a") + finish() + usage_with_cost() + done());
  CHECK(office.settle(answer).trace.attempts.size() == 1);
}

TEST_CASE("of two that stop after their role, one that breaks leaves the field to the other, role and all") {
  HedgingOffice office;
  office.transport.expect(streams({role(), "", "", word("from-a"), finish(), usage(5, 7), done()}));
  office.transport.expect(streams({role()}, Ending::broken));
  auto answer = office.ask_stream();
  CHECK(drained(answer) == role() + word("from-a") + finish() + usage_with_cost() + done());
  const auto row = office.settle(answer);
  CHECK(row.deployment == "m@a");
  CHECK(row.cost == NanoUsd{k_cost_of_good});
  CHECK(office.in_flight() == 0);
}

TEST_CASE("what goes before content is held only so far") {
  HedgingOffice office;
  std::string comments;
  while (comments.size() <= (64U << 10U)) comments += ": still thinking\n\n";
  office.transport.expect(streams({comments, "", word("from-a"), finish(), usage(5, 7), done()}));
  auto answer = office.ask_stream();
  CHECK(drained(answer).starts_with(comments));
  CHECK(office.settle(answer).trace.attempts.size() == 1);
}

}  // namespace nemo::test::hedge_test
