// Owns: the ports of the request log, one to append to and one to ask. Must not know: SQL, files, HTTP.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/call/call_record.h"
#include "daemon/ledger/experiment_samples.h"
#include "shared/result.h"

namespace nemo::ledger {

struct LogHealth {
  std::uint64_t appended = 0;
  std::uint64_t written = 0;
  std::uint64_t dropped = 0;           // the queue was full: storage has been failing for long
  std::uint64_t waiting = 0;           // appended and not yet in the database
  std::string last_error;              // empty: the last write worked
  std::uint64_t verdicts_dropped = 0;  // too many waited, or no row has the id
};

// The hot path's side. Any thread.
class RequestLog {
 public:
  virtual ~RequestLog() = default;
  // Hands the row over and returns at once; it is in the database within 50 ms while storage works.
  virtual void append(call::CallRecord record) = 0;
  // Makes a row outlive a crash of the process before its call's last byte is sent, at the price of one write to the
  // page cache. append() of the same id follows and has the last word; after a crash this is the row.
  virtual void secure(call::CallRecord& record) = 0;
  // How much of what a completion suggested was taken (0: it was dismissed), known some prompts after its row was
  // appended. Returns at once; it is in the row within some two seconds while storage works. The last verdict on a call
  // counts. One that waits is lost in a crash, and dropped when too many wait.
  virtual void mark_accepted(std::string call_id, std::int64_t accepted_bytes) = 0;
  virtual LogHealth health() const = 0;
};

enum class StatusFilter : std::uint8_t { any, ok, error, cancelled, refused };

struct CallFilter {
  std::optional<std::string> key;
  std::optional<std::string> seat;
  std::optional<std::string> model;
  StatusFilter status = StatusFilter::any;
  std::optional<int> http_status;  // --status 402, 429
  std::optional<WallTime> since;
  std::optional<std::int64_t> after_row;  // only rows written after this row number (follow mode)
  int limit = 50;                         // the newest `limit` rows
};

struct CallRow {
  std::int64_t row = 0;  // grows with every row written
  call::CallRecord record;
};

// What `nemo usage --by` groups by.
enum class UsageGroup : std::uint8_t { key, seat, team, model, lane, day, hour, client, tag, upstream, project };

// How good the estimates before calls were, per model.
struct AccuracyRow {
  std::string model;
  std::int64_t calls = 0;             // that had something set aside
  std::int64_t estimated_tokens = 0;  // of input
  std::int64_t input_tokens = 0;
  std::int64_t above_estimate = 0;  // calls whose input was larger than estimated
  std::int64_t overruns = 0;        // calls that cost more than was set aside
  NanoUsd overrun_cost;             // by how much, together
  NanoUsd reserved;
  NanoUsd cost;
};

struct UsageQuery {
  UsageGroup by = UsageGroup::model;
  std::optional<WallTime> since;
  std::optional<WallTime> until;
};

struct UsageRow {
  std::string group;  // the key, seat, model, "2026-11-22", "2026-11-22 13:00", …; "" is shown as "-"
  std::int64_t calls = 0;
  std::int64_t errors = 0;  // outcomes other than ok
  std::int64_t input_tokens = 0;
  std::int64_t cached_tokens = 0;
  std::int64_t output_tokens = 0;
  NanoUsd cost;
  std::int64_t cache_write_tokens = 0;
};

// What became of the completions that were shown, each once however often its rest was shown again.
struct AcceptanceRow {
  std::string group;  // as UsageRow::group
  std::int64_t shown = 0;
  std::int64_t accepted = 0;   // in full
  std::int64_t partly = 0;     // accepted in part
  std::int64_t dismissed = 0;  // of the rest nothing is known (yet)
};

// The people's side: slow, reads the database with connections of its own. Any thread.
class CallHistory {
 public:
  virtual ~CallHistory() = default;
  virtual Result<std::vector<CallRow>> find_calls(const CallFilter& filter) = 0;         // oldest first
  virtual Result<std::optional<call::CallRecord>> find_call(const std::string& id) = 0;  // with its trace
  virtual Result<std::vector<UsageRow>> usage(const UsageQuery& query) = 0;  // dearest first; days and hours in order
  // Most shown first; days and hours in order.
  virtual Result<std::vector<AcceptanceRow>> acceptance(const UsageQuery& query) = 0;
  virtual Result<std::vector<AccuracyRow>> accuracy(std::optional<WallTime> since) = 0;  // most calls first
  // Of the experiment's newest calls, at most k_most_experiment_samples. An experiment without calls has no arms.
  virtual Result<ExperimentSamples> experiment_samples(const std::string& experiment) = 0;
};

}  // namespace nemo::ledger
