// What the gauges and a decision look like from the command line.
#include "daemon/admin/convert_route.h"

#include <doctest/doctest.h>

namespace nemo::test::convert_route_test {

using namespace nemo;
using nemo::routing::Answering;

namespace {

const SteadyTime k_start{std::chrono::hours{1}};

SteadyTime after(std::chrono::milliseconds time) {
  return k_start + time;
}

struct World {
  catalog::Model model;
  routing::Table table;

  World() {
    model.id = "flash";
    table.lanes = {{"completion", {}}, {"reasoning", {}}};
    routing::Deployment near;
    near.id = "flash@near";
    near.model = "flash";
    near.upstream = "near";
    near.upstream_model = "x/flash";
    near.order = 2;
    near.weight = 3;
    near.tags = {"eu"};
    near.rpm = 600;
    routing::Deployment far = near;
    far.id = "flash@far";
    far.gauge = std::make_shared<routing::Gauge>();
    table.deployments = {near, far};
  }
  routing::Gauge& gauge(std::size_t at) { return *table.deployments.at(at).gauge; }
};

}  // namespace

TEST_CASE("a deployment shows what is configured, what runs, and its speed in every lane") {
  World world;
  auto streamed = world.gauge(0).begin("completion", Answering::streamed, after({}));
  streamed.first_token(Micros{23'000}, after(std::chrono::seconds{1}));
  auto whole = world.gauge(0).begin("reasoning", Answering::whole, after(std::chrono::seconds{1}));
  whole.first_token(Micros{900'000}, after(std::chrono::seconds{2}));
  const auto list = admin::to_deployments(world.table, after(std::chrono::milliseconds{5'900}));
  REQUIRE(list.size() == 2);
  const admin::Deployment& near = list.front();
  CHECK(near.deployment == "flash@near");
  CHECK(near.upstream_model == "x/flash");
  CHECK(near.order == 2);
  CHECK(near.weight == 3);
  CHECK(near.tags == std::vector<std::string>{"eu"});
  CHECK(near.rpm == 600);
  CHECK(near.health == "healthy");
  CHECK_FALSE(near.ready_in_s);
  CHECK(near.in_flight == 2);
  CHECK(near.calls_this_minute == 2);
  REQUIRE(near.lanes.size() == 2);
  CHECK(near.lanes.at(0).lane == "completion");
  CHECK(near.lanes.at(0).ttft_ms == doctest::Approx(23));
  CHECK(near.lanes.at(0).measured == 1);
  CHECK(near.lanes.at(0).measured_s_ago == 4);
  CHECK_FALSE(near.lanes.at(1).ttft_ms);  // a whole answer says nothing of a stream's first token
  CHECK_FALSE(near.lanes.at(1).measured_s_ago);
  CHECK(list.back().in_flight == 0);
}

TEST_CASE("a deployment that was limited says for how long, and why") {
  World world;
  world.gauge(0)
      .begin("completion", Answering::streamed, after({}))
      .failed(routing::Trouble::rate_limited, "rate_limit_exceeded", std::chrono::seconds{30}, after({}));
  const auto list = admin::to_deployments(world.table, after(std::chrono::seconds{10}));
  CHECK(list.at(0).health == "rate-limited");
  CHECK(list.at(0).ready_in_s == doctest::Approx(20));
  CHECK(list.at(0).last_trouble == "rate_limit_exceeded");
  CHECK(list.at(1).health == "healthy");
}

TEST_CASE("a deployment that failed too often cools, and is half-open when the time is over") {
  World world;
  world.gauge(0).set_rules({0, std::chrono::seconds{12}, std::chrono::minutes{5}});
  world.gauge(0)
      .begin("completion", Answering::streamed, after({}))
      .failed(routing::Trouble::server_error, "upstream_error", std::nullopt, after({}));
  const auto cooling = admin::to_deployments(world.table, after(std::chrono::seconds{2})).front();
  CHECK(cooling.health == "cooling");
  REQUIRE(cooling.ready_in_s);
  CHECK(*cooling.ready_in_s > 0);
  CHECK(*cooling.ready_in_s <= 12);
  const auto later = admin::to_deployments(world.table, after(std::chrono::minutes{10})).front();
  CHECK(later.health == "half-open");
  CHECK_FALSE(later.ready_in_s);
}

TEST_CASE("a deployment without a key says so whatever its health is") {
  World world;
  world.table.deployments.front().keyless = true;
  CHECK(admin::to_deployments(world.table, k_start).front().health == "no key");
}

TEST_CASE("a plan has the candidates in their order with scores, and those left out with reasons and none") {
  World world;
  routing::Experiment experiment;
  experiment.name = "lite";
  experiment.unit = routing::ExperimentUnit::request;
  const routing::Arm arm{"flash", 50};
  routing::Decision decision;
  decision.lane = "completion";
  decision.model = &world.model;
  decision.model_reason = "the experiment chose it";
  decision.strategy = routing::Strategy::latency;
  decision.experiment = &experiment;
  decision.arm = &arm;
  routing::Considered best{&world.table.deployments.at(1), &world.model, routing::Exclusion::none, {}};
  best.score = 23.4;
  best.is_fallback = true;
  best.explored = true;
  best.figures.ttft = Micros{23'000};
  const routing::Considered out{&world.table.deployments.at(0), &world.model, routing::Exclusion::tags, {}};
  decision.considered = {best, out};
  const admin::RoutePlan plan = admin::to_plan({}, decision, Done{});
  CHECK(plan.model == "flash");
  CHECK(plan.model_reason == "the experiment chose it");
  CHECK(plan.strategy == "latency");
  CHECK(plan.experiment == "lite");
  CHECK(plan.experiment_by == "request");
  CHECK(plan.arm == "flash");
  CHECK(plan.error_code.empty());
  REQUIRE(plan.candidates.size() == 2);
  CHECK(plan.candidates.at(0).deployment == "flash@far");
  CHECK(plan.candidates.at(0).eligible);
  CHECK(plan.candidates.at(0).is_fallback);
  CHECK(plan.candidates.at(0).explored);
  CHECK(plan.candidates.at(0).score == 23.4);
  CHECK(plan.candidates.at(0).figures.find("ttft 23 ms") != std::string::npos);
  CHECK_FALSE(plan.candidates.at(1).eligible);
  CHECK_FALSE(plan.candidates.at(1).score);
  CHECK(plan.candidates.at(1).reason == "its tags do not match");
}

TEST_CASE("a plan of a call that would be refused has the code and the reason, and what was decided before") {
  routing::Decision decision;
  decision.lane = "reasoning";
  const admin::RoutePlan plan =
      admin::to_plan({}, decision, fail(ErrorKind::no_deployment_available, "No upstream serves it."));
  CHECK(plan.lane == "reasoning");
  CHECK(plan.model.empty());
  CHECK(plan.error_code == "no_deployment_available");
  CHECK(plan.error == "No upstream serves it.");
}

TEST_CASE("the lane's reason is that of the call's shape, unless the caller chose the lane") {
  call::CallSpec spec = admin::to_spec({"", "", {}, "", true, true, false, {}, 0});
  routing::Decision decision;
  std::string why;
  decision.lane = routing::lane_of(spec, why);
  CHECK(decision.lane == "completion");
  CHECK(admin::to_plan(spec, decision, Done{}).lane_reason == why);
  decision.lane = "reasoning";
  decision.model_reason = "the caller named lane reasoning";
  CHECK(admin::to_plan(spec, decision, Done{}).lane_reason == "the caller named lane reasoning");
}

}  // namespace nemo::test::convert_route_test
