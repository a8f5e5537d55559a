// How a LedgerWriter is set up.
#pragma once

#include <cstddef>
#include <functional>

#include "daemon/lib/sqlite/connection.h"
#include "daemon/store/journal.h"
#include "shared/clock.h"

namespace nemo::store {

// What memory may hold while storage fails: about 100 MB at 2 KB a call, and more than a quarter of an hour at fifty
// calls a second.
inline constexpr std::size_t k_ledger_queue_rows = 50'000;
// Some 100 bytes each. A verdict is worth less than a row: far fewer of them wait.
inline constexpr std::size_t k_ledger_queue_verdicts = 10'000;

struct LedgerWriterOptions {
  const Clock& clock;       // outlives the writer; read by its thread
  int retention_days = 90;  // 0: everything is kept
  std::size_t queue_rows = k_ledger_queue_rows;
  Journal* journal = nullptr;  // outlives the writer; nullptr: no row is secured
  // Called by the writer's thread before each transaction, with its connection: tests take its space away.
  std::function<void(lib::sqlite::Connection&)> before_write = {};
  std::size_t queue_verdicts = k_ledger_queue_verdicts;
};

}  // namespace nemo::store
