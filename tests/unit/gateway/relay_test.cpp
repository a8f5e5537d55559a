#include "daemon/gateway/relay.h"

#include <doctest/doctest.h>

#include "chunks.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/pass_through.h"
#include "daemon/protocol/translate/completions_to_chat.h"
#include "fake_clock.h"
#include "memory_ledger.h"
#include "scripted_transport.h"

namespace nemo::test::relay_test {

using namespace nemo;
using namespace nemo::test;
using gateway::Relay;
using gateway::RelayPlan;
using Opening = Relay::Opening;
using Step = gateway::AnswerStream::Step;

namespace {

constexpr int k_client = 1000;  // never looked at: the script says when the client leaves

struct Stand {
  MemoryLedger ledger;
  FakeClock clock;
  std::shared_ptr<gateway::Settlement> settlement;
  std::shared_ptr<ScriptedTraffic> traffic = std::make_shared<ScriptedTraffic>();
  std::unique_ptr<Relay> relay;

  explicit Stand(ScriptedAnswer answer, RelayPlan plan = {})
      : settlement(std::make_shared<gateway::Settlement>(ledger, clock, clock.steady())) {
    catalog::Pricing pricing;
    pricing.base.output = {1'000'000'000};
    settlement->use_pricing(pricing);
    settlement->sent_upstream(40);
    if (!plan.reader) plan.reader = protocol::make_openai_chunk_reader();
    if (!plan.translator)
      plan.translator = protocol::make_pass_through({protocol::k_openai_end, protocol::error_event});
    relay = std::make_unique<Relay>(std::make_unique<ScriptedExchange>(std::move(answer), traffic), std::move(plan),
                                    settlement);
  }

  Opening open() { return relay->open(k_client); }
  // All that the client gets, once open() has said that there is an answer.
  std::string rest(Step* last = nullptr) {
    std::string all;
    for (;;) {
      std::string out;
      const Step step = relay->next(out, k_client);
      all += out;
      if (last != nullptr) *last = step;
      if (step != Step::more) return all;
    }
  }
  std::string whole() {
    REQUIRE(open() == Opening::committed);
    return rest();
  }
  call::CallRecord row(gateway::Delivery delivery = gateway::Delivery::complete) {
    settlement->finish(delivery);
    REQUIRE(ledger.rows().size() == 1);
    return ledger.rows().front();
  }
};

RelayPlan showing_usage() {
  RelayPlan plan;
  plan.usage_frames = stream::UsageFrames::show;
  plan.cost = gateway::CostInUsage::show;
  return plan;
}

RelayPlan without_other_candidates() {
  RelayPlan plan;
  plan.hold = gateway::Hold::none;
  return plan;
}

bool ends_with_error(const std::string& text) {
  const auto at = text.rfind("data: {\"error\":");
  return at != std::string::npos && (at == 0 || text.substr(at - 2, 2) == "\n\n") && text.ends_with("}\n\n") &&
         text.find("upstream_error", at) != std::string::npos;
}

}  // namespace

TEST_CASE("a stream passes byte for byte") {
  const std::string bytes =
      ": hello\n\n" + role() + word("a") + "event: x\r\ndata: {\"choices\":[]}\r\n\r\n" + word("b") + finish() + done();
  CHECK(Stand(streams({bytes})).whole() == bytes);
  std::vector<std::string> single;
  for (const char c : bytes) single.emplace_back(1, c);
  CHECK(Stand(streams(single)).whole() == bytes);
}

TEST_CASE("nothing is committed before the first content") {
  Stand stand(streams({role(), ": ping\n\n"}, Ending::broken));
  CHECK(stand.open() == Opening::failed);
  CHECK(stand.relay->failure()->kind == ErrorKind::upstream_error);
}

TEST_CASE("the first word commits; the role before it goes along") {
  Stand stand(streams({role(), word("a"), word("b"), finish(), done()}));
  REQUIRE(stand.open() == Opening::committed);
  std::string out;
  CHECK(stand.relay->next(out, k_client) == Step::more);
  CHECK(out == role() + word("a"));
}

TEST_CASE("a role is passed on at once when no other deployment could answer") {
  Stand stand(streams({role(), ""}, Ending::silent), without_other_candidates());
  REQUIRE(stand.open() == Opening::committed);
  std::string out;
  CHECK(stand.relay->next(out, k_client) == Step::more);
  CHECK(out == role());
}

TEST_CASE("a role is not held back for ever in the hope of content") {
  Stand stand(streams({role(), "", word("late"), finish(), done()}));
  CHECK(stand.whole() == role() + word("late") + finish() + done());
}

TEST_CASE("an error event before any content is a failure that another deployment may make good") {
  Stand stand(streams({role(), error_in_stream()}));
  CHECK(stand.open() == Opening::failed);
  CHECK(stand.relay->failure()->message.find("the model broke down") != std::string::npos);
}

TEST_CASE("an error event stays a failure although [DONE] comes with it") {
  for (const bool alone : {false, true}) {
    Stand stand(streams({error_in_stream() + done()}), alone ? without_other_candidates() : RelayPlan{});
    CHECK(stand.open() == Opening::failed);
  }
}

TEST_CASE("an error event after content reaches the client as it is, and the call is an error") {
  Stand stand(streams({word("a"), error_in_stream(), done()}));
  CHECK(stand.whole().find(word("a") + error_in_stream()) == 0);
  CHECK(stand.row().outcome == call::Outcome::error);
}

TEST_CASE("an event that is not JSON before any content is a failure") {
  Stand stand(streams({event("{\"choices\":["), word("a"), done()}));
  CHECK(stand.open() == Opening::failed);
}

TEST_CASE("an empty stream is a failure, with a body of nothing and with nothing but [DONE] alike told apart") {
  CHECK(Stand(streams({})).open() == Opening::failed);
  Stand only_done(streams({done()}));
  CHECK(only_done.whole() == done());
}

TEST_CASE("usage that the client did not ask for is hidden, and billed all the same") {
  Stand stand(streams({word("a") + finish() + usage(5, 7) + done()}));
  CHECK(stand.whole() == word("a") + finish() + done());
  const auto row = stand.row();
  CHECK(row.usage.source == call::UsageSource::provider);
  CHECK(row.usage.output_tokens == 7);
  CHECK(row.cost == NanoUsd{7000});
}

TEST_CASE("usage that the client asked for is shown with its cost") {
  Stand stand(streams({word("a") + finish() + usage(5, 7) + done()}), showing_usage());
  const std::string all = stand.whole();
  CHECK(all.find("\"prompt_tokens\":5") != std::string::npos);
  CHECK(all.find("\"nemo_cost\":\"0.000007\"") != std::string::npos);
}

TEST_CASE("a final event without its newlines and a missing [DONE] are made good") {
  std::string bare = finish();
  bare.resize(bare.size() - 2);
  Stand stand(streams({word("a"), bare}));
  CHECK(stand.whole() == word("a") + finish() + done());
  CHECK(stand.row().outcome == call::Outcome::ok);
}

TEST_CASE("a [DONE] without its newlines is given them") {
  Stand stand(streams({word("a") + finish() + "data: [DONE]"}));
  CHECK(stand.whole() == word("a") + finish() + done());
}

TEST_CASE("an upstream that keeps its connection open after [DONE] is not waited for") {
  Stand stand(streams({word("a") + finish() + done()}, Ending::silent));
  CHECK(stand.whole() == word("a") + finish() + done());
  CHECK(stand.traffic->cancelled == 1);
}

TEST_CASE("a stream that breaks after content ends with an error event, never cleanly") {
  for (const Ending ending : {Ending::broken, Ending::complete}) {
    Stand stand(streams({role(), word("a"), word("b")}, ending));
    const std::string all = stand.whole();
    CHECK(all.find(role() + word("a") + word("b")) == 0);
    CHECK(ends_with_error(all));
    CHECK(all.find("[DONE]") == std::string::npos);
    CHECK(stand.row().outcome == call::Outcome::error);
  }
}

TEST_CASE("a stream that breaks inside an event tells so in an event of its own") {
  const std::string half = word("never finished").substr(0, 30);
  for (const Ending ending : {Ending::broken, Ending::complete}) {
    Stand together(streams({word("a") + half}, ending));
    CHECK(ends_with_error(together.whole()));
    Stand apart(streams({word("a"), half}, ending));
    const std::string all = apart.whole();
    CHECK(ends_with_error(all));
    CHECK(all.find("never") == std::string::npos);
  }
}

TEST_CASE("an event larger than the scanner keeps passes in pieces, and a break inside it is still told") {
  const std::string huge = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"" +
                           std::string(stream::SseScanner::k_largest_event + 1000, 'x');
  Stand stand(streams({word("a"), huge, "more"}, Ending::broken));
  CHECK(ends_with_error(stand.whole()));
}

TEST_CASE("a break after the finish was told loses nothing") {
  Stand stand(streams({word("a"), finish()}, Ending::broken));
  CHECK(stand.whole() == word("a") + finish() + done());
  CHECK(stand.row().outcome == call::Outcome::ok);
}

TEST_CASE("a client that leaves before the head of its stream cancels upstream") {
  Stand stand(streams({role()}, Ending::client_leaves));
  CHECK(stand.open() == Opening::client_gone);
  CHECK(stand.traffic->cancelled == 1);
}

TEST_CASE("a client that leaves in the middle cancels upstream at once and is billed for what came") {
  Stand stand(streams({word("abcd"), word("efgh")}, Ending::client_leaves));
  REQUIRE(stand.open() == Opening::committed);
  Step last{};
  stand.rest(&last);
  CHECK(last == Step::client_gone);
  CHECK(stand.traffic->cancelled == 0);
  stand.relay->client_left();
  CHECK(stand.traffic->cancelled == 1);
  const auto row = stand.row(gateway::Delivery::client_gone);
  CHECK(row.usage.source == call::UsageSource::partial);
  CHECK(row.usage.output_tokens == 2);
}

TEST_CASE("where the deployment drains, the answer is read to its end without the client, and its usage counts") {
  RelayPlan plan;
  plan.after_client = gateway::AfterClient::drain;
  ScriptedAnswer answer = streams({word("abcd")}, Ending::client_leaves);
  answer.after_client = {word("more"), finish() + usage(5, 50) + done()};
  Stand stand(std::move(answer), std::move(plan));
  REQUIRE(stand.open() == Opening::committed);
  stand.rest();
  stand.relay->client_left();
  CHECK(stand.traffic->cancelled == 0);
  const auto row = stand.row(gateway::Delivery::client_gone);
  CHECK(row.outcome == call::Outcome::cancelled);
  CHECK(row.usage.source == call::UsageSource::provider);
  CHECK(row.usage.output_tokens == 50);
}

TEST_CASE("a translated stream has the client's own dialect, its cost and its ending") {
  RelayPlan plan = showing_usage();
  plan.translator = protocol::make_chat_to_completions_translator();
  Stand stand(streams({role(), word("a"), word("b"), finish(), usage(5, 7), done()}), std::move(plan));
  const std::string all = stand.whole();
  CHECK(all.find("chat.completion") == std::string::npos);
  CHECK(all.find("\"text\":\"a\"") != std::string::npos);
  CHECK(all.find("\"nemo_cost\":\"0.000007\"") != std::string::npos);
  CHECK(all.ends_with(done()));
  CHECK(all.find("[DONE]") == all.rfind("[DONE]"));
}

TEST_CASE("a translated stream that breaks ends with an error event too") {
  RelayPlan plan;
  plan.translator = protocol::make_chat_to_completions_translator();
  Stand stand(streams({role(), word("a"), word("b").substr(0, 20)}, Ending::broken), std::move(plan));
  CHECK(ends_with_error(stand.whole()));
}

TEST_CASE("secrets in upstream's error event are not repeated") {
  Stand stand(streams({event(R"({"error":{"message":"bad key sk-abcdefghijklmnopqrstuvwx"}})")}));
  CHECK(stand.open() == Opening::failed);
  CHECK(stand.relay->failure()->message.find("abcdefgh") == std::string::npos);
}

}  // namespace nemo::test::relay_test
