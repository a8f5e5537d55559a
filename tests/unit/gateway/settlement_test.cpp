#include "daemon/gateway/settlement.h"

#include <doctest/doctest.h>

#include "fake_clock.h"
#include "memory_ledger.h"

namespace nemo::test::settlement_test {

using namespace nemo;
using call::Outcome;
using call::UsageSource;
using gateway::Delivery;
using gateway::Settlement;

namespace {

// 1 dollar per million input tokens, 10 per million output tokens.
catalog::Pricing simple_pricing() {
  catalog::Pricing pricing;
  pricing.base.input = {1'000'000'000};
  pricing.base.output = {10'000'000'000};
  return pricing;
}

struct Desk {
  test::MemoryLedger ledger;
  test::FakeClock clock;
  std::unique_ptr<Settlement> settlement = std::make_unique<Settlement>(ledger, clock, clock.steady());
  Desk() { settlement->use_pricing(simple_pricing()); }
  call::CallRecord row() const {
    REQUIRE(ledger.rows().size() == 1);
    return ledger.rows().front();
  }
};

}  // namespace

TEST_CASE("a call is settled exactly once, whoever ends it how often") {
  Desk desk;
  desk.settlement->finish(Delivery::complete);
  desk.settlement->finish(Delivery::client_gone);
  desk.settlement.reset();
  CHECK(desk.row().outcome == Outcome::ok);
}

TEST_CASE("a call that nobody ended is settled as an error when it is dropped") {
  Desk desk;
  desk.settlement.reset();
  CHECK(desk.row().outcome == Outcome::error);
  CHECK(desk.row().error_code == "internal_error");
}

TEST_CASE("a failure that was told of is not overwritten when the call is dropped") {
  Desk desk;
  desk.settlement->failed(fail(ErrorKind::upstream_timeout, "slow"));
  desk.settlement.reset();
  CHECK(desk.row().error_code == "upstream_timeout");
  CHECK(desk.row().http_status == 504);
}

TEST_CASE("what upstream states is what is billed, to the nano-dollar") {
  Desk desk;
  desk.settlement->sent_upstream(4000);
  desk.settlement->count_output(4000);
  desk.settlement->state_usage({7, 0, 3, 0, UsageSource::provider});
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().usage.source == UsageSource::provider);
  CHECK(desk.row().usage.input_tokens == 7);
  CHECK(desk.row().cost == NanoUsd{7 * 1000 + 3 * 10'000});
}

TEST_CASE("an answer without usage is estimated from its bytes, four to a token, rounded up") {
  Desk desk;
  desk.settlement->sent_upstream(41);
  desk.settlement->count_output(8);
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().usage.source == UsageSource::estimated);
  CHECK(desk.row().usage.input_tokens == 11);
  CHECK(desk.row().usage.output_tokens == 2);
  CHECK(desk.row().cost == NanoUsd{11 * 1000 + 2 * 10'000});
}

TEST_CASE("a client that leaves pays for what was streamed until then") {
  Desk desk;
  desk.settlement->sent_upstream(40);
  desk.settlement->count_output(12);
  desk.settlement->finish(Delivery::client_gone);
  CHECK(desk.row().outcome == Outcome::cancelled);
  CHECK(desk.row().error_code == "client_gone");
  CHECK(desk.row().http_status == 499);
  CHECK(desk.row().usage.source == UsageSource::partial);
  CHECK(desk.row().cost == NanoUsd{10 * 1000 + 3 * 10'000});
}

TEST_CASE("a client that leaves before the first word pays for its prompt") {
  Desk desk;
  desk.settlement->sent_upstream(40);
  desk.settlement->finish(Delivery::client_gone);
  CHECK(desk.row().usage.source == UsageSource::partial);
  CHECK(desk.row().usage.input_tokens == 10);
  CHECK(desk.row().cost > NanoUsd{0});
}

TEST_CASE("a stream that broke after some words is billed for them") {
  Desk desk;
  desk.settlement->sent_upstream(40);
  desk.settlement->count_output(12);
  desk.settlement->failed(fail(ErrorKind::upstream_error, "reset"));
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().outcome == Outcome::error);
  CHECK(desk.row().usage.source == UsageSource::partial);
  CHECK(desk.row().usage.output_tokens == 3);
}

TEST_CASE("an upstream that broke before any content costs nothing") {
  Desk desk;
  desk.settlement->sent_upstream(40);
  desk.settlement->failed(fail(ErrorKind::upstream_error, "refused"));
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().usage.source == UsageSource::none);
  CHECK(desk.row().cost == NanoUsd{0});
}

TEST_CASE("a call that never went upstream has no usage and no cost") {
  Desk desk;
  desk.settlement->refused(fail(ErrorKind::model_not_priced, "no price"));
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().outcome == Outcome::refused);
  CHECK(desk.row().http_status == 402);
  CHECK(desk.row().usage.source == UsageSource::none);
  CHECK(desk.row().cost == NanoUsd{0});
}

TEST_CASE("a refusal stays a refusal although its answer was not taken") {
  Desk desk;
  desk.settlement->refused(fail(ErrorKind::budget_exceeded, "Budget has been exceeded!"));
  desk.settlement->finish(Delivery::client_gone);
  CHECK(desk.row().outcome == Outcome::refused);
}

TEST_CASE("a client that left in the middle of a failure is a failure, not a cancel") {
  Desk desk;
  desk.settlement->failed(fail(ErrorKind::upstream_error, "reset"));
  desk.settlement->finish(Delivery::client_gone);
  CHECK(desk.row().outcome == Outcome::error);
}

TEST_CASE("a model without a price costs nothing, but its tokens are counted") {
  Desk desk;
  desk.settlement->use_pricing(std::nullopt);
  desk.settlement->sent_upstream(40);
  desk.settlement->count_output(4);
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().cost == NanoUsd{0});
  CHECK(desk.row().usage.output_tokens == 1);
}

TEST_CASE("latency is the whole of it, overhead is what upstream did not take") {
  Desk desk;
  const SteadyTime start = desk.clock.steady();
  desk.clock.advance(std::chrono::milliseconds(100));
  desk.settlement->upstream_time(start + std::chrono::milliseconds(1), start + std::chrono::milliseconds(91));
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().latency == std::chrono::milliseconds(100));
  CHECK(desk.row().overhead == std::chrono::milliseconds(10));
  CHECK(!desk.row().ttft);
}

TEST_CASE("of a stream the overhead is that of its first content, and later pieces do not move it") {
  Desk desk;
  const SteadyTime start = desk.clock.steady();
  desk.settlement->upstream_time(start, start + std::chrono::milliseconds(8));
  desk.clock.advance(std::chrono::milliseconds(10));
  desk.settlement->first_content_sent(desk.clock.steady());
  desk.clock.advance(std::chrono::seconds(5));
  desk.settlement->first_content_sent(desk.clock.steady());
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().ttft == std::chrono::milliseconds(10));
  CHECK(desk.row().overhead == std::chrono::milliseconds(2));
  CHECK(desk.row().latency == std::chrono::milliseconds(5010));
}

TEST_CASE("overhead is never negative, also when upstream's last byte came after the client's") {
  Desk desk;
  const SteadyTime start = desk.clock.steady();
  desk.settlement->upstream_time(start, start + std::chrono::hours(1));
  desk.settlement->finish(Delivery::complete);
  CHECK(desk.row().overhead == Micros{0});
}

}  // namespace nemo::test::settlement_test
