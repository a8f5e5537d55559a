// GET /deployments: what each deployment has shown lately; field names are those of `nemo deployments --json`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

// Time to first token of streams of one lane.
struct LaneSpeed {
  std::string lane;
  std::optional<double> ttft_ms;  // a decaying average; none: never measured
  std::optional<double> p95_ms;   // none: too few to say
  std::int64_t measured = 0;      // how many streams have gone into it
  std::optional<std::int64_t> measured_s_ago;
};

struct Deployment {
  std::string deployment;  // its id
  std::string model;       // catalog id
  std::string upstream;
  std::string upstream_model;
  int order = 1;
  int weight = 1;
  std::vector<std::string> tags;
  std::string health;                // "healthy", "half-open", "cooling", "rate-limited" or "no key"
  std::optional<double> ready_in_s;  // of cooling and rate-limited
  std::string last_trouble;          // an error code; empty: none since the last success
  std::int64_t in_flight = 0;
  std::int64_t calls_this_minute = 0;
  std::int64_t tokens_this_minute = 0;
  std::optional<std::int64_t> rpm;  // its capacity in calls a minute; none: not limited
  std::vector<LaneSpeed> lanes;     // of every lane, by name
};

void to_json(Json& json, const LaneSpeed& value);
void from_json(const Json& json, LaneSpeed& value);
void to_json(Json& json, const Deployment& value);
void from_json(const Json& json, Deployment& value);

}  // namespace nemo::admin
