// /keys: virtual keys as the command line sees them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

struct KeyRequest {
  std::string seat;
  std::string team;
  std::vector<std::string> models;
  std::optional<std::string> expires_at;  // RFC 3339
};

struct Key {
  std::string id;
  std::string hint;  // "…abcd"
  std::string seat;
  std::string team;
  std::vector<std::string> models;
  std::string created_at;
  std::string expires_at;  // empty: never
  std::string revoked_at;  // empty: not revoked
  std::string state;       // "active", "expired", "revoked"
};

struct CreatedKey {
  Key record;
  std::string key;  // the key itself, the only time it is shown
};

void to_json(Json& json, const KeyRequest& value);
void from_json(const Json& json, KeyRequest& value);
void to_json(Json& json, const Key& value);
void from_json(const Json& json, Key& value);
// Flat: the record's fields, then "key".
void to_json(Json& json, const CreatedKey& value);
void from_json(const Json& json, CreatedKey& value);

}  // namespace nemo::admin
