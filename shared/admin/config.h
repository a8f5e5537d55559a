// GET /config and POST /lanes/{lane}.
#pragma once

#include <string>

#include "shared/admin/json.h"

namespace nemo::admin {

struct ConfigText {
  std::string text;  // the settings in force, as TOML; holds no secret
};

struct LaneChange {
  std::string model;
};

void to_json(Json& json, const ConfigText& value);
void from_json(const Json& json, ConfigText& value);
void to_json(Json& json, const LaneChange& value);
void from_json(const Json& json, LaneChange& value);

}  // namespace nemo::admin
