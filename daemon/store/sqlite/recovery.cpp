#include "daemon/store/sqlite/recovery.h"

#include <unistd.h>

#include <algorithm>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/journal.h"
#include "daemon/store/journal_format.h"
#include "daemon/store/sqlite/call_rows.h"
#include "daemon/store/sqlite/durable_commits.h"
#include "daemon/store/sqlite/lease_rows.h"
#include "shared/log.h"

namespace nemo::store {
namespace {

using call::CallRecord;
using lib::sqlite::Connection;
using lib::sqlite::Failure;
using lib::sqlite::Statement;
using lib::sqlite::Transaction;

constexpr std::size_t k_rows_a_transaction = 1000;

// The last record of each id, in the order in which the ids first came.
class LastRecords {
 public:
  void add(CallRecord record) {
    const auto [place, is_new] = m_place_of.try_emplace(record.id, m_records.size());
    if (is_new) {
      m_records.push_back(std::move(record));
    } else {
      m_records[place->second] = std::move(record);
    }
  }
  std::span<const CallRecord> all() const { return m_records; }

 private:
  std::vector<CallRecord> m_records;
  std::unordered_map<std::string, std::size_t> m_place_of;
};

void read_records(const std::string& bytes, const JournalFile& file, LastRecords& records) {
  JournalReader reader(bytes);
  while (auto record = reader.next()) records.add(std::move(*record));
  if (reader.unread() > 0)
    log::warn("ledger: the last " + std::to_string(reader.unread()) + " bytes of " + file.path.string() +
              " are no whole row: it was being written when nemod ended");
}

class Replay {
 public:
  explicit Replay(Connection& connection)
      : m_connection(connection), m_find(connection, "SELECT 1 FROM call WHERE id = ?"), m_rows(connection) {}

  void insert(std::span<const CallRecord> records) {
    while (!records.empty()) {
      const auto batch = records.first(std::min(records.size(), k_rows_a_transaction));
      records = records.subspan(batch.size());
      if (try_insert(batch)) continue;
      for (const CallRecord& record : batch) {
        if (!try_insert({&record, 1})) log::error("ledger: the call " + record.id + " cannot be stored: " + m_reason);
      }
    }
  }
  std::size_t inserted() const { return m_inserted; }

 private:
  // False: a row breaks a rule of the schema, and none was written.
  bool try_insert(std::span<const CallRecord> batch) {
    try {
      Transaction transaction(m_connection);
      m_rows.begin();
      std::size_t inserted = 0;
      for (const CallRecord& record : batch) {
        if (is_there(record.id)) continue;
        m_rows.insert(record);
        ++inserted;
      }
      m_rows.write_sums();
      transaction.commit();
      m_inserted += inserted;
      return true;
    } catch (const Failure& failure) {
      if (failure.cause() != lib::sqlite::Cause::constraint) throw;
      m_reason = failure.what();
      return false;
    }
  }
  bool is_there(const std::string& id) {
    m_find.bind(1, id);
    const bool found = m_find.step();
    m_find.reset();
    return found;
  }

  Connection& m_connection;
  Statement m_find;
  CallRows m_rows;
  std::size_t m_inserted = 0;
  std::string m_reason;
};

void replay_journals(Connection& connection, const std::vector<JournalFile>& files) {
  LastRecords records;
  std::vector<std::filesystem::path> to_remove;
  for (const JournalFile& file : files) {
    std::string why;
    const auto bytes = read_journal_file(file.path, why);
    if (!bytes) {
      log::error("ledger: " + why +
                 ". Calls in it are not in the ledger; it stays where it is and is read at the next "
                 "start.");
      continue;
    }
    read_records(*bytes, file, records);
    to_remove.push_back(file.path);
  }
  Replay replay(connection);
  replay.insert(records.all());
  if (replay.inserted() > 0)
    log::info("ledger: " + std::to_string(replay.inserted()) +
              " calls that were not in the database when nemod ended are in it now");
  for (const auto& path : to_remove) ::unlink(path.c_str());
}

void settle_leases(Connection& connection, WallTime now) {
  Transaction transaction(connection);
  const LeftOver left = settle_left_leases(connection, now);
  if (left.leases == 0) return;
  transaction.commit();
  log::warn("budgets: $" + to_dollars(left.amount) + " in " + std::to_string(left.leases) +
            " leases was set aside for calls and had not been settled when nemod ended. It counts as spent until it is "
            "released with: nemo budgets reconcile");
}

}  // namespace

std::uint32_t recover(Connection& connection, const std::filesystem::path& folder, WallTime now) {
  const DurableCommits durable(connection);
  const auto files = find_journal_files(folder);
  replay_journals(connection, files);
  settle_leases(connection, now);
  return files.empty() ? 0 : files.back().generation;
}

}  // namespace nemo::store
