#include "daemon/experiments.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "fake_clock.h"
#include "tests/unit/daemon/world.h"

namespace nemo::test::experiments_test {

using namespace nemo;
using namespace nemo::test;
using routing::Experiment;
using State = routing::ExperimentState;

namespace {

class MemoryExperiments final : public routing::ExperimentStore {
 public:
  Result<std::vector<Experiment>> load_experiments() override { return kept; }
  Status add_experiment(const Experiment& experiment) override {
    kept.push_back(experiment);
    return Done{};
  }
  Status update_experiment(const Experiment& experiment) override {
    if (refuses) return fail(ErrorKind::storage, "the disk is full");
    const auto at =
        std::find_if(kept.begin(), kept.end(), [&](const auto& one) { return one.name == experiment.name; });
    if (at == kept.end()) return fail(ErrorKind::not_found, "gone");
    *at = experiment;
    return Done{};
  }

  std::vector<Experiment> kept;
  bool refuses = false;
};

Experiment draft(const std::string& name = "e") {
  Experiment one;
  one.name = name;
  one.lane = "completion";
  one.arms = {{"gemini-2.5-flash", 50}, {"codestral-2", 50}};
  return one;
}

struct Laboratory {
  World world;
  FakeClock clock;
  MemoryExperiments store;
  Experiments experiments{store, world.configuration, world.live, clock};

  Laboratory() { REQUIRE(world.configuration.load().ok()); }
  std::vector<std::string> running() const {
    std::vector<std::string> names;
    const auto now = world.live.get();
    for (const Experiment& one : now->table.experiments) names.push_back(one.name);
    return names;
  }
};

}  // namespace

TEST_CASE("an experiment is in force while it runs, and only then") {
  Laboratory lab;
  REQUIRE(lab.experiments.add(draft()).ok());
  CHECK(lab.running().empty());
  CHECK(lab.experiments.set_state("e", State::running)->state == State::running);
  CHECK(lab.running() == std::vector<std::string>{"e"});
  REQUIRE(lab.experiments.set_state("e", State::paused).ok());
  CHECK(lab.running().empty());
  REQUIRE(lab.experiments.set_state("e", State::running).ok());
  REQUIRE(lab.experiments.set_state("e", State::completed).ok());
  CHECK(lab.running().empty());
}

TEST_CASE("an experiment keeps when it was first started, and when it was completed") {
  Laboratory lab;
  REQUIRE(lab.experiments.add(draft()).ok());
  const WallTime first = lab.clock.wall();
  CHECK(lab.experiments.set_state("e", State::running)->started_at == first);
  lab.clock.advance(std::chrono::hours(1));
  REQUIRE(lab.experiments.set_state("e", State::paused).ok());
  CHECK(lab.experiments.set_state("e", State::running)->started_at == first);
  const auto ended = lab.experiments.set_state("e", State::completed);
  CHECK(ended->ended_at == lab.clock.wall());
  CHECK(lab.store.kept.front().started_at == first);
}

TEST_CASE("what ran when the daemon stopped runs on, also after the config is read again") {
  Laboratory lab;
  lab.store.kept = {draft("idle"), draft("busy")};
  lab.store.kept[1].state = State::running;
  REQUIRE(lab.experiments.open().ok());
  CHECK(lab.running() == std::vector<std::string>{"busy"});
  REQUIRE(lab.world.configuration.reload().ok());
  CHECK(lab.running() == std::vector<std::string>{"busy"});
}

TEST_CASE("what cannot be kept is not put in force") {
  Laboratory lab;
  REQUIRE(lab.experiments.add(draft()).ok());
  lab.store.refuses = true;
  CHECK(lab.experiments.set_state("e", State::running).error().kind == ErrorKind::storage);
  CHECK(lab.running().empty());
}

TEST_CASE("an experiment that is not one, is not there or may not change so is refused") {
  Laboratory lab;
  Experiment empty = draft();
  empty.arms.clear();
  CHECK(lab.experiments.add(empty).error().kind == ErrorKind::invalid_request);
  CHECK(lab.store.kept.empty());
  CHECK(lab.experiments.set_state("nobody", State::running).error().kind == ErrorKind::not_found);
  REQUIRE(lab.experiments.add(draft()).ok());
  CHECK(lab.experiments.set_state("e", State::paused).error().kind == ErrorKind::conflict);
}

TEST_CASE("an experiment whose lane or model is gone is not started, and is told what to change") {
  Laboratory lab;
  Experiment lost = draft();
  lost.lane = "gone";
  lab.store.kept = {lost};
  const auto refused = lab.experiments.set_state("e", State::running);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::conflict);
  CHECK(refused.error().message.find("[lane.gone]") != std::string::npos);
  CHECK(lab.store.kept.front().state == State::draft);
}

TEST_CASE("an experiment whose lane goes is out of force, and in force again when the lane is back") {
  Laboratory lab;
  const std::string lane = "[lane.mine]\nmodel = \"codestral-2\"\n";
  write_file(lab.world.file, lane);
  REQUIRE(lab.world.configuration.reload().ok());
  Experiment own = draft();
  own.lane = "mine";
  REQUIRE(lab.experiments.add(own).ok());
  REQUIRE(lab.experiments.set_state("e", State::running).ok());
  write_file(lab.world.file, "");
  REQUIRE(lab.world.configuration.reload().ok());
  CHECK(lab.running().empty());
  write_file(lab.world.file, lane);
  REQUIRE(lab.world.configuration.reload().ok());
  CHECK(lab.running() == std::vector<std::string>{"e"});
}

}  // namespace nemo::test::experiments_test
