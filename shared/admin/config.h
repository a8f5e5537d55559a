// GET /config, POST /config/reload and POST /lanes/{lane}.
#pragma once

#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

struct ConfigText {
  std::string text;  // the settings in force, as TOML; holds no secret
};

struct Reloaded {
  std::vector<std::string> after_restart;  // settings that are heeded at the start only: "listen = \"127.0.0.1:7000\""
};

// "takes effect after a restart: listen = …"; empty when nothing waits for one.
std::string restart_note(const std::vector<std::string>& after_restart);

struct LaneChange {
  std::string model;
};

void to_json(Json& json, const ConfigText& value);
void from_json(const Json& json, ConfigText& value);
void to_json(Json& json, const Reloaded& value);
void from_json(const Json& json, Reloaded& value);
void to_json(Json& json, const LaneChange& value);
void from_json(const Json& json, LaneChange& value);

}  // namespace nemo::admin
