#include "daemon/routing/experiment.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

namespace nemo::test::experiment_test {

using namespace nemo;
using namespace nemo::routing;

namespace {

Experiment experiment(std::vector<Arm> arms, std::string name = "try-flash") {
  Experiment made;
  made.name = std::move(name);
  made.lane = "completion";
  made.arms = std::move(arms);
  return made;
}

// How many of `units` get each arm.
std::map<std::string, int> shares(const Experiment& experiment, int units) {
  std::map<std::string, int> count;
  for (int i = 0; i < units; ++i) ++count[arm_for(experiment, "seat-" + std::to_string(i)).model];
  return count;
}

}  // namespace

TEST_CASE("arms get their shares of the units, within what chance allows") {
  constexpr int k_units = 20'000;
  const std::vector<std::vector<Arm>> cases{{{"a", 50}, {"b", 50}},
                                            {{"a", 90}, {"b", 10}},
                                            {{"a", 1}, {"b", 2}, {"c", 7}},
                                            {{"a", 1'000'000'000}, {"b", 2'000'000'000}, {"c", 1'000'000'000}}};
  for (const auto& arms : cases) {
    double total = 0;
    for (const Arm& arm : arms) total += arm.weight;
    auto count = shares(experiment(arms), k_units);
    for (const Arm& arm : arms) {
      const double share = arm.weight / total;
      const double deviation = std::sqrt(k_units * share * (1 - share));
      CAPTURE(arm.model);
      CHECK(std::abs(count[arm.model] - k_units * share) < 4 * deviation);
    }
  }
}

TEST_CASE("a unit keeps its arm") {
  const Experiment one = experiment({{"a", 50}, {"b", 50}});
  Experiment started = one;
  started.state = ExperimentState::running;
  started.started_at = WallTime(Micros(1));
  for (const char* seat : {"alice", "bob", ""}) {
    for (int i = 0; i < 3; ++i) CHECK(arm_for(one, seat).model == arm_for(started, seat).model);
  }
  // Fixed for good: another hash would move people between arms at an update.
  std::string arms;
  for (const char* seat : {"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"}) {
    arms += arm_for(one, seat).model;
  }
  CHECK(arms == "babbbaba");
}

TEST_CASE("an arm of weight 0 gets nobody") {
  CHECK(shares(experiment({{"a", 0}, {"b", 3}, {"c", 0}}), 1'000) == std::map<std::string, int>{{"b", 1'000}});
}

TEST_CASE("another experiment assigns independently of this one") {
  constexpr int k_units = 20'000;
  const Experiment one = experiment({{"a", 50}, {"b", 50}});
  const Experiment other = experiment({{"a", 50}, {"b", 50}}, "try-flash-2");
  int same = 0;
  for (int i = 0; i < k_units; ++i) {
    const std::string seat = "seat-" + std::to_string(i);
    if (arm_for(one, seat).model == arm_for(other, seat).model) ++same;
  }
  CHECK(std::abs(same - k_units / 2) < 4 * std::sqrt(k_units * 0.25));
}

TEST_CASE("an experiment that cannot run is refused, with what to change") {
  struct Row {
    Experiment experiment;
    const char* param;
    const char* says;
  };
  Experiment no_lane = experiment({{"a", 1}});
  no_lane.lane.clear();
  const std::vector<Row> rows{{experiment({}), "arms", "no arms"},
                              {experiment({{"a", 1}, {"b", 1}, {"a", 1}}), "arms", "\"a\" is two arms"},
                              {experiment({{"a", 2}, {"b", -1}}), "arms", "\"b\" is below 0"},
                              {experiment({{"a", 0}, {"b", 0}}), "arms", "add up to 0"},
                              {experiment({{"", 1}}), "arms", "names no model"},
                              {experiment({{"a", 1}}, ""), "name", "a-z, 0-9, - and _"},
                              {experiment({{"a", 1}}, "Try"), "name", "\"Try\""},
                              {experiment({{"a", 1}}, "a b"), "name", "\"a b\""},
                              {experiment({{"a", 1}}, std::string(65, 'a')), "name", "at most 64"},
                              {no_lane, "lane", "names no lane"}};
  for (const Row& row : rows) {
    const Status status = check(row.experiment);
    CAPTURE(row.says);
    REQUIRE(!status);
    CHECK(status.error().kind == ErrorKind::invalid_request);
    CHECK(status.error().param == row.param);
    CHECK(status.error().message.find(row.says) != std::string::npos);
  }
  CHECK(check(experiment({{"a", 50}, {"b", 0}}, "a-z_09")));
  CHECK(check(experiment({{"a", 1}}, std::string(64, 'a'))));
}

TEST_CASE("an experiment runs once: draft, running and paused to and fro, completed for good") {
  using enum ExperimentState;
  const std::set<std::pair<ExperimentState, ExperimentState>> allowed{
      {draft, running}, {running, paused}, {paused, running}, {running, completed}, {paused, completed}};
  for (const ExperimentState from : {draft, running, paused, completed}) {
    for (const ExperimentState to : {draft, running, paused, completed}) {
      const Status status = check_transition(from, to);
      CAPTURE(to_string(from));
      CAPTURE(to_string(to));
      CHECK(status.ok() == allowed.contains({from, to}));
      if (!status) CHECK(status.error().kind == ErrorKind::conflict);
    }
  }
  CHECK(check_transition(completed, running).error().message ==
        "The experiment is completed and cannot become running.");
  CHECK(check_transition(paused, paused).error().message == "The experiment is paused already.");
}

}  // namespace nemo::test::experiment_test
