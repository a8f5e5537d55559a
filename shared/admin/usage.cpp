#include "shared/admin/usage.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_usage_row_field(Visit& visit, Value& value) {
  visit("group", value.group);
  visit("calls", value.calls);
  visit("errors", value.errors);
  visit("input_tokens", value.input_tokens);
  visit("cached_tokens", value.cached_tokens);
  visit("cache_write_tokens", value.cache_write_tokens);
  visit("output_tokens", value.output_tokens);
  visit("cost", value.cost);
}

void to_json(Json& json, const UsageRow& value) {
  FieldWriter writer(json);
  each_usage_row_field(writer, value);
}

void from_json(const Json& json, UsageRow& value) {
  FieldReader reader(json);
  each_usage_row_field(reader, value);
}

template <typename Visit, typename Value>
static void each_acceptance_row_field(Visit& visit, Value& value) {
  visit("group", value.group);
  visit("shown", value.shown);
  visit("accepted", value.accepted);
  visit("partly", value.partly);
  visit("dismissed", value.dismissed);
}

void to_json(Json& json, const AcceptanceRow& value) {
  FieldWriter writer(json);
  each_acceptance_row_field(writer, value);
}

void from_json(const Json& json, AcceptanceRow& value) {
  FieldReader reader(json);
  each_acceptance_row_field(reader, value);
}

}  // namespace nemo::admin
