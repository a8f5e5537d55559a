// Deployments, experiments and explained routes through the admin edge.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "cli/admin_client.h"
#include "daemon/admin/routes.h"
#include "tests/cli/fake_daemon.h"

namespace nemo::test::routing_routes_test {

using namespace nemo;
using nemo::cli::AdminClient;
using nemo::routing::ExperimentState;
using nemo::test::FakeDaemon;

namespace {

admin::Model model_named(const std::string& id) {
  admin::Model model;
  model.id = id;
  model.capabilities = {"chat"};
  return model;
}

struct Running : FakeDaemon {
  Running() {
    control.the_models = {model_named("flash"), model_named("flash-lite"), model_named("pro")};
    control.the_models.push_back(model_named("embedder"));
    control.the_models.back().capabilities = {"embeddings"};
    control.the_models.push_back(model_named("wild"));
    control.the_models.back().in_catalog = false;
    start();
  }
  AdminClient client{socket};

  admin::ExperimentRequest request(const std::string& name = "lite") const {
    return {name, "completion", {{"flash", 50}, {"flash-lite", 50}}, "seat"};
  }
  void keep(const std::string& name, ExperimentState state, const std::string& lane = "completion") {
    routing::Experiment one;
    one.name = name;
    one.lane = lane;
    one.arms = {{"flash", 50}, {"flash-lite", 50}};
    one.state = state;
    control.the_experiments.push_back(one);
  }
  std::string make_key(const std::vector<std::string>& models) {
    const auto made = client.create_key({"alice", "", models, std::nullopt});
    REQUIRE(made.ok());
    return made->record.id;
  }
  ExperimentState state_of(const std::string& name) const {
    for (const auto& one : control.the_experiments) {
      if (one.name == name) return one.state;
    }
    throw std::runtime_error("no such experiment");
  }
};

bool holds(const Error& error, const std::string& part) {
  CAPTURE(error.message);
  return error.message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an experiment is made as a draft with its arms, its lane, its unit and its time") {
  Running daemon;
  admin::ExperimentRequest request = daemon.request();
  request.by = "request";
  const auto made = daemon.client.create_experiment(request);
  REQUIRE(made.ok());
  CHECK(made->state == "draft");
  CHECK(made->by == "request");
  CHECK(made->created_at == "2026-11-22T12:00:00.000Z");
  CHECK(made->started_at.empty());
  REQUIRE(daemon.control.the_experiments.size() == 1);
  CHECK(daemon.control.the_experiments.front().unit == routing::ExperimentUnit::request);
  const auto list = daemon.client.experiments();
  REQUIRE(list->size() == 1);
  CHECK(list->front().arms.at(1).model == "flash-lite");
}

TEST_CASE("an experiment that makes no sense is refused with what to change, and none is made") {
  Running daemon;
  const auto refused = [&daemon](const admin::ExperimentRequest& request) {
    const auto made = daemon.client.create_experiment(request);
    CHECK(daemon.control.the_experiments.empty());
    return made.ok() ? fail(ErrorKind::internal, "it was made") : made.error();
  };
  admin::ExperimentRequest request = daemon.request();
  request.arms = {{"flash", 0}, {"flash-lite", 0}};
  CHECK(refused(request).kind == ErrorKind::invalid_request);
  request.arms = {{"flash", 50}, {"flash", 50}};
  CHECK(holds(refused(request), "\"flash\""));
  request.arms = {{"flash", -1}, {"flash-lite", 50}};
  CHECK(refused(request).kind == ErrorKind::invalid_request);
  request.arms = {{"flash", 50}, {"flash-lite", 3'000'000'000}};
  CHECK(holds(refused(request), "flash-lite"));
  request.arms = {};
  CHECK(refused(request).kind == ErrorKind::invalid_request);
  request = daemon.request("Bad Name");
  CHECK(refused(request).kind == ErrorKind::invalid_request);
  request = daemon.request();
  request.by = "moon";
  CHECK(holds(refused(request), "\"seat\" or \"request\""));
}

TEST_CASE("an unknown lane is met with the lanes, an unknown model with the nearest") {
  Running daemon;
  admin::ExperimentRequest request = daemon.request();
  request.lane = "fast";
  const auto lane = daemon.client.create_experiment(request);
  CHECK(lane.error().kind == ErrorKind::not_found);
  CHECK(holds(lane.error(), "the lanes are: completion"));
  request = daemon.request();
  request.arms.at(1).model = "flash-lit";
  const auto model = daemon.client.create_experiment(request);
  CHECK(model.error().kind == ErrorKind::model_not_found);
  CHECK(holds(model.error(), "did you mean \"flash-lite\""));
  CHECK(daemon.control.the_experiments.empty());
}

TEST_CASE("a model that no call can be sent to is refused") {
  Running daemon;
  admin::ExperimentRequest request = daemon.request();
  request.arms.at(1).model = "embedder";
  CHECK(holds(daemon.client.create_experiment(request).error(), "only makes embeddings"));
  request.arms.at(1).model = "wild";
  CHECK(holds(daemon.client.create_experiment(request).error(), "[model.\"wild\"]"));
}

TEST_CASE("a key that may use one arm and not the other stands in the way, and is named") {
  Running daemon;
  daemon.make_key({"pro"});  // none of the arms: not made for this lane
  daemon.make_key({});       // every model
  const std::string narrow = daemon.make_key({"flash"});
  const auto refused = daemon.client.create_experiment(daemon.request());
  CHECK(refused.error().kind == ErrorKind::model_not_allowed);
  CHECK(holds(refused.error(), narrow));
  CHECK(holds(refused.error(), "\"flash-lite\""));
  CHECK(daemon.control.the_experiments.empty());
  REQUIRE(daemon.client.revoke_key(narrow).ok());
  CHECK(daemon.client.create_experiment(daemon.request()).ok());
}

TEST_CASE("an experiment starts, pauses, goes on and stops; steps that make no sense change nothing") {
  Running daemon;
  daemon.keep("lite", ExperimentState::draft);
  CHECK(daemon.client.pause_experiment("lite").error().kind == ErrorKind::conflict);
  CHECK(daemon.client.stop_experiment("lite").error().kind == ErrorKind::conflict);
  CHECK(daemon.state_of("lite") == ExperimentState::draft);
  CHECK(daemon.client.start_experiment("lite")->state == "running");
  CHECK(daemon.client.start_experiment("lite").error().kind == ErrorKind::conflict);
  CHECK(daemon.client.pause_experiment("lite")->state == "paused");
  CHECK(daemon.client.start_experiment("lite")->state == "running");
  CHECK(daemon.client.stop_experiment("lite")->state == "completed");
  CHECK(daemon.client.start_experiment("lite").error().kind == ErrorKind::conflict);
  CHECK(daemon.state_of("lite") == ExperimentState::completed);
}

TEST_CASE("an experiment that nobody made is not found, and says where to look") {
  Running daemon;
  CHECK(holds(daemon.client.start_experiment("nope").error(), "nemo ab list"));
  CHECK(daemon.client.report_experiment("nope").error().kind == ErrorKind::not_found);
}

TEST_CASE("one experiment runs on a lane at a time, and the one in the way is named") {
  Running daemon;
  daemon.control.the_status.lanes.push_back({"reasoning", "pro", "latency"});
  daemon.keep("first", ExperimentState::running);
  daemon.keep("second", ExperimentState::draft);
  daemon.keep("elsewhere", ExperimentState::draft, "reasoning");
  const auto refused = daemon.client.start_experiment("second");
  CHECK(refused.error().kind == ErrorKind::conflict);
  CHECK(holds(refused.error(), "nemo ab pause first"));
  CHECK(daemon.state_of("second") == ExperimentState::draft);
  CHECK(daemon.client.start_experiment("elsewhere").ok());
  REQUIRE(daemon.client.pause_experiment("first").ok());
  CHECK(daemon.client.start_experiment("second").ok());
}

TEST_CASE("an experiment whose model or keys have changed since does not start, but it can be stopped") {
  Running daemon;
  daemon.keep("lite", ExperimentState::paused);
  daemon.make_key({"flash"});
  CHECK(daemon.client.start_experiment("lite").error().kind == ErrorKind::model_not_allowed);
  CHECK(daemon.state_of("lite") == ExperimentState::paused);
  CHECK(daemon.client.stop_experiment("lite").ok());
}

TEST_CASE("a report has an arm for each of the experiment's, in its order, with or without calls") {
  Running daemon;
  daemon.keep("lite", ExperimentState::running);
  ledger::ExperimentSample sample;
  sample.ttft = Micros{312'000};
  sample.latency = Micros{900'000};
  sample.cost = NanoUsd{1'156'000};
  sample.input_tokens = 1'200;
  daemon.history.samples = {{{"flash-lite", {100, sample}}}, false};
  const auto report = daemon.client.report_experiment("lite");
  REQUIRE(report.ok());
  CHECK(report->experiment.name == "lite");
  CHECK_FALSE(report->complete);
  REQUIRE(report->arms.size() == 2);
  CHECK(report->arms.at(0).arm == "flash");
  CHECK(report->arms.at(0).calls == 0);
  CHECK_FALSE(report->arms.at(0).ttft_p50_ms.value);
  const admin::ArmReport& arm = report->arms.at(1);
  CHECK(arm.calls == 100);
  CHECK(arm.ttft_p50_ms.value == doctest::Approx(312));
  CHECK(arm.latency_p95_ms.value == doctest::Approx(900));
  CHECK(arm.cost == "0.1156");
  CHECK(arm.cost_per_call.value == doctest::Approx(0.001156));
  CHECK(arm.input_tokens == 120'000);
  REQUIRE_FALSE(report->verdicts.empty());
  CHECK(report->verdicts.front().first == "flash");
  CHECK_FALSE(report->verdicts.front().text.empty());
}

TEST_CASE("a question becomes the call that it describes, with the models and the seat of its key") {
  Running daemon;
  const std::string key = daemon.make_key({"flash", "pro"});
  daemon.control.the_plan.lane = "completion";
  const auto plan =
      daemon.client.explain_route({"nemo/auto", "completion", {"eu", "!us"}, key, true, true, true, 64, 9});
  REQUIRE(plan.ok());
  CHECK(plan->lane == "completion");
  const call::CallSpec& spec = daemon.control.asked_spec;
  CHECK(spec.model == "nemo/auto");
  CHECK(spec.lane == "completion");
  CHECK(spec.tags == std::vector<std::string>{"eu", "!us"});
  CHECK(spec.stream);
  CHECK(spec.fill_in_middle);
  CHECK(spec.has_tools);
  CHECK(spec.max_tokens == 64);
  CHECK(spec.prompt_bytes == 9);
  CHECK(daemon.control.asked_caller.seat == "alice");
  CHECK(daemon.control.asked_caller.models == std::vector<std::string>{"flash", "pro"});
}

TEST_CASE("a route is not explained for a key that opens no door, nor for numbers below what a call can have") {
  Running daemon;
  admin::RouteQuestion question;
  question.key = "key_none";
  CHECK(daemon.client.explain_route(question).error().kind == ErrorKind::not_found);
  question.key = daemon.make_key({});
  REQUIRE(daemon.client.revoke_key(question.key).ok());
  CHECK(daemon.client.explain_route(question).error().kind == ErrorKind::key_revoked);
  CHECK(holds(daemon.client.explain_route({"", "", {}, "", false, false, false, 0, 0}).error(), "max_tokens"));
  CHECK(holds(daemon.client.explain_route({"", "", {}, "", false, false, false, {}, -1}).error(), "prompt_bytes"));
}

TEST_CASE("the paths of routing answer another method with 405, and a body that is no JSON with 400") {
  FakeDaemon daemon;
  admin::Routes routes(daemon.control, daemon.store, daemon.history, daemon.clock);
  CHECK(routes.answer({"POST", "/deployments", {}, ""}).status == 405);
  CHECK(routes.answer({"DELETE", "/experiments", {}, ""}).status == 405);
  CHECK(routes.answer({"GET", "/experiments/lite/start", {}, ""}).status == 405);
  CHECK(routes.answer({"POST", "/experiments/lite/begin", {}, ""}).status == 404);
  CHECK(routes.answer({"POST", "/experiments", {}, "{\"name\": 7}"}).status == 400);
  CHECK(routes.answer({"POST", "/route/explain", {}, "nonsense"}).status == 400);
}

TEST_CASE("the attempts of a call bear its cost between them: what was given up its own, the answering one the rest") {
  Running daemon;
  call::CallRecord record = test::sample_call("req_1");
  record.trace.strategy = "latency";
  record.trace.candidates.front().figures = "ttft 23 ms";
  record.trace.attempts.front() = {"nemo/gemini-2.5-flash", "nemo", 0, "", "", 300, 88'000, NanoUsd{156'000}, "hedge"};
  record.accepted = true;
  daemon.history.add(record);
  const auto story = daemon.client.call("req_1");
  REQUIRE(story.ok());
  CHECK(story->strategy == "latency");
  CHECK(story->candidates.front().figures == "ttft 23 ms");
  CHECK(story->attempts.at(0).cost == "0.000156");
  CHECK(story->attempts.at(0).note == "hedge");
  CHECK(story->attempts.at(1).cost == "0.001");
  CHECK(story->call.accepted == true);
}

}  // namespace nemo::test::routing_routes_test
