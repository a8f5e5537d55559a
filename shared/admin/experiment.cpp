#include "shared/admin/experiment.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_arm_field(Visit& visit, Value& value) {
  visit("model", value.model);
  visit("weight", value.weight);
}

void to_json(Json& json, const Arm& value) {
  FieldWriter writer(json);
  each_arm_field(writer, value);
}

void from_json(const Json& json, Arm& value) {
  FieldReader reader(json);
  each_arm_field(reader, value);
}

template <typename Visit, typename Value>
static void each_experiment_request_field(Visit& visit, Value& value) {
  visit("name", value.name);
  visit("lane", value.lane);
  visit("arms", value.arms);
  visit("by", value.by);
}

void to_json(Json& json, const ExperimentRequest& value) {
  FieldWriter writer(json);
  each_experiment_request_field(writer, value);
}

void from_json(const Json& json, ExperimentRequest& value) {
  FieldReader reader(json);
  each_experiment_request_field(reader, value);
}

template <typename Visit, typename Value>
static void each_experiment_field(Visit& visit, Value& value) {
  visit("name", value.name);
  visit("lane", value.lane);
  visit("by", value.by);
  visit("state", value.state);
  visit("arms", value.arms);
  visit("created_at", value.created_at);
  visit("started_at", value.started_at);
  visit("ended_at", value.ended_at);
}

void to_json(Json& json, const Experiment& value) {
  FieldWriter writer(json);
  each_experiment_field(writer, value);
}

void from_json(const Json& json, Experiment& value) {
  FieldReader reader(json);
  each_experiment_field(reader, value);
}

template <typename Visit, typename Value>
static void each_estimate_field(Visit& visit, Value& value) {
  visit("value", value.value);
  visit("low", value.low);
  visit("high", value.high);
}

void to_json(Json& json, const Estimate& value) {
  FieldWriter writer(json);
  each_estimate_field(writer, value);
}

void from_json(const Json& json, Estimate& value) {
  FieldReader reader(json);
  each_estimate_field(reader, value);
}

template <typename Visit, typename Value>
static void each_arm_report_field(Visit& visit, Value& value) {
  visit("arm", value.arm);
  visit("calls", value.calls);
  visit("refused", value.refused);
  visit("errors", value.errors);
  visit("error_share", value.error_share);
  visit("ttft_p50_ms", value.ttft_p50_ms);
  visit("ttft_p95_ms", value.ttft_p95_ms);
  visit("latency_p50_ms", value.latency_p50_ms);
  visit("latency_p95_ms", value.latency_p95_ms);
  visit("cost", value.cost);
  visit("cost_per_call", value.cost_per_call);
  visit("input_tokens", value.input_tokens);
  visit("output_tokens", value.output_tokens);
  visit("input_tokens_per_call", value.input_tokens_per_call);
  visit("output_tokens_per_call", value.output_tokens_per_call);
  visit("tokens_per_call", value.tokens_per_call);
  visit("judged", value.judged);
  visit("accepted", value.accepted);
  visit("accepted_share", value.accepted_share);
}

void to_json(Json& json, const ArmReport& value) {
  FieldWriter writer(json);
  each_arm_report_field(writer, value);
}

void from_json(const Json& json, ArmReport& value) {
  FieldReader reader(json);
  each_arm_report_field(reader, value);
}

template <typename Visit, typename Value>
static void each_verdict_field(Visit& visit, Value& value) {
  visit("measure", value.measure);
  visit("first", value.first);
  visit("second", value.second);
  visit("difference", value.difference);
  visit("distinct", value.distinct);
  visit("text", value.text);
}

void to_json(Json& json, const Verdict& value) {
  FieldWriter writer(json);
  each_verdict_field(writer, value);
}

void from_json(const Json& json, Verdict& value) {
  FieldReader reader(json);
  each_verdict_field(reader, value);
}

template <typename Visit, typename Value>
static void each_experiment_report_field(Visit& visit, Value& value) {
  visit("experiment", value.experiment);
  visit("arms", value.arms);
  visit("verdicts", value.verdicts);
  visit("complete", value.complete);
}

void to_json(Json& json, const ExperimentReport& value) {
  FieldWriter writer(json);
  each_experiment_report_field(writer, value);
}

void from_json(const Json& json, ExperimentReport& value) {
  FieldReader reader(json);
  each_experiment_report_field(reader, value);
}

}  // namespace nemo::admin
