// The part of LedgerWriter that removes old rows and folds old spending, between its batches and on its thread.
#include <utility>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/ledger_writer.h"
#include "daemon/store/sqlite/storage_error.h"
#include "shared/log.h"

namespace nemo::store {
namespace {

// One transaction of a few milliseconds, so that rows which come meanwhile are written in time.
constexpr int k_removal_rows = 100;
constexpr std::chrono::hours k_removal_period{24};
// Longer than any window but the total, whatever the time zone.
constexpr std::chrono::days k_spend_kept_by_slot{40};

std::int64_t remove_batch(lib::sqlite::Connection& connection, WallTime before) {
  lib::sqlite::Statement remove(
      connection, "DELETE FROM call WHERE row IN (SELECT row FROM call WHERE at < ? ORDER BY at LIMIT ?)");
  remove.bind_all(before.time_since_epoch().count(), k_removal_rows).run();
  return connection.changes();
}

void fold_spend(lib::sqlite::Connection& connection, budget::Slot before) {
  lib::sqlite::Transaction transaction(connection);
  lib::sqlite::Statement(connection,
                         "INSERT INTO scope_spend (kind, name, slot, cost) SELECT kind, name, 0, sum(cost) "
                         "FROM scope_spend WHERE slot > 0 AND slot < ? GROUP BY kind, name "
                         "ON CONFLICT DO UPDATE SET cost = cost + excluded.cost")
      .run_with(before);
  lib::sqlite::Statement(connection, "DELETE FROM scope_spend WHERE slot > 0 AND slot < ?").run_with(before);
  transaction.commit();
}

}  // namespace

void LedgerWriter::plan_removal(std::optional<int> new_retention_days) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (new_retention_days) m_retention_days = *new_retention_days;
  if (!new_retention_days && now < m_next_removal) return;
  m_next_removal = now + k_removal_period;
  m_fold_due = true;
  m_remove_before.reset();
  if (m_retention_days > 0) m_remove_before = m_options.clock.wall() - std::chrono::days(m_retention_days);
}

void LedgerWriter::fold_old_spend() {
  try {
    fold_spend(m_connection, budget::slot_of(m_options.clock.wall() - k_spend_kept_by_slot));
  } catch (const lib::sqlite::Failure& failure) {
    log::warn("ledger: " + storage_error(failure, m_file, "fold old spending").message + " Tried again in a day.");
  }
}

void LedgerWriter::remove_some() {
  if (std::exchange(m_fold_due, false)) {
    fold_old_spend();
  } else if (!m_remove_before) {
    return;
  }
  try {
    if (m_remove_before && remove_batch(m_connection, *m_remove_before) == k_removal_rows) return;
  } catch (const lib::sqlite::Failure& failure) {
    log::warn("ledger: " + storage_error(failure, m_file, "remove old calls").message + " Tried again in a day.");
  }
  finish_removal();
}

void LedgerWriter::finish_removal() {
  m_remove_before.reset();
  {
    const std::lock_guard lock(m_mutex);
    m_shared.removals_done = m_removals_seen;
  }
  m_progress.notify_all();
}

}  // namespace nemo::store
