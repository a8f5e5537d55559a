// What people and start-up ask of budgets on SQLite: spending, what is unsettled, alerts. One connection of its own,
// guarded; any thread. Leases are LedgerWriter's.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/budget/alert_store.h"
#include "daemon/budget/lease_store.h"
#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

// The functions do what the ports of the same names say.
class SqliteBudgetStore final : public budget::AlertStore {
 public:
  // Throws lib::sqlite::Failure. The schema must be there.
  explicit SqliteBudgetStore(std::filesystem::path file);

  Result<std::vector<budget::SpendRow>> load_spend();
  Result<std::vector<budget::Unsettled>> load_unsettled();  // by id
  Status release_unsettled(std::int64_t id, const std::string& who, const std::string& why, WallTime at);

  Result<Recorded> record_crossing(const budget::Crossing& crossing, WallTime at) override;
  Result<std::vector<budget::Alert>> recent_crossings(int limit) override;

 private:
  std::filesystem::path m_file;
  std::mutex m_mutex;
  lib::sqlite::Connection m_connection;
};

}  // namespace nemo::store
