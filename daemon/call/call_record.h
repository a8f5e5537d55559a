// One row of the ledger: everything that is known about a call once it has ended. The columns are the contract's.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/call/origin.h"
#include "daemon/call/surface.h"
#include "daemon/call/usage.h"
#include "shared/clock.h"
#include "shared/money.h"

namespace nemo::call {

enum class Outcome : std::uint8_t { ok, error, cancelled, refused };
std::string_view to_string(Outcome outcome);

// One try at one deployment.
struct Attempt {
  std::string deployment;
  std::string upstream;
  int http_status = 0;          // 0: no head came
  std::string error_code;       // empty: it answered
  std::string error;            // for people, redacted
  std::int64_t started_us = 0;  // after the call's start
  std::int64_t took_us = 0;     // until it answered or failed
  NanoUsd cost;                 // of an attempt that was given up after it had begun to cost (a lost hedge)
  std::string note;             // "hedge", "token renewed", …; empty: nothing to say
};

// A deployment that was considered, and why it was taken or left out.
struct Candidate {
  std::string deployment;
  std::string reason;
  bool eligible = false;
  std::string figures;  // "ttft 23 ms, 2 in flight, score 23.4"; empty: none
};

struct Trace {
  std::string strategy;      // that put the candidates in order
  std::string model_reason;  // "named by the caller", "lane completion: fill in the middle", …
  std::vector<Candidate> candidates;
  std::vector<Attempt> attempts;
};

struct CallRecord {
  std::string id;
  WallTime at;  // when the request's head had been read
  std::string key;
  std::string seat;
  std::string team;
  Surface surface = Surface::openai_chat;
  std::string lane;             // "completion", "reasoning", or empty
  std::string requested_model;  // as the caller wrote it
  std::string model;            // the catalog id that answered
  std::string upstream;
  std::string deployment;
  Outcome outcome = Outcome::ok;
  int http_status = 0;
  std::string error_code;
  bool stream = false;
  Micros latency{0};           // request head read -> last byte handed to the client
  std::optional<Micros> ttft;  // request head read -> first content on its way to the client
  Micros overhead{0};          // the part of latency that was neither upstream nor the client's reading
  Usage usage;
  NanoUsd cost;
  NanoUsd reserved;                   // set aside before the call; 0: no budget applied
  std::int64_t estimated_tokens = 0;  // the bound on input_tokens that `reserved` was made from
  int lease_day = 0;                  // which leases `reserved` was drawn from: not a column,
  std::uint8_t drawn_from = 0;        // but what the store takes the cost out of (budget::Reservation)
  std::uint32_t journal = 0;          // which journal file holds the row (ledger::RequestLog::secure); not a column
  std::string budget_fallback;        // the model that was asked for, when the budget sent the call to another
  std::string cache = "miss";         // hit | miss | bypass | type-through
  int attempts = 0;
  std::string experiment;
  std::string arm;
  std::int64_t suggested_bytes = 0;  // a completion: how much of what it showed is judged; 0: nothing new was shown
  std::optional<bool> accepted;      // whether that was taken, wholly or in part, once it is known
  std::int64_t accepted_bytes = 0;   // up to where; all of it: accepted in full
  std::string client;                // from user-agent, shortened: "OpenAI/JS", "curl", …
  Origin origin;                     // whose work it was, as far as was known when the row was made
  std::vector<std::string> tags;
  Trace trace;
};

}  // namespace nemo::call
