// ledger::CallHistory on SQLite. One read-only connection, guarded; any thread; sees what has been committed.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ledger/request_log.h"
#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

class SqliteCallHistory final : public ledger::CallHistory {
 public:
  // Throws lib::sqlite::Failure. The file and its schema must be there.
  explicit SqliteCallHistory(std::filesystem::path file);

  // The newest by their start; given in the order they were written, so that the last one's number is where a follower
  // goes on. With `after_row`: the newest of those written after it. Records come without their trace.
  Result<std::vector<ledger::CallRow>> find_calls(const ledger::CallFilter& filter) override;
  Result<std::optional<call::CallRecord>> find_call(const std::string& id) override;

  // `since` is included, `until` is not. A call with two tags counts in both of their rows. Hours and tags are summed
  // from rows and so reach back as far as rows are kept; the other groups reach back to the first call.
  Result<std::vector<ledger::UsageRow>> usage(const ledger::UsageQuery& query) override;

 private:
  std::filesystem::path m_file;
  std::mutex m_mutex;
  lib::sqlite::Connection m_connection;
};

}  // namespace nemo::store
