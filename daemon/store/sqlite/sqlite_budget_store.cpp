#include "daemon/store/sqlite/sqlite_budget_store.h"

#include <algorithm>
#include <utility>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/scope_rows.h"
#include "daemon/store/sqlite/storage_error.h"
#include "daemon/store/sqlite/time_columns.h"

namespace nemo::store {
namespace {

using lib::sqlite::Failure;
using lib::sqlite::Statement;

}  // namespace

SqliteBudgetStore::SqliteBudgetStore(std::filesystem::path file)
    : m_file(std::move(file)), m_connection(m_file, lib::sqlite::Access::read_write) {}

Result<std::vector<budget::SpendRow>> SqliteBudgetStore::load_spend() {
  const std::lock_guard lock(m_mutex);
  try {
    std::vector<budget::SpendRow> spend;
    Statement rows(m_connection, "SELECT kind, name, slot, cost FROM scope_spend ORDER BY kind, name, slot");
    while (rows.step()) spend.push_back({read_scope(rows, 0), rows.integer(2), NanoUsd{rows.integer(3)}});
    return spend;
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read what was spent");
  }
}

Result<std::vector<budget::Unsettled>> SqliteBudgetStore::load_unsettled() {
  const std::lock_guard lock(m_mutex);
  try {
    std::vector<budget::Unsettled> unsettled;
    Statement rows(m_connection,
                   "SELECT id, kind, name, day, amount, found_at FROM budget_unsettled WHERE released_at IS NULL "
                   "ORDER BY id");
    while (rows.step())
      unsettled.push_back({rows.integer(0), read_scope(rows, 1), static_cast<lib::Day>(rows.integer(3)),
                           NanoUsd{rows.integer(4)}, time_in(rows, 5)});
    return unsettled;
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read what is unsettled");
  }
}

Status SqliteBudgetStore::release_unsettled(std::int64_t id, const std::string& who, const std::string& why,
                                            WallTime at) {
  const std::lock_guard lock(m_mutex);
  try {
    Statement(m_connection,
              "UPDATE budget_unsettled SET released_at = ?, released_by = ?, reason = ? "
              "WHERE id = ? AND released_at IS NULL")
        .run_with(at.time_since_epoch().count(), who, why, id);
    if (m_connection.changes() > 0) return Done{};
    return fail(ErrorKind::not_found, "there is no unsettled amount " + std::to_string(id) + ", or it was released");
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "release an unsettled amount");
  }
}

Result<budget::AlertStore::Recorded> SqliteBudgetStore::record_crossing(const budget::Crossing& crossing, WallTime at) {
  const std::lock_guard lock(m_mutex);
  try {
    Statement(m_connection,
              "INSERT INTO budget_alert (kind, name, window, period_start, percent, limit_amount, spent, at) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
        .run_with(to_string(crossing.scope.kind), crossing.scope.name, to_string(crossing.window),
                  crossing.period_start.time_since_epoch().count(), crossing.percent, crossing.limit.value,
                  crossing.spent.value, at.time_since_epoch().count());
    return m_connection.changes() > 0 ? Recorded::now : Recorded::before;
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "record that a budget's threshold was passed");
  }
}

Result<std::vector<budget::Alert>> SqliteBudgetStore::recent_crossings(int limit) {
  const std::lock_guard lock(m_mutex);
  try {
    std::vector<budget::Alert> alerts;
    Statement rows(m_connection,
                   "SELECT kind, name, window, period_start, percent, limit_amount, spent, at FROM budget_alert "
                   "ORDER BY at DESC, rowid DESC LIMIT ?");
    rows.bind(1, std::max(limit, 0));
    while (rows.step()) {
      budget::Crossing crossing{read_scope(rows, 0),      read_window(rows, 2),
                                time_in(rows, 3),         static_cast<int>(rows.integer(4)),
                                NanoUsd{rows.integer(5)}, NanoUsd{rows.integer(6)}};
      alerts.push_back({std::move(crossing), time_in(rows, 7)});
    }
    return alerts;
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read the budgets' alerts");
  }
}

}  // namespace nemo::store
