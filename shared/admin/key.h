// /keys: virtual keys as the command line sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/admin/json.h"
#include "shared/admin/terms.h"

namespace nemo::admin {

// POST /keys
struct KeyRequest {
  std::string seat;
  std::string team;
  std::vector<std::string> models;
  std::optional<std::string> expires_at;  // RFC 3339
  TermsRequest terms = {};
};

// PATCH /keys/{id}. What is not named stays.
struct KeyChange {
  std::optional<std::string> seat;
  std::optional<std::string> team;                 // empty: no team any more
  std::optional<std::vector<std::string>> models;  // empty: every model
  std::optional<std::string> expires_at;           // RFC 3339; empty: never
  TermsRequest terms = {};

  bool empty() const { return !seat && !team && !models && !expires_at && terms.empty(); }
};

// POST /keys/{id}/rotate
struct KeyRotation {
  std::int64_t grace_s = 0;  // how long the present secret goes on to open the door
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
  Terms terms = {};
  std::string last_used_at = {};     // empty: not yet
  std::string old_hint = {};         // of the secret before the last rotation, while it still opens the door
  std::string old_works_until = {};  //
};

// Of creating and of rotating.
struct CreatedKey {
  Key record;
  std::string key;           // the key itself, the only time it is shown
  std::string warning = {};  // it is stored, but the daemon could not take it up yet, and why
};

void to_json(Json& json, const KeyRequest& value);
void from_json(const Json& json, KeyRequest& value);
void to_json(Json& json, const KeyChange& value);
void from_json(const Json& json, KeyChange& value);
void to_json(Json& json, const KeyRotation& value);
void from_json(const Json& json, KeyRotation& value);
void to_json(Json& json, const Key& value);
void from_json(const Json& json, Key& value);
// Flat: the record's fields, then "key" and "warning".
void to_json(Json& json, const CreatedKey& value);
void from_json(const Json& json, CreatedKey& value);

}  // namespace nemo::admin
