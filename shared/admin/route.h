// POST /route/explain: what would become of a call, without making it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

// The call that is asked about.
struct RouteQuestion {
  std::string model;              // as a caller would write it; empty: none
  std::string lane;               // as nemo_lane would say; empty: by the shape of the call
  std::vector<std::string> tags;  // as nemo_tags would say
  std::string key;                // a key's id: its models and its seat; empty: any model, no seat
  bool stream = false;
  bool fim = false;    // fill in the middle
  bool tools = false;  // it offers tools to the model
  std::optional<std::int64_t> max_tokens;
  std::int64_t prompt_bytes = 0;
};

// Candidates stand in the order in which they would be tried, then come those that are left out.
struct RouteCandidate {
  std::string deployment;
  std::string model;
  bool eligible = false;
  bool is_fallback = false;     // its model is a fallback of the wanted one
  bool explored = false;        // put first to be measured again
  int order = 1;                // lower ones come first
  std::optional<double> score;  // by the strategy, lower is better; none for those left out
  std::string reason;
  std::string figures;  // "ttft 23 ms, 2 in flight"; empty: none
};

struct RoutePlan {
  std::string lane;
  std::string lane_reason;
  std::string model;  // empty: none was chosen
  std::string model_reason;
  std::string strategy;
  std::string experiment;     // that chose the model; empty: none did
  std::string experiment_by;  // "seat" or "request"
  std::string arm;
  std::vector<RouteCandidate> candidates;
  std::string error_code;  // the call would be refused with this; empty: it would go on
  std::string error;
};

void to_json(Json& json, const RouteQuestion& value);
void from_json(const Json& json, RouteQuestion& value);
void to_json(Json& json, const RouteCandidate& value);
void from_json(const Json& json, RouteCandidate& value);
void to_json(Json& json, const RoutePlan& value);
void from_json(const Json& json, RoutePlan& value);

}  // namespace nemo::admin
