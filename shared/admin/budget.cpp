#include "shared/admin/budget.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_budget_field(Visit& visit, Value& value) {
  visit("scope", value.scope);
  visit("name", value.name);
  visit("label", value.label);
  visit("window", value.window);
  visit("limit", value.limit);
  visit("spent", value.spent);
  visit("reserved", value.reserved);
  visit("unsettled", value.unsettled);
  visit("remaining", value.remaining);
  visit("percent", value.percent);
  visit("resets_at", value.resets_at);
  visit("capped", value.capped);
}

void to_json(Json& json, const Budget& value) {
  FieldWriter writer(json);
  each_budget_field(writer, value);
}

void from_json(const Json& json, Budget& value) {
  FieldReader reader(json);
  each_budget_field(reader, value);
}

template <typename Visit, typename Value>
static void each_unsettled_field(Visit& visit, Value& value) {
  visit("id", value.id);
  visit("scope", value.scope);
  visit("name", value.name);
  visit("label", value.label);
  visit("day", value.day);
  visit("amount", value.amount);
  visit("found_at", value.found_at);
}

void to_json(Json& json, const Unsettled& value) {
  FieldWriter writer(json);
  each_unsettled_field(writer, value);
}

void from_json(const Json& json, Unsettled& value) {
  FieldReader reader(json);
  each_unsettled_field(reader, value);
}

template <typename Visit, typename Value>
static void each_release_field(Visit& visit, Value& value) {
  visit("who", value.who);
  visit("why", value.why);
}

void to_json(Json& json, const Release& value) {
  FieldWriter writer(json);
  each_release_field(writer, value);
}

void from_json(const Json& json, Release& value) {
  FieldReader reader(json);
  each_release_field(reader, value);
}

template <typename Visit, typename Value>
static void each_accuracy_field(Visit& visit, Value& value) {
  visit("model", value.model);
  visit("calls", value.calls);
  visit("estimated_tokens", value.estimated_tokens);
  visit("input_tokens", value.input_tokens);
  visit("above_estimate", value.above_estimate);
  visit("overruns", value.overruns);
  visit("overrun_cost", value.overrun_cost);
  visit("reserved", value.reserved);
  visit("cost", value.cost);
}

void to_json(Json& json, const Accuracy& value) {
  FieldWriter writer(json);
  each_accuracy_field(writer, value);
}

void from_json(const Json& json, Accuracy& value) {
  FieldReader reader(json);
  each_accuracy_field(reader, value);
}

template <typename Visit, typename Value>
static void each_budget_alert_field(Visit& visit, Value& value) {
  visit("at", value.at);
  visit("scope", value.scope);
  visit("name", value.name);
  visit("label", value.label);
  visit("window", value.window);
  visit("percent", value.percent);
  visit("limit", value.limit);
  visit("spent", value.spent);
}

void to_json(Json& json, const BudgetAlert& value) {
  FieldWriter writer(json);
  each_budget_alert_field(writer, value);
}

void from_json(const Json& json, BudgetAlert& value) {
  FieldReader reader(json);
  each_budget_alert_field(reader, value);
}

}  // namespace nemo::admin
