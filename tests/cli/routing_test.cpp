// Deployments, experiments and explained routes, as people see them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/nemo_with_daemon.h"

namespace nemo::test::routing_test {

using namespace nemo;
using Json = nlohmann::ordered_json;
using nemo::test::Arguments;
using nemo::test::holds;
using nemo::test::NemoWithDaemon;
using nemo::test::Said;

namespace {

admin::Deployment healthy() {
  admin::Deployment one;
  one.deployment = "gemini-2.5-flash@vertex-eu";
  one.model = "gemini-2.5-flash";
  one.upstream = "vertex-eu";
  one.upstream_model = "google/gemini-2.5-flash";
  one.health = "healthy";
  one.tags = {"eu", "code"};
  one.rpm = 600;
  one.in_flight = 3;
  one.calls_this_minute = 42;
  one.lanes = {{"completion", 23.4, 80, 120, 4}, {"reasoning", {}, {}, 0, {}}};
  return one;
}

admin::Deployment limited() {
  admin::Deployment one = healthy();
  one.deployment = "gemini-2.5-flash@nemo";
  one.health = "rate-limited";
  one.ready_in_s = 29.2;
  one.last_trouble = "rate_limit_exceeded";
  one.rpm.reset();
  return one;
}

struct Daemon : NemoWithDaemon {
  Daemon() {
    for (const char* id : {"gemini-2.5-flash", "gemini-2.5-flash-lite"}) {
      admin::Model model;
      model.id = id;
      model.capabilities = {"chat", "fim"};
      control.the_models.push_back(model);
    }
  }
  Said create(const std::string& arms) const {
    return run({"ab", "create", "lite", "--lane", "completion", "--arms", arms});
  }
};

constexpr const char* k_arms = "gemini-2.5-flash=50,gemini-2.5-flash-lite=50";

admin::RoutePlan plan() {
  admin::RoutePlan plan;
  plan.lane = "completion";
  plan.lane_reason = "fill in the middle";
  plan.model = "gemini-2.5-flash";
  plan.model_reason = "it is the lane's";
  plan.strategy = "latency";
  plan.candidates = {{"flash@near", "gemini-2.5-flash", true, false, false, 1, 23.4, "order 1", "ttft 23 ms, score 23"},
                     {"flash@far", "gemini-2.5-flash", false, false, false, 1, {}, "its tags do not match", ""}};
  return plan;
}

}  // namespace

TEST_CASE("deployments show health with the wait, the load against the capacity, and the time to first token") {
  Daemon daemon;
  daemon.control.the_deployments = {healthy(), limited()};
  const Said said = daemon.run({"deployments"});
  CAPTURE(said.out);
  CHECK(said.status == 0);
  for (const char* part : {"gemini-2.5-flash@vertex-eu", "healthy", "rate-limited 30s", "rate_limit_exceeded",
                           "42 of 600", "TTFT COMPLETION", "23ms, 4s ago", "TTFT REASONING", "eu,code"}) {
    CAPTURE(part);
    CHECK(holds(said.out, part));
  }
  CHECK_FALSE(holds(said.out, "\x1b"));
}

TEST_CASE("in a terminal the table of deployments fits, and keeps names and health") {
  Daemon daemon;
  daemon.control.the_deployments = {healthy(), limited()};
  const Said said = daemon.show({"deployments"}, {{"NO_COLOR", "1"}});
  CAPTURE(said.out);
  std::istringstream lines(said.out);
  std::string line;
  while (std::getline(lines, line)) CHECK(line.size() <= 101);  // 100 columns of ASCII and the terminal's return
  CHECK(holds(said.out, "rate-limited 30s"));
  CHECK(holds(said.out, "@vertex-eu"));
}

TEST_CASE("deployments in --json have stable names, and null where nothing is known") {
  Daemon daemon;
  daemon.control.the_deployments = {healthy(), limited()};
  const Json rows = Json::parse(daemon.run({"deployments", "--json"}).out);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["health"] == "healthy");
  CHECK(rows[0]["ready_in_s"].is_null());
  CHECK(rows[0]["lanes"][0]["ttft_ms"] == 23.4);
  CHECK(rows[0]["lanes"][1]["ttft_ms"].is_null());
  CHECK(rows[1]["ready_in_s"] == 29.2);
  CHECK(rows[1]["rpm"].is_null());
}

TEST_CASE("without a deployment the command says where to look") {
  Daemon daemon;
  const Said said = daemon.run({"deployments"});
  CHECK(said.status == 0);
  CHECK(said.out.empty());
  CHECK(holds(said.err, "nemo doctor"));
}

TEST_CASE("an experiment is made, listed, started, paused and stopped, and each step says what comes next") {
  Daemon daemon;
  const Said made = daemon.create(k_arms);
  CAPTURE(made.err);
  CHECK(made.status == 0);
  CHECK(holds(made.out, "lite is draft: lane completion, gemini-2.5-flash 50 %, gemini-2.5-flash-lite 50 %, by seat."));
  CHECK(holds(made.out, "nemo ab start lite"));
  CHECK(holds(daemon.run({"ab", "start", "lite"}).out, "nemo ab report lite"));
  const Said list = daemon.run({"ab", "list"});
  CHECK(holds(list.out, "running"));
  CHECK(holds(list.out, "gemini-2.5-flash 50 %"));
  CHECK(holds(daemon.run({"ab", "pause", "lite"}).out, "lite is paused"));
  CHECK(holds(daemon.run({"ab", "stop", "lite"}).out, "lite is completed"));
  const Json rows = Json::parse(daemon.run({"ab", "list", "--json"}).out);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["state"] == "completed");
  CHECK(rows[0]["arms"][1]["weight"] == 50);
}

TEST_CASE("an experiment that the daemon refuses ends with 1 and the reason, and none is made") {
  Daemon daemon;
  const auto refused = [&daemon](const std::string& arms) {
    const Said said = daemon.create(arms);
    CHECK(said.status == 1);
    CHECK(said.out.empty());
    CHECK(daemon.control.the_experiments.empty());
    return said.err;
  };
  CHECK(holds(refused("gemini-2.5-flash=0,gemini-2.5-flash-lite=0"), "add up to 0"));
  CHECK(holds(refused("gemini-2.5-flash=50,gemini-2.5-flash=50"), "\"gemini-2.5-flash\" is two arms"));
  CHECK(holds(refused("gemini-2.5-flash=50,gemini-2.5-flush=50"), "did you mean"));
  CHECK(holds(refused("gemini-2.5-flash=-50,gemini-2.5-flash-lite=50"), "-50"));
  const Said lane = daemon.run({"ab", "create", "lite", "--lane", "fast", "--arms", k_arms});
  CHECK(lane.status == 1);
  CHECK(holds(lane.err, "the lanes are: completion"));
}

TEST_CASE("a step that makes no sense, or of an experiment that is not there, ends with 1") {
  Daemon daemon;
  REQUIRE(daemon.create(k_arms).status == 0);
  CHECK(daemon.run({"ab", "pause", "lite"}).status == 1);
  CHECK(holds(daemon.run({"ab", "start", "nope"}).err, "nemo ab list"));
  CHECK(daemon.create(k_arms).status == 1);  // the name is taken
}

TEST_CASE("a report shows every arm, says what the brackets are, and when older calls are left out") {
  Daemon daemon;
  REQUIRE(daemon.create(k_arms).status == 0);
  REQUIRE(daemon.run({"ab", "start", "lite"}).status == 0);
  ledger::ExperimentSample sample;
  sample.ttft = Micros{312'000};
  sample.latency = Micros{900'000};
  sample.cost = NanoUsd{1'156'000};
  daemon.history.samples = {{{"gemini-2.5-flash", {200, sample}}}, false};
  const Said said = daemon.run({"ab", "report", "lite"});
  CAPTURE(said.out);
  CHECK(said.status == 0);
  for (const char* part : {"lite  running, lane completion, by seat, since ", "gemini-2.5-flash-lite", "312ms (312ms",
                           "ttft p95", "errors", "$0.23", "95 % interval", "older calls",
                           "gemini-2.5-flash-lite against gemini-2.5-flash", "no difference can be told yet"}) {
    CAPTURE(part);
    CHECK(holds(said.out, part));
  }
  const Json report = Json::parse(daemon.run({"ab", "report", "lite", "--json"}).out);
  CHECK(report["experiment"]["name"] == "lite");
  CHECK(report["arms"][0]["calls"] == 200);
  CHECK(report["arms"][0]["cost"] == "0.2312");
  CHECK(report["arms"][1]["ttft_p50_ms"]["value"].is_null());
  CHECK(report["complete"] == false);
}

TEST_CASE("a route is explained with lane, model, strategy, the order, and who is left out and why") {
  Daemon daemon;
  daemon.control.the_plan = plan();
  const Said said = daemon.run({"route", "explain", "--model", "nemo/auto", "--fim", "--stream", "--tags", "eu,code",
                                "--max-tokens", "64", "--prompt-bytes", "900", "--tools", "--lane", "completion"});
  CAPTURE(said.out);
  CHECK(said.status == 0);
  for (const char* part :
       {"Lane: completion, because: fill in the middle.", "Model: gemini-2.5-flash, because: it is the lane's.",
        "Strategy: latency.", "flash@near", "ttft 23 ms, score 23", "left out: its tags do not match"}) {
    CAPTURE(part);
    CHECK(holds(said.out, part));
  }
  CHECK(said.out.find("flash@near") < said.out.find("flash@far"));
  const call::CallSpec& spec = daemon.control.asked_spec;
  CHECK(spec.model == "nemo/auto");
  CHECK(spec.tags == std::vector<std::string>{"eu", "code"});
  CHECK(spec.max_tokens == 64);
  CHECK(spec.prompt_bytes == 900);
  CHECK(spec.fill_in_middle);
  CHECK(spec.has_tools);
  CHECK(Json::parse(daemon.run({"--json", "route", "explain"}).out)["candidates"][0]["score"] == 23.4);
}

TEST_CASE("a route that leads nowhere is an answer too, with the code that a caller would get") {
  Daemon daemon;
  daemon.control.the_plan = plan();
  daemon.control.the_plan.error_code = "no_deployment_available";
  daemon.control.the_plan.error = "No deployment can be used.";
  const Said said = daemon.run({"route", "explain", "--tags", "us"});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "The call would be refused (no_deployment_available): No deployment can be used."));
}

TEST_CASE("an arm is told with whose it is, so that nobody takes it for everybody's") {
  Daemon daemon;
  daemon.control.the_plan = plan();
  daemon.control.the_plan.experiment = "lite";
  daemon.control.the_plan.experiment_by = "seat";
  daemon.control.the_plan.arm = "gemini-2.5-flash";
  CHECK(holds(daemon.run({"route", "explain"}).out, "Experiment: lite, arm gemini-2.5-flash (by seat, and no key"));
  const Json made = Json::parse(daemon.run({"--json", "keys", "create", "--seat", "alice"}).out);
  const std::string hint = made["hint"];
  const Said said = daemon.run({"route", "explain", "--key", hint});
  CHECK(holds(said.out, "(by the key's seat)"));
  CHECK(daemon.control.asked_caller.seat == "alice");
  CHECK(daemon.run({"route", "explain", "--key", "key_nobody"}).status == 1);
}

TEST_CASE("why tells what a lost hedge cost, who won, the experiment, and whether the text was taken") {
  Daemon daemon;
  call::CallRecord record = test::sample_call("req_1");
  record.experiment = "lite";
  record.arm = "gemini-2.5-flash";
  record.accepted = true;
  record.trace.attempts.front() = {"nemo/gemini-2.5-flash", "nemo", 0, "", "", 300, 88'000, NanoUsd{156'000}, "hedge"};
  daemon.history.add(record);
  const Said said = daemon.run({"why", "req_1"});
  CAPTURE(said.out);
  for (const char* part : {"Experiment: lite, arm gemini-2.5-flash.", "Accepted:", "given up", "hedge", "$0.00016",
                           "200 answered", "$0.001 "}) {
    CAPTURE(part);
    CHECK(holds(said.out, part));
  }
  const Json story = Json::parse(daemon.run({"why", "req_1", "--json"}).out);
  CHECK(story["attempts"][0]["cost"] == "0.000156");
  CHECK(story["call"]["accepted"] == true);
  CHECK(story["strategy"] == "latency");
}

TEST_CASE("doctor and status tell a missing token of Google with its reason and its own advice") {
  Daemon daemon;
  daemon.control.the_status.upstreams = {{"vertex-eu", "vertex", "https://europe-west4.example.test", "missing",
                                          "file:/x.json", "not tried", "/x.json has no private_key", 0}};
  const Said doctor = daemon.run({"doctor"});
  CAPTURE(doctor.out);
  CHECK(doctor.status == 1);
  CHECK(holds(doctor.out, "upstream vertex-eu: token"));
  CHECK(holds(doctor.out, "/x.json has no private_key"));
  CHECK(holds(doctor.out, "gcloud auth application-default login"));
  CHECK_FALSE(holds(doctor.out, "nemo login"));
  const Said status = daemon.run({"status"});
  CHECK(holds(status.out, "missing"));
  CHECK(holds(status.out, "/x.json has no private_key"));
}

}  // namespace nemo::test::routing_test
