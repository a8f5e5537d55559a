// /keys: virtual keys as the command line sees them.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

}  // namespace nemo::admin
