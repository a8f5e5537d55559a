// GET /status: what `nemo status` shows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shared/admin/budget.h"
#include "shared/admin/json.h"

namespace nemo::admin {

struct UpstreamStatus {
  std::string name;
  std::string kind;
  std::string base_url;
  std::string key;          // "ok", "missing" or "not needed"; kind vertex: its token, "missing" when there is none
  std::string key_source;   // "secret:nemo", "env:NEMOROUTER_API_KEY", …
  std::string state;        // "reachable", "unreachable", "not tried"
  std::string detail;       // the last error, redacted
  std::int64_t models = 0;  // how many its own list names
};

struct LaneStatus {
  std::string name;
  std::string model;
  std::string strategy;
};

struct LedgerStatus {
  std::uint64_t written = 0;
  std::uint64_t waiting = 0;
  std::uint64_t dropped = 0;
  std::string last_error;
  std::uint64_t verdicts_dropped = 0;  // on completions: too many waited, or their row was not there
};

// ollama_listen of the config: the second address, where clients look for an Ollama of this machine.
struct OllamaStatus {
  std::string state = "off";  // "off", "listening", "not had"
  std::string url;            // "http://127.0.0.1:11434"; empty: off
  std::string detail;         // why it was not had
  bool only_if_free = false;  // "auto": that somebody else is there is no fault
};

struct DaemonStatus {
  std::string version;
  std::int64_t pid = 0;
  std::string url;  // "http://127.0.0.1:6366"
  OllamaStatus ollama;
  std::string config_file;
  bool config_file_exists = false;
  std::string config_error;                // why the last reload was refused; empty: the file is what runs
  std::vector<std::string> after_restart;  // as Reloaded's
  std::string data_folder;
  std::int64_t uptime_s = 0;
  std::int64_t open_calls = 0;
  std::int64_t open_connections = 0;
  std::int64_t calls_total = 0;
  bool require_key = true;
  std::int64_t keys = 0;  // that would be accepted now
  std::vector<UpstreamStatus> upstreams;
  std::vector<LaneStatus> lanes;
  LedgerStatus ledger;
  // Put in by the admin edge.
  std::vector<Budget> capped;       // those that are used up
  std::vector<BudgetAlert> alerts;  // newest first
  std::int64_t unsettled = 0;       // amounts that a crash left and nobody has released
};

void to_json(Json& json, const UpstreamStatus& value);
void from_json(const Json& json, UpstreamStatus& value);
void to_json(Json& json, const LaneStatus& value);
void from_json(const Json& json, LaneStatus& value);
void to_json(Json& json, const LedgerStatus& value);
void from_json(const Json& json, LedgerStatus& value);
void to_json(Json& json, const OllamaStatus& value);
void from_json(const Json& json, OllamaStatus& value);
void to_json(Json& json, const DaemonStatus& value);
void from_json(const Json& json, DaemonStatus& value);

}  // namespace nemo::admin
