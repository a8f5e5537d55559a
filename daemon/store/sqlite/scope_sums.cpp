#include "daemon/store/sqlite/scope_sums.h"

#include <algorithm>

#include "daemon/budget/lease_store.h"

namespace nemo::store {
namespace {

using call::ScopeKind;

constexpr std::string_view k_add_spend_sql =
    "INSERT INTO scope_spend (kind, name, slot, cost) VALUES (?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET cost = cost + excluded.cost";

// A lease that is not there was given back or has become unsettled: nothing is left to take.
constexpr std::string_view k_take_from_lease_sql =
    "UPDATE budget_lease SET amount = amount - ?4 WHERE kind = ?1 AND name = ?2 AND day = ?3";
constexpr std::string_view k_remove_empty_lease_sql =
    "DELETE FROM budget_lease WHERE kind = ? AND name = ? AND day = ? AND amount <= 0";

// Rows come in the order in which calls end.
constexpr std::string_view k_set_last_used_sql =
    "UPDATE virtual_key SET last_used_at = max(coalesce(last_used_at, ?2), ?2) WHERE id = ?1";

// A clock that stood before 1970 is no reason to lose spending.
budget::Slot spend_slot(const call::CallRecord& record) {
  return std::max<budget::Slot>(0, budget::slot_of(record.at));
}

}  // namespace

ScopeSums::ScopeSums(lib::sqlite::Connection& connection)
    : m_add_spend(connection, k_add_spend_sql),
      m_take_from_lease(connection, k_take_from_lease_sql),
      m_remove_empty_lease(connection, k_remove_empty_lease_sql),
      m_set_last_used(connection, k_set_last_used_sql) {}

void ScopeSums::begin() {
  m_spend.clear();
  m_taken.clear();
  m_last_used.clear();
}

void ScopeSums::add(const call::CallRecord& record) {
  add(record, ScopeKind::key, record.key);
  add(record, ScopeKind::seat, record.seat);
  add(record, ScopeKind::team, record.team);
  if (record.key.empty()) return;
  WallTime& last_used = m_last_used.try_emplace(record.key, record.at).first->second;
  last_used = std::max(last_used, record.at);
}

void ScopeSums::add(const call::CallRecord& record, ScopeKind kind, std::string_view name) {
  if (name.empty() || record.cost.value == 0) return;
  m_spend[{kind, name, spend_slot(record)}] += record.cost.value;
  const bool drawn = (record.drawn_from & (1U << static_cast<unsigned>(kind))) != 0;
  const std::int64_t taken = std::min(record.cost.value, record.reserved.value);
  if (drawn && taken > 0) m_taken[{kind, name, record.lease_day}] += taken;
}

void ScopeSums::write() {
  for (const auto& [place, cost] : m_spend) {
    const auto& [kind, name, slot] = place;
    m_add_spend.run_with(to_string(kind), name, slot, cost);
  }
  for (const auto& [place, taken] : m_taken) {
    const auto& [kind, name, day] = place;
    m_take_from_lease.run_with(to_string(kind), name, day, taken);
    m_remove_empty_lease.run_with(to_string(kind), name, day);
  }
  for (const auto& [key, at] : m_last_used) m_set_last_used.run_with(key, at.time_since_epoch().count());
}

}  // namespace nemo::store
