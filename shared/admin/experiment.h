// /experiments: a lane's calls shared out among models, and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

struct Arm {
  std::string model;        // a catalog id, which is also the arm's name
  std::int64_t weight = 1;  // its share of all weights; 0: none for now
};

// POST /experiments
struct ExperimentRequest {
  std::string name;
  std::string lane;
  std::vector<Arm> arms;
  std::string by = "seat";  // what always gets the same arm: "seat" or "request"
};

// GET /experiments, and the answer to a change
struct Experiment {
  std::string name;
  std::string lane;
  std::string by;
  std::string state;  // "draft", "running", "paused" or "completed"
  std::vector<Arm> arms;
  std::string created_at;
  std::string started_at;  // the first time; empty: not yet
  std::string ended_at;    // empty: not completed
};

// A figure and its 95 % interval. None: too few calls to say.
struct Estimate {
  std::optional<double> value;
  std::optional<double> low;
  std::optional<double> high;
};

struct ArmReport {
  std::string arm;
  std::int64_t calls = 0;    // that a budget or a limit did not refuse; all below is of them
  std::int64_t refused = 0;  // the others
  std::int64_t errors = 0;
  Estimate error_share;  // shares are of 1
  Estimate ttft_p50_ms, ttft_p95_ms;
  Estimate latency_p50_ms, latency_p95_ms;
  std::string cost = "0";  // dollars, exact, of all calls
  Estimate cost_per_call;  // dollars
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  Estimate input_tokens_per_call, output_tokens_per_call, tokens_per_call;
  std::int64_t judged = 0;  // completions of which it is known whether their text was taken
  std::int64_t accepted = 0;
  Estimate accepted_share;
};

// Whether two arms can be told apart in one measure.
struct Verdict {
  std::string measure;  // "ttft_p50", "errors", "cost", "accepted", …
  std::string first, second;
  Estimate difference;  // second - first, in milliseconds, dollars or shares of 1
  bool distinct = false;
  std::string text;  // a sentence for people
};

// GET /experiments/{name}/report
struct ExperimentReport {
  Experiment experiment;
  std::vector<ArmReport> arms;
  std::vector<Verdict> verdicts;
  bool complete = true;  // false: there were older calls than these, which the report leaves out
};

void to_json(Json& json, const Arm& value);
void from_json(const Json& json, Arm& value);
void to_json(Json& json, const ExperimentRequest& value);
void from_json(const Json& json, ExperimentRequest& value);
void to_json(Json& json, const Experiment& value);
void from_json(const Json& json, Experiment& value);
void to_json(Json& json, const Estimate& value);
void from_json(const Json& json, Estimate& value);
void to_json(Json& json, const ArmReport& value);
void from_json(const Json& json, ArmReport& value);
void to_json(Json& json, const Verdict& value);
void from_json(const Json& json, Verdict& value);
void to_json(Json& json, const ExperimentReport& value);
void from_json(const Json& json, ExperimentReport& value);

}  // namespace nemo::admin
