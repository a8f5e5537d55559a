// The part of LedgerWriter that removes old rows, between its batches and on its thread.
#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/ledger_writer.h"
#include "daemon/store/sqlite/storage_error.h"
#include "shared/log.h"

namespace nemo::store {
namespace {

// One transaction of a few milliseconds, so that rows which come meanwhile are written in time.
constexpr int k_removal_rows = 100;
constexpr std::chrono::hours k_removal_period{24};

std::int64_t remove_batch(lib::sqlite::Connection& connection, WallTime before) {
  lib::sqlite::Statement remove(
      connection, "DELETE FROM call WHERE row IN (SELECT row FROM call WHERE at < ? ORDER BY at LIMIT ?)");
  remove.bind_all(before.time_since_epoch().count(), k_removal_rows).run();
  return connection.changes();
}

}  // namespace

void LedgerWriter::plan_removal(std::optional<int> new_retention_days) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (new_retention_days) m_retention_days = *new_retention_days;
  if (!new_retention_days && now < m_next_removal) return;
  m_next_removal = now + k_removal_period;
  if (m_retention_days > 0) {
    m_remove_before = m_options.clock.wall() - std::chrono::days(m_retention_days);
  } else {
    finish_removal();
  }
}

void LedgerWriter::remove_some() {
  if (!m_remove_before) return;
  try {
    if (remove_batch(m_connection, *m_remove_before) == k_removal_rows) return;
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
