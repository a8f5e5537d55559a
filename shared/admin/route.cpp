#include "shared/admin/route.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_route_question_field(Visit& visit, Value& value) {
  visit("model", value.model);
  visit("lane", value.lane);
  visit("tags", value.tags);
  visit("key", value.key);
  visit("stream", value.stream);
  visit("fim", value.fim);
  visit("tools", value.tools);
  visit("max_tokens", value.max_tokens);
  visit("prompt_bytes", value.prompt_bytes);
}

void to_json(Json& json, const RouteQuestion& value) {
  FieldWriter writer(json);
  each_route_question_field(writer, value);
}

void from_json(const Json& json, RouteQuestion& value) {
  FieldReader reader(json);
  each_route_question_field(reader, value);
}

template <typename Visit, typename Value>
static void each_route_candidate_field(Visit& visit, Value& value) {
  visit("deployment", value.deployment);
  visit("model", value.model);
  visit("eligible", value.eligible);
  visit("is_fallback", value.is_fallback);
  visit("explored", value.explored);
  visit("order", value.order);
  visit("score", value.score);
  visit("reason", value.reason);
  visit("figures", value.figures);
}

void to_json(Json& json, const RouteCandidate& value) {
  FieldWriter writer(json);
  each_route_candidate_field(writer, value);
}

void from_json(const Json& json, RouteCandidate& value) {
  FieldReader reader(json);
  each_route_candidate_field(reader, value);
}

template <typename Visit, typename Value>
static void each_route_plan_field(Visit& visit, Value& value) {
  visit("lane", value.lane);
  visit("lane_reason", value.lane_reason);
  visit("model", value.model);
  visit("model_reason", value.model_reason);
  visit("strategy", value.strategy);
  visit("experiment", value.experiment);
  visit("experiment_by", value.experiment_by);
  visit("arm", value.arm);
  visit("candidates", value.candidates);
  visit("error_code", value.error_code);
  visit("error", value.error);
}

void to_json(Json& json, const RoutePlan& value) {
  FieldWriter writer(json);
  each_route_plan_field(writer, value);
}

void from_json(const Json& json, RoutePlan& value) {
  FieldReader reader(json);
  each_route_plan_field(reader, value);
}

}  // namespace nemo::admin
