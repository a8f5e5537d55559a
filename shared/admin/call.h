// GET /calls and /calls/{id}: ledger rows; field names are those of `nemo logs --json`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::admin {

struct CallQuery {
  std::string key;
  std::string seat;
  std::string model;
  std::string status;  // ok | error | cancelled | refused | a number such as 429
  std::string since;   // RFC 3339
  std::optional<std::int64_t> after_row;
  int limit = 50;
  bool paths = false;  // projects by their whole path
};

struct Call {
  std::int64_t row = 0;
  std::string id, at, key, seat, team, surface, lane, model, upstream, deployment, status;
  int http_status = 0;
  std::string error_code;
  bool stream = false;
  double latency_ms = 0;
  std::optional<double> ttft_ms;
  std::int64_t overhead_us = 0;
  std::int64_t input_tokens = 0, cached_tokens = 0, output_tokens = 0, reasoning_tokens = 0;
  std::string usage_source;
  std::string cost;  // dollars, exact
  std::string cache;
  int attempts = 0;
  std::string experiment, arm, client;
  std::vector<std::string> tags;
  std::string reserved = "0";  // dollars that were set aside before the call
  std::int64_t estimated_tokens = 0;
  std::string budget_fallback;           // the model that was asked for, when the budget sent the call to another
  std::optional<bool> accepted;          // a completion: whether its text was taken; none: not known
  std::string process, project, branch;  // whose work it was; empty: not known
  std::int64_t suggested_bytes = 0;      // a completion: how much of what it showed is judged
  std::int64_t accepted_bytes = 0;       // up to where it was accepted
  std::int64_t cache_write_tokens = 0;   // the part of input_tokens that was written to the provider's cache
};

struct CandidateView {
  std::string deployment;
  std::string reason;
  bool eligible = false;
  std::string figures;  // of that moment: "ttft 23 ms, 2 in flight, score 23.4"; empty: none
};

struct AttemptView {
  std::string deployment, upstream;
  int http_status = 0;
  std::string error_code, error;
  double started_ms = 0;
  double took_ms = 0;
  std::string cost = "0";  // dollars, exact; together they are the call's
  std::string note;        // "hedge", "token renewed", …; empty: nothing to say
};

// What `nemo why` shows.
struct CallStory {
  Call call;
  std::string requested_model;
  std::string model_reason;
  std::string strategy;  // that put the candidates in order; empty: none did
  std::vector<CandidateView> candidates;
  std::vector<AttemptView> attempts;
};

void to_json(Json& json, const Call& value);
void from_json(const Json& json, Call& value);
void to_json(Json& json, const CandidateView& value);
void from_json(const Json& json, CandidateView& value);
void to_json(Json& json, const AttemptView& value);
void from_json(const Json& json, AttemptView& value);
void to_json(Json& json, const CallStory& value);
void from_json(const Json& json, CallStory& value);

}  // namespace nemo::admin
