#include "daemon/store/sqlite/lease_rows.h"

namespace nemo::store {

using lib::sqlite::Connection;
using lib::sqlite::Statement;

LeaseRows::LeaseRows(Connection& connection)
    : m_add(connection,
            "INSERT INTO budget_lease (kind, name, day, amount) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET amount = amount + excluded.amount"),
      m_remove_empty(connection, "DELETE FROM budget_lease WHERE kind = ? AND name = ? AND day = ? AND amount <= 0") {}

void LeaseRows::change(const std::vector<budget::LeaseChange>& changes) {
  for (const budget::LeaseChange& change : changes) {
    const auto kind = to_string(change.scope.kind);
    m_add.run_with(kind, change.scope.name, change.day, change.by.value);
    if (change.by.value <= 0) m_remove_empty.run_with(kind, change.scope.name, change.day);
  }
}

LeftOver settle_left_leases(Connection& connection, WallTime now) {
  LeftOver left;
  Statement sums(connection, "SELECT count(*), coalesce(sum(amount), 0) FROM budget_lease WHERE amount > 0");
  if (sums.step()) left = {sums.integer(0), NanoUsd{sums.integer(1)}};
  sums.reset();
  Statement(connection,
            "INSERT INTO budget_unsettled (kind, name, day, amount, found_at) "
            "SELECT kind, name, day, amount, ? FROM budget_lease WHERE amount > 0 ORDER BY kind, name, day")
      .run_with(now.time_since_epoch().count());
  connection.exec("DELETE FROM budget_lease");
  return left;
}

}  // namespace nemo::store
