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
  to_json(json, value.terms);
}

void from_json(const Json& json, KeyRequest& value) {
  FieldReader reader(json);
  each_key_request_field(reader, value);
  from_json(json, value.terms);
}

void to_json(Json& json, const KeyChange& value) {
  FieldWriter writer(json);
  each_key_request_field(writer, value);
  to_json(json, value.terms);
}

void from_json(const Json& json, KeyChange& value) {
  FieldReader reader(json);
  each_key_request_field(reader, value);
  from_json(json, value.terms);
}

void to_json(Json& json, const KeyRotation& value) {
  FieldWriter writer(json);
  writer("grace_s", value.grace_s);
}

void from_json(const Json& json, KeyRotation& value) {
  FieldReader reader(json);
  reader("grace_s", value.grace_s);
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

template <typename Visit, typename Value>
static void each_key_history_field(Visit& visit, Value& value) {
  visit("last_used_at", value.last_used_at);
  visit("old_hint", value.old_hint);
  visit("old_works_until", value.old_works_until);
}

void to_json(Json& json, const Key& value) {
  FieldWriter writer(json);
  each_key_field(writer, value);
  to_json(json, value.terms);
  each_key_history_field(writer, value);
}

void from_json(const Json& json, Key& value) {
  FieldReader reader(json);
  each_key_field(reader, value);
  from_json(json, value.terms);
  each_key_history_field(reader, value);
}

void to_json(Json& json, const CreatedKey& value) {
  to_json(json, value.record);
  json["key"] = value.key;
  if (!value.warning.empty()) json["warning"] = value.warning;
}

void from_json(const Json& json, CreatedKey& value) {
  from_json(json, value.record);
  FieldReader reader(json);
  reader("key", value.key);
  reader("warning", value.warning);
}

}  // namespace nemo::admin
