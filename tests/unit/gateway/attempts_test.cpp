#include "daemon/gateway/attempts.h"

#include <doctest/doctest.h>

#include "chunks.h"
#include "office.h"

namespace nemo::test::attempts_test {

using namespace nemo;
using namespace nemo::test;

namespace {

std::string error_code(const gateway::Answer& answer) {
  const auto at = answer.body.find("\"code\":\"");
  return at == std::string::npos ? "" : answer.body.substr(at + 8, answer.body.find('"', at + 8) - at - 8);
}

std::vector<std::string> tried(const call::CallRecord& row) {
  std::vector<std::string> names;
  for (const call::Attempt& attempt : row.trace.attempts) names.push_back(attempt.upstream);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the first candidate that answers is the only one asked") {
  Office office;
  office.transport.expect(says(200, good_answer()));
  auto answer = office.chat();
  CHECK(answer.status == 200);
  CHECK(answer.body == good_answer());
  CHECK(office.transport.requests().size() == 1);
  CHECK(header(answer, "x-nemo-attempts") == "1");
  CHECK(header(answer, "x-nemo-upstream") == "a");
}

TEST_CASE("each candidate is asked for its own name of the model, at its own place, with its own key") {
  Office office;
  office.transport.expect(fails());
  office.transport.expect(says(200, good_answer()));
  CHECK(office.chat().status == 200);
  const auto& requests = office.transport.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].url == "http://a.test/v1/chat/completions");
  CHECK(requests[1].url == "http://b.test/v1/chat/completions");
  CHECK(requests[0].body.find("\"m-at-a\"") != std::string::npos);
  CHECK(requests[1].body.find("\"m-at-b\"") != std::string::npos);
  CHECK(requests[1].bearer.expose() == "key-of-b");
}

TEST_CASE("trouble that may pass goes to the next candidate: no connection, a timeout, 408, 409, 429 and 5xx") {
  for (const int status : {0, 1, 408, 409, 429, 500, 502, 503, 529}) {
    Office office;
    if (status < 2) {
      office.transport.expect(fails(status == 0 ? ErrorKind::upstream_error : ErrorKind::upstream_timeout));
    } else {
      office.transport.expect(says(status, R"({"error":{"message":"not now"}})"));
    }
    office.transport.expect(says(200, good_answer()));
    auto answer = office.chat();
    CHECK_MESSAGE(answer.status == 200, status);
    CHECK(tried(office.settle(answer)) == Names{"a", "b"});
  }
}

TEST_CASE("a request that is at fault itself is not tried elsewhere: upstream's 4xx reaches the client") {
  for (const int status : {400, 401, 403, 404, 413, 422}) {
    Office office;
    office.transport.expect(says(status, R"({"error":{"message":"no such thing","code":"theirs"}})"));
    auto answer = office.chat();
    CHECK(answer.status == status);
    CHECK(answer.body.find("no such thing") != std::string::npos);
    CHECK(error_code(answer) == "theirs");
    const auto row = office.settle(answer);
    CHECK(tried(row) == Names{"a"});
    CHECK(row.http_status == status);
    CHECK(row.cost == NanoUsd{0});
  }
}

TEST_CASE("num_retries bounds the attempts, however many candidates there are") {
  for (const int retries : {0, 1, 2}) {
    Office office;
    office.world.settings.routing.num_retries = retries;
    for (int i = 0; i <= retries; ++i) office.transport.expect(fails());
    auto answer = office.chat();
    CHECK(answer.status == 502);
    CHECK(error_code(answer) == "upstream_error");
    CHECK(static_cast<int>(office.settle(answer).trace.attempts.size()) == retries + 1);
    CHECK(office.transport.all_used());
  }
}

TEST_CASE("what the client is told is the last candidate's trouble") {
  Office office;
  office.transport.expect(fails());
  office.transport.expect(says(503, "{}"));
  ScriptedAnswer busy = says(429, R"({"error":{"message":"slow down","code":"theirs"}})");
  busy.headers.push_back({"retry-after", "7"});
  office.transport.expect(std::move(busy));
  auto answer = office.chat();
  CHECK(answer.status == 429);
  CHECK(header(answer, "retry-after") == "7");
  CHECK(header(answer, "x-should-retry") == "false");  // it has been tried often enough
}

TEST_CASE("a single attempt leaves trying again to the client") {
  Office office;
  office.world.settings.routing.num_retries = 0;
  office.transport.expect(says(503, "{}"));
  CHECK(header(office.chat(), "x-should-retry").empty());
}

TEST_CASE("the trace tells of each attempt: where, which status, why it failed") {
  Office office;
  office.transport.expect(fails());
  office.transport.expect(says(503, R"({"error":{"message":"overloaded"}})"));
  office.transport.expect(says(200, good_answer()));
  auto answer = office.chat();
  const auto row = office.settle(answer);
  REQUIRE(row.trace.attempts.size() == 3);
  const auto& [refused, overloaded, good] =
      std::tie(row.trace.attempts[0], row.trace.attempts[1], row.trace.attempts[2]);
  CHECK(refused.deployment == "m@a");
  CHECK(refused.http_status == 0);
  CHECK(refused.error_code == "upstream_error");
  CHECK(refused.error.find("refused") != std::string::npos);
  CHECK(overloaded.http_status == 503);
  CHECK(overloaded.error.find("overloaded") != std::string::npos);
  CHECK(good.http_status == 200);
  CHECK(good.error_code.empty());
  CHECK(row.attempts == 3);
  CHECK(row.upstream == "c");
  CHECK(row.outcome == call::Outcome::ok);
}

TEST_CASE("a failure inside a 200 before any content goes to the next candidate, unseen by the client") {
  for (const auto& bad : {streams({role(), error_in_stream()}), streams({role()}, Ending::broken), streams({}),
                          streams({event("not json"), word("x")})}) {
    Office office;
    office.transport.expect(bad);
    office.transport.expect(streams({role(), word("b"), finish(), done()}));
    auto answer = office.chat_stream();
    CHECK(answer.status == 200);
    REQUIRE(answer.stream != nullptr);
    std::string all;
    while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
    }
    CHECK(all == role() + word("b") + finish() + done());
    CHECK(tried(office.settle(answer)) == Names{"a", "b"});
  }
}

TEST_CASE("after the first content nothing is tried again") {
  Office office;
  office.transport.expect(streams({role(), word("a")}, Ending::broken));
  auto answer = office.chat_stream();
  CHECK(answer.status == 200);
  std::string all;
  while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
  }
  CHECK(all.find("upstream_error") != std::string::npos);
  CHECK(office.transport.requests().size() == 1);
}

TEST_CASE("an answer that breaks off, or is no JSON object, is tried elsewhere") {
  ScriptedAnswer cut = says(200, R"({"choices":[)");
  cut.ending = Ending::broken;
  for (const ScriptedAnswer& bad : {cut, says(200, "<html>"), says(200, ""), says(200, "[1]")}) {
    Office office;
    office.transport.expect(bad);
    office.transport.expect(says(200, good_answer()));
    CHECK(office.chat().status == 200);
  }
}

TEST_CASE("an error that comes with status 200 is tried elsewhere, and told as an error if nobody does better") {
  const std::string error = R"({"error":{"message":"the engine is asleep"}})";
  Office office;
  office.transport.expect(says(200, error));
  office.transport.expect(says(200, good_answer()));
  CHECK(office.chat().body == good_answer());

  Office unlucky;
  for (int candidate = 0; candidate < 3; ++candidate) unlucky.transport.expect(says(200, error));
  auto answer = unlucky.chat();
  CHECK(answer.status == 502);
  CHECK(answer.body.find("the engine is asleep") != std::string::npos);
  CHECK(unlucky.settle(answer).cost.value == 0);
}

TEST_CASE("a client that leaves is not answered and nobody else is tried, at whatever stage") {
  ScriptedAnswer before_head;
  before_head.has_head = false;
  before_head.ending = Ending::client_leaves;
  ScriptedAnswer in_body = says(200, "{");
  in_body.ending = Ending::client_leaves;
  ScriptedAnswer in_refusal = says(503, "{");
  in_refusal.ending = Ending::client_leaves;
  for (const ScriptedAnswer& one : {before_head, in_body, in_refusal}) {
    Office office;
    office.transport.expect(one);
    auto answer = office.chat();
    CHECK(answer.client_gone);
    CHECK(office.transport.cancelled() == 1);
    CHECK(office.transport.requests().size() == 1);
    const auto row = office.settle(answer, gateway::Delivery::client_gone);
    CHECK(row.outcome == call::Outcome::cancelled);
    CHECK(row.http_status == 499);
  }
}

TEST_CASE("another model as a fallback is billed at its own price") {
  Office office;
  office.world.catalog = catalog::Catalog({{"m", model({"chat"})}, {"other", model({"chat"})}});
  catalog::ModelOverride dear = model({"chat"});
  dear.price->output = {100'000'000'000};
  office.world.catalog = catalog::Catalog({{"m", model({"chat"})}, {"other", dear}});
  office.world.table.deployments.clear();
  office.deploy("m", "a");
  office.deploy("other", "b");
  office.transport.expect(fails());
  office.transport.expect(says(200, good_answer(0, 2)));
  auto answer = office.ask(R"({"model":"m","nemo_fallbacks":["other"],"messages":[{"role":"user","content":"hi"}]})");
  CHECK(header(answer, "x-nemo-model") == "other");
  CHECK(header(answer, "x-nemo-request-cost") == "0.0002");
  CHECK(office.settle(answer).model == "other");
}

TEST_CASE("a lane's own patience for the first token replaces the upstream's") {
  Office office;
  office.world.settings.lanes["reasoning"].first_token_timeout = config::Millis(1234);
  office.world.endpoints["a"].settings.idle_timeout = config::Millis(77);
  office.world.endpoints["a"].settings.connect_timeout = config::Millis(88);
  office.transport.expect(says(200, good_answer()));
  office.chat();
  const auto& request = office.transport.requests().at(0);
  CHECK(request.first_byte_timeout == config::Millis(1234));
  CHECK(request.idle_timeout == config::Millis(77));
  CHECK(request.connect_timeout == config::Millis(88));
}

}  // namespace nemo::test::attempts_test
