// Trying again: pauses between rounds, credentials that are renewed, and what the deployments' gauges learn of it.
#include <doctest/doctest.h>

#include "chunks.h"
#include "daemon/gateway/attempts.h"
#include "office.h"

namespace nemo::test::rounds_test {

using namespace nemo;
using namespace nemo::test;
using routing::Condition;
using upstream::Millis;

namespace {

// Only "a" serves the model.
struct LoneOffice : Office {
  LoneOffice() {
    world.table.deployments.clear();
    deploy("m", "a");
  }
};

ScriptedAnswer busy(const std::string& retry_after) {
  ScriptedAnswer answer = says(429, R"({"error":{"message":"slow down"}})");
  answer.headers.push_back({"retry-after", retry_after});
  return answer;
}

routing::Figures figures_of(const Office& office, std::size_t which,
                            routing::Answering answering = routing::Answering::whole) {
  return office.world.table.deployments.at(which).gauge->figures("reasoning", answering, office.clock.steady());
}

std::string drained(gateway::Answer& answer) {
  std::string all;
  while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
  }
  return all;
}

// "token-1", then a new one with each renewal.
class Tokens final : public upstream::TokenSource {
 public:
  explicit Tokens(int renewals_left = 1'000) : m_renewals_left(renewals_left) {}
  Result<Secret> token() override { return Secret("token-" + std::to_string(m_newest)); }
  Result<Secret> renew(const Secret& refused) override {
    refused_tokens.emplace_back(refused.expose());
    if (m_renewals_left-- <= 0) return fail(ErrorKind::upstream_error, "Google gives no token");
    ++m_newest;
    return token();
  }
  std::vector<std::string> refused_tokens;

 private:
  int m_newest = 1;
  int m_renewals_left;
};

class NoTokens final : public upstream::TokenSource {
 public:
  Result<Secret> token() override { return fail(ErrorKind::upstream_error, "no credentials in /home/x/key.json"); }
  Result<Secret> renew(const Secret& /*refused*/) override { return token(); }
};

}  // namespace

TEST_CASE("a lone deployment that fails in passing is tried again after a pause that grows") {
  LoneOffice office;
  office.transport.expect(fails());
  office.transport.expect(says(503, "{}"));
  office.transport.expect(says(200, good_answer()));
  auto answer = office.chat();
  CHECK(answer.status == 200);
  const auto& pauses = office.transport.pauses();
  REQUIRE(pauses.size() == 2);
  CHECK(pauses[0] >= Millis(50));
  CHECK(pauses[0] <= Millis(100));
  CHECK(pauses[1] >= Millis(100));
  CHECK(pauses[1] <= Millis(200));
  CHECK(office.settle(answer).trace.attempts.size() == 3);
}

TEST_CASE("num_retries bounds the rounds of a lone deployment") {
  for (const int retries : {0, 1, 3}) {
    LoneOffice office;
    office.world.settings.routing.num_retries = retries;
    for (int i = 0; i <= retries; ++i) office.transport.expect(fails());
    CHECK(office.chat().status == 502);
    CHECK(office.transport.all_used());
    CHECK(office.transport.pauses().size() == static_cast<std::size_t>(retries));
  }
}

TEST_CASE("another deployment is asked without a pause, and the first again only when none is left") {
  Office office;
  office.world.table.deployments.pop_back();
  office.transport.expect(fails());
  office.transport.expect(fails());
  office.transport.expect(says(200, good_answer()));
  auto answer = office.chat();
  CHECK(office.transport.pauses().size() == 1);
  const auto row = office.settle(answer);
  REQUIRE(row.trace.attempts.size() == 3);
  CHECK(row.trace.attempts[1].upstream == "b");
  CHECK(row.trace.attempts[2].upstream == "a");
}

TEST_CASE("a deployment that kept the call waiting to the end of its time is not asked a second time") {
  for (const bool stream : {false, true}) {
    LoneOffice office;
    office.transport.expect(fails(ErrorKind::upstream_timeout));
    auto answer = stream ? office.chat_stream() : office.chat();
    CHECK(answer.status == 504);
    CHECK(office.transport.pauses().empty());
  }
  LoneOffice in_body;
  ScriptedAnswer slow = streams({role()}, Ending::broken);
  slow.failure = fail(ErrorKind::upstream_timeout, "nothing came");
  in_body.transport.expect(slow);
  auto begun = in_body.chat_stream();  // alone, its role is passed on at once: nothing can be tried again
  CHECK(drained(begun).find("upstream_timeout") != std::string::npos);
  LoneOffice in_whole;
  slow.content_type = "application/json";
  in_whole.transport.expect(slow);
  CHECK(in_whole.chat().status == 504);
  CHECK(in_whole.transport.pauses().empty());
}

TEST_CASE("retry-after is waited for when it is short, and is the answer when it is long") {
  LoneOffice patient;
  patient.transport.expect(busy("2"));
  patient.transport.expect(says(200, good_answer()));
  CHECK(patient.chat().status == 200);
  REQUIRE(patient.transport.pauses().size() == 1);
  CHECK(patient.transport.pauses()[0] == Millis(2'000));

  LoneOffice hurried;
  hurried.transport.expect(busy("6"));
  auto answer = hurried.chat();
  CHECK(answer.status == 429);
  CHECK(header(answer, "retry-after") == "6");
  CHECK(hurried.transport.pauses().empty());
}

TEST_CASE("one that wants to be waited for too long does not keep another one from its second try") {
  Office office;
  office.world.table.deployments.pop_back();
  office.transport.expect(busy("60"));
  office.transport.expect(says(503, "{}"));
  office.transport.expect(says(200, good_answer()));
  auto answer = office.chat();
  CHECK(answer.status == 200);
  CHECK(header(answer, "x-nemo-upstream") == "b");
  CHECK(office.transport.pauses().size() == 1);
  CHECK(office.settle(answer).trace.attempts.size() == 3);
}

TEST_CASE("a request that is at fault itself ends the second round too") {
  LoneOffice office;
  office.transport.expect(fails());
  office.transport.expect(says(400, "{}"));
  auto answer = office.chat();
  CHECK(office.transport.pauses().size() == 1);
  CHECK(office.settle(answer).http_status == 400);
}

TEST_CASE("a token that is not accepted is renewed once, and the call goes on") {
  LoneOffice office;
  const auto tokens = std::make_shared<Tokens>();
  office.world.endpoints["a"].tokens = tokens;
  office.transport.expect(says(401, "{}"));
  office.transport.expect(says(200, good_answer()));
  auto answer = office.chat();
  CHECK(answer.status == 200);
  const auto& requests = office.transport.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].bearer.expose() == "token-1");
  CHECK(requests[1].bearer.expose() == "token-2");
  CHECK(requests[1].body == requests[0].body);
  CHECK(tokens->refused_tokens == std::vector<std::string>{"token-1"});
  CHECK(figures_of(office, 0).in_flight == 1);
  const auto row = office.settle(answer);
  REQUIRE(row.trace.attempts.size() == 1);
  CHECK(row.trace.attempts[0].note == "token renewed");
  CHECK(row.trace.attempts[0].error_code.empty());
  CHECK(figures_of(office, 0).in_flight == 0);
  CHECK(figures_of(office, 0).condition == Condition::healthy);
}

TEST_CASE("a second token that is not accepted either is the answer, and nobody else is asked") {
  for (const int renewals : {0, 5}) {
    Office office;
    const auto tokens = std::make_shared<Tokens>(renewals);
    office.world.endpoints["a"].tokens = tokens;
    office.transport.expect(says(401, R"({"error":{"message":"not you"}})"));
    if (renewals > 0) office.transport.expect(says(401, R"({"error":{"message":"not you"}})"));
    auto answer = office.chat();
    CHECK(answer.status == 401);
    CHECK(answer.body.find("not you") != std::string::npos);
    CHECK(office.transport.all_used());
    CHECK(tokens->refused_tokens.size() == 1);
    CHECK(office.settle(answer).trace.attempts.size() == 1);
    CHECK(figures_of(office, 0).condition == Condition::cooling);
  }
}

TEST_CASE("a renewed token leaves the deployment's probe what it was: its failure begins a longer cooldown") {
  LoneOffice office;
  office.world.settings.routing.num_retries = 0;
  office.world.endpoints["a"].tokens = std::make_shared<Tokens>();
  office.world.table.deployments[0].gauge->set_rules({0, Millis(1'000)});
  office.transport.expect(says(500, "{}"));
  { auto answer = office.chat(); }
  office.clock.advance(Millis(1'000));
  REQUIRE(figures_of(office, 0).condition == Condition::half_open);
  office.transport.expect(says(401, "{}"));
  office.transport.expect(says(500, "{}"));
  { auto answer = office.chat(); }
  CHECK(figures_of(office, 0).condition == Condition::cooling);
  CHECK(figures_of(office, 0).until_ready == Micros(2'000'000));
}

TEST_CASE("a deployment without a token is passed over, and cools") {
  Office office;
  office.world.endpoints["a"].tokens = std::make_shared<NoTokens>();
  office.transport.expect(says(200, good_answer()));
  auto answer = office.chat();
  CHECK(header(answer, "x-nemo-upstream") == "b");
  const auto row = office.settle(answer);
  REQUIRE(row.trace.attempts.size() == 2);
  CHECK(row.trace.attempts[0].error.find("no credentials") != std::string::npos);
  CHECK(figures_of(office, 0).condition == Condition::cooling);
  CHECK(figures_of(office, 0).in_flight == 0);

  LoneOffice alone;
  alone.world.endpoints["a"].tokens = std::make_shared<NoTokens>();
  auto refused = alone.chat();
  CHECK(refused.status == 502);
  CHECK(refused.body.find("no credentials") != std::string::npos);
  CHECK(alone.transport.pauses().empty());  // waiting does not bring a token
}

TEST_CASE("a call counts as in flight at the deployment that answers, until it has ended") {
  using gateway::Delivery;
  for (const Delivery delivery : {Delivery::complete, Delivery::client_gone}) {
    for (const bool stream : {false, true}) {
      Office office;
      office.transport.expect(fails());
      office.transport.expect(stream ? streams({role(), word("a"), finish(), done()}) : says(200, good_answer()));
      auto answer = stream ? office.chat_stream() : office.chat();
      CHECK(figures_of(office, 0).in_flight == 0);
      CHECK(figures_of(office, 1).in_flight == 1);
      if (stream) drained(answer);
      office.settle(answer, delivery);
      CHECK(figures_of(office, 1).in_flight == 0);
      CHECK(figures_of(office, 1).calls_this_minute == 1);
    }
  }
}

TEST_CASE("whatever ends a call, nothing stays in flight") {
  ScriptedAnswer left_before_head;
  left_before_head.has_head = false;
  left_before_head.ending = Ending::client_leaves;
  ScriptedAnswer left_in_body = says(200, "{");
  left_in_body.ending = Ending::client_leaves;
  ScriptedAnswer left_in_refusal = says(503, "{");
  left_in_refusal.ending = Ending::client_leaves;
  for (const ScriptedAnswer& one :
       {fails(), fails(ErrorKind::upstream_timeout), says(400, "{}"), says(503, "{}"), says(200, "no json"),
        streams({error_in_stream()}), left_before_head, left_in_body, left_in_refusal}) {
    LoneOffice office;
    office.world.settings.routing.num_retries = 0;
    office.transport.expect(one);
    { auto answer = office.chat_stream(); }
    CHECK(figures_of(office, 0).in_flight == 0);
    CHECK(figures_of(office, 0, routing::Answering::streamed).waiting == 0);
    CHECK(figures_of(office, 0).calls_this_minute == 1);
  }
}

TEST_CASE("a deployment's troubles reach its gauge; those of the request and of the client do not") {
  ScriptedAnswer left = says(200, "{");
  left.ending = Ending::client_leaves;
  struct Case {
    ScriptedAnswer answer;
    Condition condition;
  };
  const std::vector<Case> cases{{fails(), Condition::cooling},
                                {fails(ErrorKind::upstream_timeout), Condition::cooling},
                                {says(500, "{}"), Condition::cooling},
                                {says(408, "{}"), Condition::cooling},
                                {says(200, "no json"), Condition::cooling},
                                {says(200, R"({"error":{"message":"asleep"}})"), Condition::cooling},
                                {says(429, "{}"), Condition::cooling},
                                {busy("9"), Condition::rate_limited},
                                {says(401, "{}"), Condition::cooling},
                                {says(403, "{}"), Condition::cooling},
                                {says(400, "{}"), Condition::healthy},
                                {says(404, "{}"), Condition::healthy},
                                {says(422, "{}"), Condition::healthy},
                                {left, Condition::healthy},
                                {says(200, good_answer()), Condition::healthy}};
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(i);
    LoneOffice office;
    office.world.settings.routing.num_retries = 0;
    office.world.table.deployments[0].gauge->set_rules({0});  // the first failure counts
    office.transport.expect(cases[i].answer);
    auto answer = office.chat();
    office.settle(answer, answer.client_gone ? gateway::Delivery::client_gone : gateway::Delivery::complete);
    const auto figures = figures_of(office, 0);
    CHECK(figures.condition == cases[i].condition);
    CHECK(figures.last_trouble.empty() == (cases[i].condition == Condition::healthy));
  }
}

TEST_CASE("a stream that breaks after its first content is its deployment's trouble, a client that leaves is not") {
  for (const bool breaks : {true, false}) {
    LoneOffice office;
    office.world.table.deployments[0].gauge->set_rules({0});
    office.transport.expect(streams({role(), word("a")}, breaks ? Ending::broken : Ending::client_leaves));
    auto answer = office.chat_stream();
    std::string all;
    auto step = gateway::AnswerStream::Step::more;
    while (step == gateway::AnswerStream::Step::more) step = answer.stream->next(all, 1000);
    if (!breaks) answer.stream->client_left();
    office.settle(answer, breaks ? gateway::Delivery::complete : gateway::Delivery::client_gone);
    CHECK(figures_of(office, 0).condition == (breaks ? Condition::cooling : Condition::healthy));
    CHECK(figures_of(office, 0, routing::Answering::streamed).measured == 1);
  }
}

TEST_CASE("what a deployment has answered counts in its minute, tokens included") {
  LoneOffice office;
  office.transport.expect(says(200, good_answer(5, 7)));
  auto answer = office.chat();
  office.settle(answer);
  CHECK(figures_of(office, 0).tokens_this_minute == 12);
  CHECK(figures_of(office, 0).measured == 1);
  CHECK(figures_of(office, 0, routing::Answering::streamed).measured == 0);
}

}  // namespace nemo::test::rounds_test
