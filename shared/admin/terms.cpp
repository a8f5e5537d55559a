#include "shared/admin/terms.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_terms_field(Visit& visit, Value& value) {
  visit("budgets", value.budgets);
  visit("rpm", value.rpm);
  visit("tpm", value.tpm);
  visit("parallel", value.parallel);
  visit("on_budget", value.on_budget);
}

void to_json(Json& json, const TermsRequest& value) {
  FieldWriter writer(json);
  each_terms_field(writer, value);
}

void from_json(const Json& json, TermsRequest& value) {
  FieldReader reader(json);
  each_terms_field(reader, value);
}

void to_json(Json& json, const Terms& value) {
  FieldWriter writer(json);
  each_terms_field(writer, value);
}

void from_json(const Json& json, Terms& value) {
  FieldReader reader(json);
  each_terms_field(reader, value);
}

}  // namespace nemo::admin
