// Port: what of budgets outlives the process. Implemented by the store.
//
// Spend is kept by scope and slot (a quarter of an hour of UTC, so that a window of any time zone is a sum of slots)
// and is written in the transaction that writes the ledger's rows. A lease is budget set aside in the database before
// calls draw from it in memory. The transaction that writes a call's row takes min(cost, reserved) out of the leases
// that the call drew from. What a lease still holds when a database is opened was in flight at a crash: it becomes an
// Unsettled.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/call/scope.h"
#include "daemon/lib/time_zone/time_zone.h"
#include "shared/clock.h"
#include "shared/money.h"
#include "shared/result.h"

namespace nemo::budget {

using Slot = std::int64_t;  // quarters of an hour since 1970, UTC
inline constexpr std::chrono::minutes k_slot_length{15};
inline Slot slot_of(WallTime at) {
  return std::chrono::floor<std::chrono::minutes>(at).time_since_epoch() / k_slot_length;
}
inline WallTime start_of(Slot slot) {
  return WallTime(slot * k_slot_length);
}

struct SpendRow {
  call::Scope scope;
  Slot slot = 0;  // 0: all that is too old for any window but the total
  NanoUsd cost;
};

struct LeaseChange {
  call::Scope scope;
  lib::Day day = 0;  // the calendar day in whose windows calls draw from it
  NanoUsd by;        // negative: given back
};

// What a lease had not settled at a crash. It counts as spent in the windows that its day lies in, until released.
struct Unsettled {
  std::int64_t id = 0;
  call::Scope scope;
  lib::Day day = 0;
  NanoUsd amount;
  WallTime found_at;  // when the daemon came up again
};

class LeaseStore {
 public:
  virtual ~LeaseStore() = default;

  // Start-up only.
  virtual Result<std::vector<SpendRow>> load_spend() = 0;
  virtual Result<std::vector<Unsettled>> load_unsettled() = 0;  // not yet released

  // Any thread, returns at once. The changes are written in one transaction that survives a power cut, in the order of
  // the calls, ahead of ledger rows that wait; then `done` runs on the store's thread.
  virtual void change_leases(std::vector<LeaseChange> changes, std::function<void(const Status&)> done) = 0;

  // People's side. Records who and why; not_found: no such id, or it was released before.
  virtual Status release_unsettled(std::int64_t id, const std::string& who, const std::string& why, WallTime at) = 0;
};

}  // namespace nemo::budget
