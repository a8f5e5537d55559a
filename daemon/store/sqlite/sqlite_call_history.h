// ledger::CallHistory on SQLite. Read-only connections, guarded; any thread; sees what has been committed.
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

  // `since` is included, `until` is not. Each call is in one group only, so that the rows of every answer add up to the
  // same total: by tag, calls are grouped by all their tags together ("code, eu"). Whole days (of UTC) reach back to
  // the first call. Of those whose rows are gone nobody knows hours and tags any more: by hour, they are the day
  // without an hour ("2026-11-22"), by tag k_forgotten_tags.
  Result<std::vector<ledger::UsageRow>> usage(const ledger::UsageQuery& query) override;
  // Of completions that were shown. `since` and `until` as in usage(), but only as far back as rows are kept.
  Result<std::vector<ledger::AcceptanceRow>> acceptance(const ledger::UsageQuery& query) override;
  // Of calls that reached a model. As far back as rows are kept.
  Result<std::vector<ledger::AccuracyRow>> accuracy(std::optional<WallTime> since) override;
  // Reading so many takes long: it has a connection of its own, so that nothing else waits for it.
  Result<ledger::ExperimentSamples> experiment_samples(const std::string& experiment) override;

 private:
  std::filesystem::path m_file;
  std::mutex m_mutex;
  lib::sqlite::Connection m_connection;
  std::mutex m_samples_mutex;
  lib::sqlite::Connection m_samples_connection;
};

}  // namespace nemo::store
