#include "daemon/admin/convert_route.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace nemo::admin {
namespace {

using routing::Condition;
using Seconds = std::chrono::duration<double>;
using Millis = std::chrono::duration<double, std::milli>;

double to_ms(Micros time) {
  return std::chrono::duration_cast<Millis>(time).count();
}

const char* name_of(Condition condition) {
  switch (condition) {
    case Condition::healthy:
      return "healthy";
    case Condition::half_open:
      return "half-open";
    case Condition::cooling:
      return "cooling";
    case Condition::rate_limited:
      return "rate-limited";
  }
  return "";
}

LaneSpeed speed_in(const routing::Gauge& gauge, const std::string& lane, SteadyTime now) {
  const routing::Figures figures = gauge.figures(lane, routing::Answering::streamed, now);
  LaneSpeed speed;
  speed.lane = lane;
  speed.measured = figures.measured;
  if (figures.ttft) {
    speed.ttft_ms = to_ms(*figures.ttft);
    speed.measured_s_ago = std::chrono::floor<std::chrono::seconds>(figures.since_measured).count();
  }
  if (const auto p95 = gauge.p95(lane, now)) speed.p95_ms = to_ms(*p95);
  return speed;
}

Deployment to_deployment(const routing::Deployment& deployment, const routing::Table& table, SteadyTime now) {
  Deployment view;
  view.deployment = deployment.id;
  view.model = deployment.model;
  view.upstream = deployment.upstream;
  view.upstream_model = deployment.upstream_model;
  view.order = deployment.order;
  view.weight = deployment.weight;
  view.tags = deployment.tags;
  view.rpm = deployment.rpm;
  // What is not of a lane is the same whichever lane is asked for.
  const routing::Figures figures = deployment.gauge->figures({}, routing::Answering::streamed, now);
  view.health = deployment.keyless ? "no key" : name_of(figures.condition);
  const bool must_wait = figures.condition == Condition::cooling || figures.condition == Condition::rate_limited;
  if (must_wait) view.ready_in_s = std::chrono::duration_cast<Seconds>(figures.until_ready).count();
  view.last_trouble = figures.last_trouble;
  view.in_flight = figures.in_flight;
  view.calls_this_minute = figures.calls_this_minute;
  view.tokens_this_minute = figures.tokens_this_minute;
  for (const auto& [lane, unused] : table.lanes) view.lanes.push_back(speed_in(*deployment.gauge, lane, now));
  return view;
}

RouteCandidate to_candidate(const routing::Considered& considered, const std::vector<call::Candidate>& explained) {
  RouteCandidate view;
  view.deployment = considered.deployment->id;
  view.model = considered.deployment->model;
  view.eligible = considered.exclusion == routing::Exclusion::none;
  view.is_fallback = considered.is_fallback;
  view.explored = considered.explored;
  view.order = considered.deployment->order;
  if (view.eligible) view.score = considered.score;
  const auto words = std::find_if(explained.begin(), explained.end(),
                                  [&view](const auto& one) { return one.deployment == view.deployment; });
  if (words != explained.end()) {
    view.reason = words->reason;
    view.figures = words->figures;
  }
  return view;
}

constexpr std::int64_t k_largest_weight = 1'000'000;  // keeps the sum of all weights far from overflow

}  // namespace

std::vector<Deployment> to_deployments(const routing::Table& table, SteadyTime now) {
  std::vector<Deployment> list;
  for (const routing::Deployment& deployment : table.deployments) list.push_back(to_deployment(deployment, table, now));
  return list;
}

call::CallSpec to_spec(const RouteQuestion& question) {
  call::CallSpec spec;
  spec.surface = question.fim ? call::Surface::openai_completions : call::Surface::openai_chat;
  spec.model = question.model;
  spec.stream = question.stream;
  spec.has_tools = question.tools;
  spec.fill_in_middle = question.fim;
  spec.max_tokens = question.max_tokens;
  spec.prompt_bytes = static_cast<std::size_t>(std::max<std::int64_t>(question.prompt_bytes, 0));
  spec.lane = question.lane;
  spec.tags = question.tags;
  return spec;
}

RoutePlan to_plan(const call::CallSpec& spec, const routing::Decision& decision, const Status& decided) {
  RoutePlan plan;
  plan.lane = decision.lane;
  std::string by_shape;
  const bool lane_by_shape = routing::lane_of(spec, by_shape) == decision.lane;
  plan.lane_reason = lane_by_shape ? by_shape : decision.model_reason;
  if (decision.model != nullptr) plan.model = decision.model->id;
  plan.model_reason = decision.model_reason;
  plan.strategy = to_string(decision.strategy);
  if (decision.experiment != nullptr) {
    plan.experiment = decision.experiment->name;
    plan.experiment_by = to_string(decision.experiment->unit);
  }
  if (decision.arm != nullptr) plan.arm = decision.arm->model;
  const auto explained = routing::explain(decision);
  for (const routing::Considered& one : decision.considered) plan.candidates.push_back(to_candidate(one, explained));
  if (!decided) {
    plan.error_code = decided.error().code();
    plan.error = decided.error().message;
  }
  return plan;
}

Result<routing::Experiment> to_experiment(const ExperimentRequest& request, WallTime now) {
  routing::Experiment experiment;
  experiment.name = request.name;
  experiment.lane = request.lane;
  experiment.created_at = now;
  if (request.by == to_string(routing::ExperimentUnit::request)) {
    experiment.unit = routing::ExperimentUnit::request;
  } else if (request.by != to_string(routing::ExperimentUnit::seat)) {
    return fail(ErrorKind::invalid_request, "by takes \"seat\" or \"request\", not \"" + request.by + "\"", "by");
  }
  for (const Arm& arm : request.arms) {
    if (arm.weight < 0 || arm.weight > k_largest_weight) {
      return fail(ErrorKind::invalid_request,
                  "the weight of arm \"" + arm.model + "\" is " + std::to_string(arm.weight) +
                      "; weights are whole numbers from 0 to " + std::to_string(k_largest_weight),
                  "arms");
    }
    experiment.arms.push_back({arm.model, static_cast<int>(arm.weight)});
  }
  return experiment;
}

Experiment to_view(const routing::Experiment& experiment) {
  Experiment view;
  view.name = experiment.name;
  view.lane = experiment.lane;
  view.by = to_string(experiment.unit);
  view.state = to_string(experiment.state);
  for (const routing::Arm& arm : experiment.arms) view.arms.push_back({arm.model, arm.weight});
  view.created_at = to_rfc3339(experiment.created_at);
  if (experiment.started_at) view.started_at = to_rfc3339(*experiment.started_at);
  if (experiment.ended_at) view.ended_at = to_rfc3339(*experiment.ended_at);
  return view;
}

}  // namespace nemo::admin
