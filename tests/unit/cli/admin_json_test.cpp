#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "shared/admin/budget.h"
#include "shared/admin/call.h"
#include "shared/admin/config.h"
#include "shared/admin/deployment.h"
#include "shared/admin/error.h"
#include "shared/admin/experiment.h"
#include "shared/admin/key.h"
#include "shared/admin/model.h"
#include "shared/admin/route.h"
#include "shared/admin/status.h"
#include "shared/admin/team.h"
#include "shared/admin/usage.h"

namespace nemo::test::admin_json_test {

using namespace nemo;
using namespace nemo::admin;

namespace {

std::string names_of(const Json& json) {
  std::string names;
  for (const auto& [name, value] : json.items()) names += (names.empty() ? "" : ", ") + name;
  return names;
}

// Reading what was written and writing it again changes nothing.
template <typename T>
void check_round_trip(const T& value) {
  const Json written = value;
  const Json again = Json::parse(written.dump()).get<T>();
  CHECK(written.dump() == again.dump());
}

Call full_call() {
  Call call;
  call.row = 9;
  call.id = "req_1";
  call.at = "2026-11-22T12:00:00.000Z";
  call.status = "ok";
  call.http_status = 200;
  call.stream = true;
  call.latency_ms = 12.345;
  call.ttft_ms = 1.5;
  call.overhead_us = 420;
  call.input_tokens = 1'234'567'890'123;
  call.cost = "0.0000015";
  call.tags = {"code", "fast"};
  return call;
}

}  // namespace

TEST_CASE("the fields of a call are those of the contract, in its order") {
  CHECK(names_of(Call{}) ==
        "row, id, at, key, seat, team, surface, lane, model, upstream, deployment, status, http_status, error_code, "
        "stream, latency_ms, ttft_ms, overhead_us, input_tokens, cached_tokens, output_tokens, reasoning_tokens, "
        "usage_source, cost, cache, attempts, experiment, arm, client, tags, reserved, estimated_tokens, "
        "budget_fallback, accepted, process, project, branch, suggested_bytes, accepted_bytes, cache_write_tokens");
}

TEST_CASE("what is unknown is null, and costs are exact text") {
  Call call = full_call();
  call.ttft_ms.reset();
  const Json json = call;
  CHECK(json["ttft_ms"].is_null());
  CHECK(json["cost"] == "0.0000015");
  CHECK(Json(Model{})["input_price"].is_null());
}

TEST_CASE("every struct is read back as it was written") {
  check_round_trip(full_call());
  check_round_trip(CallStory{full_call(),
                             "nemo/auto",
                             "lane",
                             "latency",
                             {{"d", "r", true, "ttft 2 ms"}},
                             {{"d", "u", 503, "e", "x", 1.5, 2, "0.1", "hedge"}}});
  check_round_trip(KeyRequest{"alice", "core", {"a", "b"}, "2027-01-01T00:00:00Z"});
  check_round_trip(Key{"key_1", "…abcd", "alice", "core", {"a"}, "x", "y", "z", "revoked"});
  check_round_trip(CreatedKey{{"key_1", "…abcd", "alice", "", {}, "x", "", "", "active"}, "sk-nemo-abcd"});
  Model model;
  model.id = "m";
  model.input_price = "0.3";
  model.lanes = {"completion"};
  model.in_catalog = false;
  check_round_trip(model);
  DaemonStatus status;
  status.pid = 1;
  status.upstreams = {{"nemo", "nemo", "https://x", "ok", "secret:nemo", "reachable", "", 3}};
  status.lanes = {{"completion", "m", "latency"}};
  status.ledger = {1, 2, 3, "disk full", 4};
  status.ollama = {"not had", "http://127.0.0.1:11434", "in use", true};
  status.after_restart = {"listen = \"127.0.0.1:7000\""};
  check_round_trip(status);
  check_round_trip(Reloaded{{"listen = \"127.0.0.1:7000\""}});
  check_round_trip(KeyRequest{"alice", "", {}, std::nullopt, {{"80/month", "none/day"}, "60", "none", "0", "refuse"}});
  check_round_trip(KeyChange{"bob", "", std::vector<std::string>{}, "", {{"none"}, {}, {}, {}, "fallback:m"}});
  check_round_trip(KeyRotation{86'400});
  check_round_trip(TeamRequest{"core", {{"400/month"}, {}, {}, "4", {}}});
  check_round_trip(Team{"core", "x", 2, {"alice"}, {{"400/month"}, 60, std::nullopt, 0, "refuse"}});
  check_round_trip(Seat{"alice", 2, {"core"}, "y", {{"8/day"}, {}, {}, {}, "refuse"}});
  check_round_trip(Budget{"key", "key_1", "alice …abcd", "day", "5", "1", "2", "0.5", "1.5", 30, "z", true});
  check_round_trip(Unsettled{3, "seat", "alice", "alice", "2026-11-22", "0.5", "z"});
  check_round_trip(Release{"root", "because"});
  check_round_trip(Accuracy{"m", 1, 2, 3, 4, 5, "0.1", "0.2", "0.3"});
  check_round_trip(BudgetAlert{"z", "team", "core", "core", "month", 80, "400", "321"});
  check_round_trip(Deployment{"m@u",
                              "m",
                              "u",
                              "x/m",
                              2,
                              3,
                              {"eu"},
                              "cooling",
                              11.5,
                              "upstream_error",
                              4,
                              5,
                              6,
                              600,
                              {{"completion", 23.4, 80.5, 7, 8}, {"reasoning", {}, {}, 0, {}}}});
  check_round_trip(RouteQuestion{"m", "completion", {"eu"}, "key_1", true, true, true, 64, 1'000});
  check_round_trip(RoutePlan{"completion",
                             "w",
                             "m",
                             "r",
                             "latency",
                             "lite",
                             "seat",
                             "m",
                             {{"m@u", "m", true, true, true, 2, 23.4, "order 2", "ttft 23 ms"}},
                             "c",
                             "e"});
  check_round_trip(ExperimentRequest{"lite", "completion", {{"a", 50}, {"b", 0}}, "request"});
  const Experiment experiment{"lite", "completion", "seat", "running", {{"a", 50}, {"b", 50}}, "x", "y", "z"};
  check_round_trip(experiment);
  ArmReport arm;
  arm.arm = "a";
  arm.ttft_p50_ms = {312, 290.5, std::nullopt};
  arm.judged = 3;
  check_round_trip(ExperimentReport{experiment, {arm}, {{"cost", "a", "b", {0.1, {}, {}}, true, "text"}}, false});
  check_round_trip(UsageRow{"alice", 1, 2, 3, 4, 5, "0.5", 6});
  check_round_trip(AcceptanceRow{"alice", 10, 3, 2, 4});
}

TEST_CASE("a new key stands beside its record's fields") {
  CHECK(names_of(CreatedKey{}) ==
        "id, hint, seat, team, models, created_at, expires_at, revoked_at, state, budgets, rpm, tpm, parallel, "
        "on_budget, last_used_at, old_hint, old_works_until, key");
}

TEST_CASE("the fields of a budget are those that scripts read, in their order") {
  CHECK(names_of(Budget{}) ==
        "scope, name, label, window, limit, spent, reserved, unsettled, remaining, percent, resets_at, capped");
}

TEST_CASE("the fields of deployments, experiments and their reports are those that scripts read, in their order") {
  CHECK(names_of(Deployment{}) ==
        "deployment, model, upstream, upstream_model, order, weight, tags, health, ready_in_s, last_trouble, "
        "in_flight, calls_this_minute, tokens_this_minute, rpm, lanes");
  CHECK(names_of(LaneSpeed{}) == "lane, ttft_ms, p95_ms, measured, measured_s_ago");
  CHECK(names_of(Experiment{}) == "name, lane, by, state, arms, created_at, started_at, ended_at");
  CHECK(names_of(ArmReport{}) ==
        "arm, calls, refused, errors, error_share, ttft_p50_ms, ttft_p95_ms, latency_p50_ms, latency_p95_ms, cost, "
        "cost_per_call, input_tokens, output_tokens, input_tokens_per_call, output_tokens_per_call, tokens_per_call, "
        "judged, accepted, accepted_share");
  CHECK(names_of(Verdict{}) == "measure, first, second, difference, distinct, text");
  CHECK(names_of(RoutePlan{}) ==
        "lane, lane_reason, model, model_reason, strategy, experiment, experiment_by, arm, candidates, error_code, "
        "error");
  CHECK(names_of(RouteCandidate{}) ==
        "deployment, model, eligible, is_fallback, explored, order, score, reason, figures");
}

TEST_CASE("a change tells what is taken away from what is not named") {
  const auto change = Json::parse(Json(KeyChange{{}, "", {}, {}, {{}, "none", {}, {}, {}}}).dump()).get<KeyChange>();
  CHECK_FALSE(change.seat);
  CHECK(change.team == "");
  CHECK_FALSE(change.models);
  CHECK(change.terms.rpm == "none");
  CHECK_FALSE(change.terms.tpm);
  CHECK_FALSE(change.empty());
  CHECK(KeyChange{}.empty());
}

TEST_CASE("a field of the wrong type is refused, an absent one keeps its default") {
  CHECK_THROWS_AS(Json::parse(R"({"seat": 7})").get<KeyRequest>(), Json::exception);
  CHECK_THROWS_AS(Json::parse("[]").get<KeyRequest>(), Json::exception);
  CHECK(Json::parse(R"({"seat": "a", "team": null})").get<KeyRequest>().team.empty());
}

TEST_CASE("an error keeps its kind and its message on the way to the command line") {
  const Error error = error_from_json(error_to_json(fail(ErrorKind::model_not_found, "did you mean x?")));
  CHECK(error.kind == ErrorKind::model_not_found);
  CHECK(error.message == "did you mean x?");
  CHECK(error_from_json(error_to_json(fail(ErrorKind::not_found, "no"))).kind == ErrorKind::not_found);
  CHECK(error_from_json(Json::parse(R"({"error":{"code":"news","message":"m"}})")).kind == ErrorKind::internal);
}

}  // namespace nemo::test::admin_json_test
