#include "shared/admin/call.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_call_field(Visit& visit, Value& value) {
  visit("row", value.row);
  visit("id", value.id);
  visit("at", value.at);
  visit("key", value.key);
  visit("seat", value.seat);
  visit("team", value.team);
  visit("surface", value.surface);
  visit("lane", value.lane);
  visit("model", value.model);
  visit("upstream", value.upstream);
  visit("deployment", value.deployment);
  visit("status", value.status);
  visit("http_status", value.http_status);
  visit("error_code", value.error_code);
  visit("stream", value.stream);
  visit("latency_ms", value.latency_ms);
  visit("ttft_ms", value.ttft_ms);
  visit("overhead_us", value.overhead_us);
  visit("input_tokens", value.input_tokens);
  visit("cached_tokens", value.cached_tokens);
  visit("output_tokens", value.output_tokens);
  visit("reasoning_tokens", value.reasoning_tokens);
  visit("usage_source", value.usage_source);
  visit("cost", value.cost);
  visit("cache", value.cache);
  visit("attempts", value.attempts);
  visit("experiment", value.experiment);
  visit("arm", value.arm);
  visit("client", value.client);
  visit("tags", value.tags);
  visit("reserved", value.reserved);
  visit("estimated_tokens", value.estimated_tokens);
  visit("budget_fallback", value.budget_fallback);
  visit("accepted", value.accepted);
  visit("process", value.process);
  visit("project", value.project);
  visit("branch", value.branch);
  visit("suggested_bytes", value.suggested_bytes);
  visit("accepted_bytes", value.accepted_bytes);
  visit("cache_write_tokens", value.cache_write_tokens);
}

void to_json(Json& json, const Call& value) {
  FieldWriter writer(json);
  each_call_field(writer, value);
}

void from_json(const Json& json, Call& value) {
  FieldReader reader(json);
  each_call_field(reader, value);
}

template <typename Visit, typename Value>
static void each_candidate_view_field(Visit& visit, Value& value) {
  visit("deployment", value.deployment);
  visit("reason", value.reason);
  visit("eligible", value.eligible);
  visit("figures", value.figures);
}

void to_json(Json& json, const CandidateView& value) {
  FieldWriter writer(json);
  each_candidate_view_field(writer, value);
}

void from_json(const Json& json, CandidateView& value) {
  FieldReader reader(json);
  each_candidate_view_field(reader, value);
}

template <typename Visit, typename Value>
static void each_attempt_view_field(Visit& visit, Value& value) {
  visit("deployment", value.deployment);
  visit("upstream", value.upstream);
  visit("http_status", value.http_status);
  visit("error_code", value.error_code);
  visit("error", value.error);
  visit("started_ms", value.started_ms);
  visit("took_ms", value.took_ms);
  visit("cost", value.cost);
  visit("note", value.note);
}

void to_json(Json& json, const AttemptView& value) {
  FieldWriter writer(json);
  each_attempt_view_field(writer, value);
}

void from_json(const Json& json, AttemptView& value) {
  FieldReader reader(json);
  each_attempt_view_field(reader, value);
}

template <typename Visit, typename Value>
static void each_call_story_field(Visit& visit, Value& value) {
  visit("call", value.call);
  visit("requested_model", value.requested_model);
  visit("model_reason", value.model_reason);
  visit("strategy", value.strategy);
  visit("candidates", value.candidates);
  visit("attempts", value.attempts);
}

void to_json(Json& json, const CallStory& value) {
  FieldWriter writer(json);
  each_call_story_field(writer, value);
}

void from_json(const Json& json, CallStory& value) {
  FieldReader reader(json);
  each_call_story_field(reader, value);
}

}  // namespace nemo::admin
