#include "shared/admin/team.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

void to_json(Json& json, const TeamRequest& value) {
  FieldWriter writer(json);
  writer("name", value.name);
  to_json(json, value.terms);
}

void from_json(const Json& json, TeamRequest& value) {
  FieldReader reader(json);
  reader("name", value.name);
  from_json(json, value.terms);
}

template <typename Visit, typename Value>
static void each_team_field(Visit& visit, Value& value) {
  visit("name", value.name);
  visit("created_at", value.created_at);
  visit("keys", value.keys);
  visit("seats", value.seats);
}

void to_json(Json& json, const Team& value) {
  FieldWriter writer(json);
  each_team_field(writer, value);
  to_json(json, value.terms);
}

void from_json(const Json& json, Team& value) {
  FieldReader reader(json);
  each_team_field(reader, value);
  from_json(json, value.terms);
}

template <typename Visit, typename Value>
static void each_seat_field(Visit& visit, Value& value) {
  visit("name", value.name);
  visit("keys", value.keys);
  visit("teams", value.teams);
  visit("last_used_at", value.last_used_at);
}

void to_json(Json& json, const Seat& value) {
  FieldWriter writer(json);
  each_seat_field(writer, value);
  to_json(json, value.terms);
}

void from_json(const Json& json, Seat& value) {
  FieldReader reader(json);
  each_seat_field(reader, value);
  from_json(json, value.terms);
}

}  // namespace nemo::admin
