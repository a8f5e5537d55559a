#include "shared/admin/key.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_key_request_field(Visit& visit, Value& value) {
  visit("seat", value.seat);
  visit("team", value.team);
  visit("models", value.models);
  visit("expires_at", value.expires_at);
}

void to_json(Json& json, const KeyRequest& value) {
  FieldWriter writer(json);
  each_key_request_field(writer, value);
}

void from_json(const Json& json, KeyRequest& value) {
  FieldReader reader(json);
  each_key_request_field(reader, value);
}

template <typename Visit, typename Value>
static void each_key_field(Visit& visit, Value& value) {
  visit("id", value.id);
  visit("hint", value.hint);
  visit("seat", value.seat);
  visit("team", value.team);
  visit("models", value.models);
  visit("created_at", value.created_at);
  visit("expires_at", value.expires_at);
  visit("revoked_at", value.revoked_at);
  visit("state", value.state);
}

void to_json(Json& json, const Key& value) {
  FieldWriter writer(json);
  each_key_field(writer, value);
}

void from_json(const Json& json, Key& value) {
  FieldReader reader(json);
  each_key_field(reader, value);
}

void to_json(Json& json, const CreatedKey& value) {
  to_json(json, value.record);
  json["key"] = value.key;
}

void from_json(const Json& json, CreatedKey& value) {
  from_json(json, value.record);
  FieldReader reader(json);
  reader("key", value.key);
}

}  // namespace nemo::admin
