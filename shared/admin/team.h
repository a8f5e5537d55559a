// /teams and /seats. A seat is there through its keys; a team is made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/admin/json.h"
#include "shared/admin/terms.h"

namespace nemo::admin {

// POST /teams
struct TeamRequest {
  std::string name;
  TermsRequest terms = {};
};

// GET /teams, and the answer to a change
struct Team {
  std::string name;
  std::string created_at;
  std::int64_t keys = 0;           // not revoked
  std::vector<std::string> seats;  // that have such a key, by name
  Terms terms = {};
};

// GET /seats, and the answer to a change
struct Seat {
  std::string name;
  std::int64_t keys = 0;           // not revoked
  std::vector<std::string> teams;  // of those keys, by name
  std::string last_used_at;        // empty: not yet
  Terms terms = {};
};

void to_json(Json& json, const TeamRequest& value);
void from_json(const Json& json, TeamRequest& value);
void to_json(Json& json, const Team& value);
void from_json(const Json& json, Team& value);
void to_json(Json& json, const Seat& value);
void from_json(const Json& json, Seat& value);

}  // namespace nemo::admin
