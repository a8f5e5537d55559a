#include <doctest/doctest.h>

#include <set>

#include "world.h"

namespace nemo::test::decide_test {

using namespace nemo;
using namespace nemo::test;

namespace {

call::CallSpec tagged(std::vector<std::string> tags) {
  call::CallSpec spec;
  spec.model = "small";
  spec.tags = std::move(tags);
  return spec;
}

}  // namespace

TEST_CASE("a model that the caller names is honoured") {
  World world;
  REQUIRE(world.decide("small"));
  CHECK(world.chosen() == Ids{"small@up"});
  CHECK(world.decision.model->id == "small");
  CHECK(world.decision.model_reason == "the caller named it");
}

TEST_CASE("an alias stands for its model, and the reason says so") {
  World world;
  world.table.aliases["quick"] = "small";
  REQUIRE(world.decide("quick"));
  CHECK(world.chosen() == Ids{"small@up"});
  CHECK(world.decision.model_reason == "\"quick\" is its alias");
}

TEST_CASE("no model, auto and nemo/auto go by the lane of the call's shape, and the reason says why") {
  World world;
  for (const char* name : {"", "auto", "nemo/auto"}) {
    REQUIRE(world.decide(name));
    CHECK(world.chosen() == Ids{"big@up"});
    CHECK(world.decision.lane == "reasoning");
    CHECK(world.decision.model_reason.find("lane reasoning, because") != std::string::npos);
  }
  call::CallSpec spec;
  spec.surface = call::Surface::openai_completions;
  REQUIRE(world.decide(spec));
  CHECK(world.chosen() == Ids{"small@up"});
  CHECK(world.decision.lane == "completion");
}

TEST_CASE("nemo/LANE is that lane's model, whatever the call's shape") {
  World world;
  REQUIRE(world.decide("nemo/completion"));
  CHECK(world.chosen() == Ids{"small@up"});
  CHECK(world.decision.lane == "completion");
}

TEST_CASE("a lane that does not exist is an error that names the lanes") {
  World world;
  const Status status = world.decide("nemo/fast");
  REQUIRE(!status);
  CHECK(status.error().kind == ErrorKind::model_not_found);
  CHECK(status.error().message.find("completion, reasoning") != std::string::npos);
  call::CallSpec spec;
  spec.lane = "fast";
  CHECK(world.decide(spec).error().kind == ErrorKind::model_not_found);
}

TEST_CASE("an unknown model is an error that offers the nearest ids") {
  World world;
  const Status status = world.decide("embeder");
  REQUIRE(!status);
  CHECK(status.error().kind == ErrorKind::model_not_found);
  CHECK(status.error().message.find("\"embedder\"") != std::string::npos);
  CHECK(status.error().param == "model");
}

TEST_CASE("embeddings need a model that makes them, and chats one that talks") {
  World world;
  call::CallSpec spec;
  spec.surface = call::Surface::openai_embeddings;
  CHECK(world.decide(spec).error().kind == ErrorKind::invalid_request);
  spec.model = "big";
  CHECK(world.decide(spec).error().kind == ErrorKind::invalid_request);
  spec.model = "embedder";
  CHECK(world.decide(spec).ok());
  CHECK(world.decide("embedder").error().kind == ErrorKind::invalid_request);
}

TEST_CASE("a model that the key may not use is refused, also through a lane or an alias") {
  World world;
  world.allowed = {"small"};
  world.table.aliases["large"] = "big";
  for (const char* name : {"big", "large", "nemo/reasoning", "nemo/auto"}) {
    CHECK(world.decide(name).error().kind == ErrorKind::model_not_allowed);
  }
  CHECK(world.decide("small").ok());
}

TEST_CASE("a model without a price is refused unless its upstream allows that") {
  World world;
  world.deploy("unpriced", "up");
  CHECK(world.decide("unpriced").error().kind == ErrorKind::model_not_priced);
  CHECK(world.reason_for("unpriced@up") == "the model has no price");
  world.deploy("unpriced", "free").unpriced_allowed = true;
  REQUIRE(world.decide("unpriced"));
  CHECK(world.chosen() == Ids{"unpriced@free"});
}

TEST_CASE("a model that nobody serves is told apart from one that does not exist") {
  World world;
  world.table.deployments.clear();
  CHECK(world.decide("big").error().kind == ErrorKind::no_deployment_available);
}

TEST_CASE("an upstream without its key is left out, and the reason says how to give it one") {
  World world;
  world.table.deployments.front().keyless = true;
  const Status status = world.decide("big");
  REQUIRE(!status);
  CHECK(status.error().kind == ErrorKind::no_deployment_available);
  CHECK(status.error().message.find("nemo login --upstream up") != std::string::npos);
  world.deploy("big", "second");
  REQUIRE(world.decide("big"));
  CHECK(world.chosen() == Ids{"big@second"});
  CHECK(world.decision.considered.size() == 2);
}

TEST_CASE("all tags must match, at the model or at the deployment") {
  World world;
  world.deploy("small", "eu").tags = {"eu"};
  REQUIRE(world.decide(tagged({"code"})));
  CHECK(world.chosen_in_any_order() == Ids{"small@eu", "small@up"});
  REQUIRE(world.decide(tagged({"code", "eu"})));
  CHECK(world.chosen() == Ids{"small@eu"});
  CHECK(world.reason_for("small@up") == "its tags do not match");
  CHECK(world.decide(tagged({"vision"})).error().kind == ErrorKind::no_deployment_available);
}

TEST_CASE("a tag with ! must not match") {
  World world;
  world.deploy("small", "eu").tags = {"eu"};
  REQUIRE(world.decide(tagged({"!eu"})));
  CHECK(world.chosen() == Ids{"small@up"});
  CHECK(!world.decide(tagged({"!code"})));
}

TEST_CASE("a tag with a colon attributes spend and chooses nothing") {
  World world;
  REQUIRE(world.decide(tagged({"team:growth", "!team:x"})));
  CHECK(world.chosen() == Ids{"small@up"});
}

TEST_CASE("a lane's own tags hold where the request brings none") {
  World world;
  world.deploy("small", "eu").tags = {"eu"};
  world.table.lanes["completion"].tags = {"eu"};
  REQUIRE(world.decide("nemo/completion"));
  CHECK(world.chosen() == Ids{"small@eu"});
  call::CallSpec spec = tagged({"fast"});
  spec.model = "nemo/completion";
  REQUIRE(world.decide(spec));
  CHECK(world.chosen_in_any_order() == Ids{"small@eu", "small@up"});
}

TEST_CASE("lower orders come first, and equals by chance") {
  World world;
  world.table.deployments.clear();
  world.deploy("big", "spare", 2);
  world.deploy("big", "first");
  world.deploy("big", "second");
  std::set<Ids> seen;
  for (world.random = 0; world.random < 100; ++world.random) {
    REQUIRE(world.decide("big"));
    seen.insert(world.chosen());
  }
  CHECK(seen == std::set<Ids>{{"big@first", "big@second", "big@spare"}, {"big@second", "big@first", "big@spare"}});
  CHECK(world.reason_for("big@spare") == "order 2");
}

TEST_CASE("fallbacks come after every deployment of the model itself") {
  World world;
  world.deploy("big", "spare", 9);
  call::CallSpec spec;
  spec.model = "big";
  spec.fallbacks = {"small"};
  REQUIRE(world.decide(spec));
  CHECK(world.chosen() == Ids{"big@up", "big@spare", "small@up"});
  CHECK(world.reason_for("small@up") == "a fallback");
  CHECK(world.decision.model->id == "big");
}

TEST_CASE("a lane's fallbacks are those of calls routed by it, and the request's own replace them") {
  World world;
  world.table.lanes["reasoning"].fallbacks = {"small"};
  REQUIRE(world.decide("nemo/reasoning"));
  CHECK(world.chosen() == Ids{"big@up", "small@up"});
  REQUIRE(world.decide("big"));
  CHECK(world.chosen() == Ids{"big@up"});
}

TEST_CASE("a fallback that the key may not use, or that is the model itself, is left out; an unknown one is an error") {
  World world;
  world.allowed = {"big"};
  call::CallSpec spec;
  spec.model = "big";
  spec.fallbacks = {"small", "big"};
  REQUIRE(world.decide(spec));
  CHECK(world.chosen() == Ids{"big@up"});
  spec.fallbacks = {"nope"};
  CHECK(world.decide(spec).error().kind == ErrorKind::model_not_found);
}

TEST_CASE("where only a fallback can serve, it is the model of the decision") {
  World world;
  world.table.deployments.front().keyless = true;
  call::CallSpec spec;
  spec.model = "big";
  spec.fallbacks = {"small"};
  REQUIRE(world.decide(spec));
  CHECK(world.decision.model->id == "small");
}

TEST_CASE("what had been decided before an error is kept for its explanation") {
  World world;
  world.deploy("unpriced", "up");
  CHECK(!world.decide("unpriced"));
  CHECK(world.decision.lane == "reasoning");
  CHECK(world.decision.model->id == "unpriced");
  CHECK(world.decision.considered.size() == 1);
  CHECK(world.decision.considered.front().exclusion == routing::Exclusion::unpriced);
}

}  // namespace nemo::test::decide_test
