#include "shared/admin/model.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_model_field(Visit& visit, Value& value) {
  visit("id", value.id);
  visit("publisher", value.publisher);
  visit("context_window", value.context_window);
  visit("max_output_tokens", value.max_output_tokens);
  visit("input_price", value.input_price);
  visit("cached_input_price", value.cached_input_price);
  visit("cache_write_price", value.cache_write_price);
  visit("output_price", value.output_price);
  visit("input_price_above_200k", value.input_price_above_200k);
  visit("cached_input_price_above_200k", value.cached_input_price_above_200k);
  visit("cache_write_price_above_200k", value.cache_write_price_above_200k);
  visit("output_price_above_200k", value.output_price_above_200k);
  visit("capabilities", value.capabilities);
  visit("tags", value.tags);
  visit("deprecated_since", value.deprecated_since);
  visit("upstreams", value.upstreams);
  visit("lanes", value.lanes);
  visit("in_catalog", value.in_catalog);
}

void to_json(Json& json, const Model& value) {
  FieldWriter writer(json);
  each_model_field(writer, value);
}

void from_json(const Json& json, Model& value) {
  FieldReader reader(json);
  each_model_field(reader, value);
}

}  // namespace nemo::admin
