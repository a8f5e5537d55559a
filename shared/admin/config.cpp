#include "shared/admin/config.h"

#include "shared/admin/json_fields.h"

namespace nemo::admin {

template <typename Visit, typename Value>
static void each_config_text_field(Visit& visit, Value& value) {
  visit("text", value.text);
}

void to_json(Json& json, const ConfigText& value) {
  FieldWriter writer(json);
  each_config_text_field(writer, value);
}

void from_json(const Json& json, ConfigText& value) {
  FieldReader reader(json);
  each_config_text_field(reader, value);
}

template <typename Visit, typename Value>
static void each_reloaded_field(Visit& visit, Value& value) {
  visit("after_restart", value.after_restart);
}

void to_json(Json& json, const Reloaded& value) {
  FieldWriter writer(json);
  each_reloaded_field(writer, value);
}

void from_json(const Json& json, Reloaded& value) {
  FieldReader reader(json);
  each_reloaded_field(reader, value);
}

std::string restart_note(const std::vector<std::string>& after_restart) {
  std::string note;
  for (const std::string& one : after_restart) {
    note.append(note.empty() ? "takes effect after a restart: " : ", ").append(one);
  }
  return note;
}

template <typename Visit, typename Value>
static void each_lane_change_field(Visit& visit, Value& value) {
  visit("model", value.model);
}

void to_json(Json& json, const LaneChange& value) {
  FieldWriter writer(json);
  each_lane_change_field(writer, value);
}

void from_json(const Json& json, LaneChange& value) {
  FieldReader reader(json);
  each_lane_change_field(reader, value);
}

}  // namespace nemo::admin
