#include <doctest/doctest.h>

#include <set>

#include "world.h"

namespace nemo::test::decide_experiment_test {

using namespace nemo;
using namespace nemo::test;

namespace {

// An experiment between "big" and "small" on the reasoning lane, whose own model is "big".
struct Trial : World {
  explicit Trial(std::vector<routing::Arm> arms = {{"big", 50}, {"small", 50}}) {
    routing::Experiment one;
    one.name = "try";
    one.lane = "reasoning";
    one.arms = std::move(arms);
    one.state = routing::ExperimentState::running;
    table.experiments.push_back(one);
  }
};

}  // namespace

TEST_CASE("an experiment on the lane chooses the model, and the reason says so") {
  for (const char* model : {"", "nemo/auto", "nemo/reasoning"}) {
    Trial world({{"small", 1}});
    REQUIRE(world.decide(model));
    CHECK(world.chosen() == Ids{"small@up"});
    CHECK(world.decision.model->id == "small");
    REQUIRE(world.decision.experiment != nullptr);
    CHECK(world.decision.experiment->name == "try");
    CHECK(world.decision.arm == &world.table.experiments[0].arms[0]);
    CHECK(world.decision.model_reason.find("; experiment try gives this seat the arm small") != std::string::npos);
  }
}

TEST_CASE("a model that the caller names, an alias and another lane are not part of an experiment") {
  Trial world({{"small", 1}});
  world.table.aliases["mine"] = "big";
  for (const char* model : {"big", "mine", "nemo/completion"}) {
    REQUIRE(world.decide(model));
    CHECK(world.decision.experiment == nullptr);
    CHECK(world.decision.arm == nullptr);
  }
}

TEST_CASE("a seat keeps its arm from call to call, or a request has its own, as the experiment says") {
  Trial world;
  const auto arms_of_ten_requests = [&](const std::string& seat) {
    std::set<std::string> arms;
    world.seat = seat;
    for (int i = 0; i < 10; ++i) {
      world.request_id = "req_" + std::to_string(i);
      REQUIRE(world.decide("nemo/reasoning"));
      arms.insert(world.decision.arm->model);
    }
    return arms;
  };
  std::set<std::string> all;
  for (int i = 0; i < 20; ++i) {
    const auto arms = arms_of_ten_requests("seat-" + std::to_string(i));
    CHECK(arms.size() == 1);
    all.merge(std::set(arms));
  }
  CHECK(all.size() == 2);
  world.table.experiments[0].unit = routing::ExperimentUnit::request;
  CHECK(arms_of_ten_requests("alice").size() == 2);
  CHECK(world.decision.model_reason.find("gives this request the arm") != std::string::npos);
}

TEST_CASE("an arm whose model the key may not use, or that is unknown, leaves the lane's own model") {
  Trial not_allowed({{"small", 1}});
  not_allowed.allowed = {"big"};
  Trial unknown({{"gone", 1}});
  Trial wrong_kind({{"embedder", 1}});
  for (Trial* world : {&not_allowed, &unknown, &wrong_kind}) {
    REQUIRE(world->decide("nemo/reasoning"));
    CHECK(world->chosen() == Ids{"big@up"});
    CHECK(world->decision.experiment == nullptr);
    CHECK(world->decision.model_reason.find("experiment") == std::string::npos);
  }
}

TEST_CASE("the lane's fallbacks and tags hold for an arm as for the lane's own model") {
  Trial world({{"small", 1}});
  world.table.lanes["reasoning"].fallbacks = {"big", "small"};
  REQUIRE(world.decide("nemo/reasoning"));
  CHECK(world.chosen() == Ids{"small@up", "big@up"});
  world.table.lanes["reasoning"].tags = {"reasoning"};
  REQUIRE(world.decide("nemo/reasoning"));
  CHECK(world.chosen() == Ids{"big@up"});
  CHECK(world.decision.arm->model == "small");
}

TEST_CASE("a key that may only use the arm's model may use the lane through it") {
  Trial world({{"small", 1}});
  world.allowed = {"small"};
  REQUIRE(world.decide("nemo/reasoning"));
  CHECK(world.chosen() == Ids{"small@up"});
}

}  // namespace nemo::test::decide_experiment_test
