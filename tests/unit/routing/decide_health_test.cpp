#include <doctest/doctest.h>

#include "world.h"

namespace nemo::test::decide_health_test {

using namespace nemo;
using namespace nemo::test;
using namespace std::chrono_literals;

namespace {

// "big" at up, order 1, and at spare, order 2; a call may fall back to "small".
struct Two : World {
  call::CallSpec spec;

  Two() {
    deploy("big", "spare", 2);
    spec.model = "big";
    spec.fallbacks = {"small"};
  }
  Ids order() {
    REQUIRE(decide(spec));
    return chosen();
  }
};

}  // namespace

TEST_CASE("a deployment that cools down comes after all others, those of fallback models too") {
  Two world;
  CHECK(world.order() == Ids{"big@up", "big@spare", "small@up"});
  world.break_down("big@up");
  CHECK(world.order() == Ids{"big@spare", "small@up", "big@up"});
  CHECK(world.reason_for("big@up") == "order 1, cooling down for another 5 s");
  CHECK(world.decision.model->id == "big");
  world.break_down("big@spare");
  CHECK(world.order() == Ids{"small@up", "big@up", "big@spare"});
  CHECK(world.decision.model->id == "small");
  world.break_down("small@up");
  CHECK(world.order() == Ids{"big@up", "big@spare", "small@up"});
}

TEST_CASE("a call is answered by what cools down rather than refused") {
  World world;
  world.break_down("big@up");
  REQUIRE(world.decide("big"));
  CHECK(world.chosen() == Ids{"big@up"});
}

TEST_CASE("after its cooldown a deployment is in its old place for one call at a time") {
  Two world;
  world.break_down("big@up");
  world.clock.advance(5s);
  CHECK(world.order() == Ids{"big@up", "big@spare", "small@up"});
  CHECK(world.reason_for("big@up") == "order 1, one call may try it after its cooldown");
  {
    const auto probe = world.begin("big@up");
    CHECK(world.order() == Ids{"big@spare", "small@up", "big@up"});
    CHECK(world.reason_for("big@up") == "order 1, another call tries it after its cooldown");
  }
  CHECK(world.order() == Ids{"big@up", "big@spare", "small@up"});
}

TEST_CASE("a deployment whose upstream asked to wait is left out until exactly then, with the reason") {
  Two world;
  world.limit("big@up", 30s);
  world.clock.advance(500ms);
  CHECK(world.order() == Ids{"big@spare", "small@up"});
  CHECK(world.reason_for("big@up") == "its upstream asked to wait for another 30 s");
  CHECK(world.decision.considered.back().exclusion == routing::Exclusion::rate_limited);
  world.clock.advance(29'500ms);
  CHECK(world.order() == Ids{"big@up", "big@spare", "small@up"});
}

TEST_CASE("a deployment whose calls a minute are used up is left out until one of them is a minute ago") {
  Two world;
  world.table.deployments.front().rpm = 2;
  world.begin("big@up");
  CHECK(world.order().front() == "big@up");
  world.clock.advance(20s);
  world.begin("big@up");
  CHECK(world.order() == Ids{"big@spare", "small@up"});
  CHECK(world.reason_for("big@up") == "its 2 calls a minute are used up");
  world.clock.advance(40s);
  CHECK(world.order().front() == "big@up");
}

TEST_CASE("when it is only a matter of time the refusal says how long, in whole seconds rounded up") {
  World world;
  world.deploy("big", "other");
  world.limit("big@up", 30s);
  world.limit("big@other", 12s);
  world.deploy("big", "third");
  world.limit("big@third", 20s);
  world.clock.advance(1'500ms);
  const Status status = world.decide("big");
  REQUIRE(!status);
  CHECK(status.error().kind == ErrorKind::no_deployment_available);
  CHECK(status.error().retry_after_s == 11);
  CHECK(status.error().message ==
        "No deployment of \"big\" can be used: big@up (its upstream asked to wait for another 29 s) "
        "big@other (its upstream asked to wait for another 11 s) "
        "big@third (its upstream asked to wait for another 19 s).");
  CHECK(world.decision.considered.size() == 3);
}

TEST_CASE("used up calls a minute tell when one is free again") {
  World world;
  world.table.deployments.front().rpm = 1;
  world.begin("big@up");
  world.clock.advance(12'300ms);
  CHECK(world.decide("big").error().retry_after_s == 48);
}

TEST_CASE("what time does not mend is not said to be mended by it") {
  World world;
  world.deploy("big", "other");
  call::CallSpec spec;
  spec.model = "big";
  spec.tags = {"nowhere"};
  CHECK(!world.decide(spec).error().retry_after_s);
  world.table.deployments.front().keyless = true;
  world.limit("big@other", 3s);
  CHECK(world.decide("big").error().retry_after_s == 3);
}

TEST_CASE("the lane's strategy decides among equals, and is told") {
  World world;
  world.deploy("big", "second");
  world.table.lanes["reasoning"].strategy = routing::Strategy::least_busy;
  const auto busy = world.begin("big@up");
  for (world.random = 0; world.random < 50; ++world.random) {
    REQUIRE(world.decide("nemo/reasoning"));
    CHECK(world.chosen() == Ids{"big@second", "big@up"});
    CHECK(world.decision.strategy == routing::Strategy::least_busy);
    REQUIRE(world.decide("big"));  // by its shape in the same lane
    CHECK(world.chosen() == Ids{"big@second", "big@up"});
  }
}

TEST_CASE("weights of 0 everywhere are equals") {
  World world;
  world.deploy("big", "second").weight = 0;
  world.table.deployments.front().weight = 0;
  int first = 0;
  for (world.random = 0; world.random < 1'000; ++world.random) {
    REQUIRE(world.decide("big"));
    if (world.chosen().front() == "big@up") ++first;
  }
  CHECK(first > 400);
  CHECK(first < 600);
}

TEST_CASE("each model of a chain of fallbacks is there once, whatever the chain repeats") {
  World world;
  world.table.lanes["reasoning"].fallbacks = {"small", "big", "small", "big"};
  REQUIRE(world.decide("nemo/reasoning"));
  CHECK(world.chosen() == Ids{"big@up", "small@up"});
}

TEST_CASE("where no deployment of a lane's model has its tags, the lane's fallback that has them answers") {
  World world;
  world.table.lanes["reasoning"].tags = {"code"};
  world.table.lanes["reasoning"].fallbacks = {"small"};
  REQUIRE(world.decide("nemo/reasoning"));
  CHECK(world.chosen() == Ids{"small@up"});
  CHECK(world.reason_for("big@up") == "its tags do not match");
  world.table.lanes["reasoning"].fallbacks.clear();
  CHECK(world.decide("nemo/reasoning").error().status() == 503);
}

TEST_CASE("candidates are told with their figures: those of the choices first, in their order") {
  World world;
  world.table.lanes["reasoning"].strategy = routing::Strategy::least_busy;
  world.deploy("big", "second").rpm = 100;
  world.deploy("big", "third").keyless = true;
  {
    auto call = world.begin("big@up");
    call.first_token(23'400us, world.clock.steady());
    call.failed(routing::Trouble::broken_answer, "upstream_error", std::nullopt, world.clock.steady());
  }
  const auto held = world.begin("big@up");
  REQUIRE(world.decide("big"));
  const auto told = routing::explain(world.decision);
  REQUIRE(told.size() == 3);
  CHECK(told[0].deployment == "big@second");
  CHECK(told[0].eligible);
  CHECK(told[0].reason == "order 1");
  CHECK(told[0].figures == "0 of 100 calls a minute, score 1");
  CHECK(told[1].deployment == "big@up");
  CHECK(told[1].figures == "ttft 23 ms, 1 in flight, score 2, last trouble upstream_error");
  CHECK(told[2].deployment == "big@third");
  CHECK(!told[2].eligible);
  CHECK(told[2].figures.empty());
}

TEST_CASE("a deployment that is put first to be measured is told as that") {
  World world;
  world.table.lanes["reasoning"].strategy = routing::Strategy::latency;
  world.deploy("big", "second");
  auto call = world.begin("big@up");
  call.first_token(5ms, world.clock.steady());
  REQUIRE(world.decide("big"));
  CHECK(world.chosen() == Ids{"big@second", "big@up"});
  CHECK(world.reason_for("big@second") == "order 1, tried to measure it");
  CHECK(world.explained("big@up").figures == "ttft 5.0 ms, 1 in flight, score 5");
}

}  // namespace nemo::test::decide_health_test
