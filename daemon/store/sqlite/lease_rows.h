// The rows of budget_lease, and what becomes of them after a crash.
#pragma once

#include <vector>

#include "daemon/budget/lease_store.h"
#include "daemon/lib/sqlite/statement.h"

namespace nemo::store {

// All throws lib::sqlite::Failure. Within a transaction of the caller's.
class LeaseRows {
 public:
  explicit LeaseRows(lib::sqlite::Connection& connection);

  // In their order. What is given back beyond what is there is not there; a lease that reaches 0 is removed.
  void change(const std::vector<budget::LeaseChange>& changes);

 private:
  lib::sqlite::Statement m_add;
  lib::sqlite::Statement m_remove_empty;
};

// What leases still hold becomes unsettled; none is left. How many there were, and how much they held together.
struct LeftOver {
  std::int64_t leases = 0;
  NanoUsd amount;
};
LeftOver settle_left_leases(lib::sqlite::Connection& connection, WallTime now);

}  // namespace nemo::store
