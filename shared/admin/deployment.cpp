#include "shared/admin/deployment.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_lane_speed_field(Visit& visit, Value& value) {
  visit("lane", value.lane);
  visit("ttft_ms", value.ttft_ms);
  visit("p95_ms", value.p95_ms);
  visit("measured", value.measured);
  visit("measured_s_ago", value.measured_s_ago);
}

void to_json(Json& json, const LaneSpeed& value) {
  FieldWriter writer(json);
  each_lane_speed_field(writer, value);
}

void from_json(const Json& json, LaneSpeed& value) {
  FieldReader reader(json);
  each_lane_speed_field(reader, value);
}

template <typename Visit, typename Value>
static void each_deployment_field(Visit& visit, Value& value) {
  visit("deployment", value.deployment);
  visit("model", value.model);
  visit("upstream", value.upstream);
  visit("upstream_model", value.upstream_model);
  visit("order", value.order);
  visit("weight", value.weight);
  visit("tags", value.tags);
  visit("health", value.health);
  visit("ready_in_s", value.ready_in_s);
  visit("last_trouble", value.last_trouble);
  visit("in_flight", value.in_flight);
  visit("calls_this_minute", value.calls_this_minute);
  visit("tokens_this_minute", value.tokens_this_minute);
  visit("rpm", value.rpm);
  visit("lanes", value.lanes);
}

void to_json(Json& json, const Deployment& value) {
  FieldWriter writer(json);
  each_deployment_field(writer, value);
}

void from_json(const Json& json, Deployment& value) {
  FieldReader reader(json);
  each_deployment_field(reader, value);
}

}  // namespace nemo::admin
