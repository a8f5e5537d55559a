// A lease store that keeps its tables where a test can look at them: it plays the database of budgets.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "daemon/budget/lease_store.h"
#include "daemon/call/call_record.h"

namespace nemo::test {

// Any thread. No `done` runs under the lock.
class MemoryLeaseStore final : public budget::LeaseStore {
 public:
  using LeaseKey = std::pair<call::Scope, lib::Day>;
  using SpendKey = std::pair<call::Scope, budget::Slot>;
  enum class Mode {
    at_once,
    when_told
  };  // when changes are written: before change_leases() returns, or by write_next()

  // --- the port
  Result<std::vector<budget::SpendRow>> load_spend() override {
    const std::lock_guard lock(m_mutex);
    std::vector<budget::SpendRow> rows;
    for (const auto& [key, cost] : m_spend) rows.push_back({key.first, key.second, cost});
    return rows;
  }
  Result<std::vector<budget::Unsettled>> load_unsettled() override {
    const std::lock_guard lock(m_mutex);
    return m_unsettled;
  }
  void change_leases(std::vector<budget::LeaseChange> changes, std::function<void(const Status&)> done) override {
    {
      const std::lock_guard lock(m_mutex);
      ++m_asked;
      m_waiting.push_back({std::move(changes), std::move(done)});
      if (m_mode == Mode::when_told) return;
    }
    write_next();
  }
  Status release_unsettled(std::int64_t id, const std::string& who, const std::string& why, WallTime) override {
    const std::lock_guard lock(m_mutex);
    const auto removed = std::erase_if(m_unsettled, [id](const budget::Unsettled& one) { return one.id == id; });
    if (removed == 0) return fail(ErrorKind::not_found, "there is nothing unsettled with the id " + std::to_string(id));
    m_released.push_back(who + ": " + why);
    return Done{};
  }

  // --- how it behaves
  void set_mode(Mode mode) {
    const std::lock_guard lock(m_mutex);
    m_mode = mode;
  }
  void fail_next(int count) {  // the next so many transactions are rolled back
    const std::lock_guard lock(m_mutex);
    m_failures = count;
  }
  // Writes the oldest change that waits, and says so. False: none waits.
  bool write_next() {
    std::function<void(const Status&)> done;
    Status status = Done{};
    {
      const std::lock_guard lock(m_mutex);
      if (m_waiting.empty()) return false;
      const auto [changes, tell] = std::move(m_waiting.front());
      m_waiting.pop_front();
      done = tell;
      if (m_failures > 0) {
        --m_failures;
        status = fail(ErrorKind::storage, "the disk is full");
      } else {
        for (const budget::LeaseChange& change : changes) m_leases[{change.scope, change.day}] += change.by;
      }
    }
    done(status);
    return true;
  }
  void write_all() {
    while (write_next()) {
    }
  }
  // The transaction of a ledger row: its cost is spend, and what it had reserved leaves the leases.
  void row_written(const call::CallRecord& row) {
    const std::lock_guard lock(m_mutex);
    const std::array names{std::pair(call::ScopeKind::key, row.key), std::pair(call::ScopeKind::seat, row.seat),
                           std::pair(call::ScopeKind::team, row.team)};
    for (const auto& [kind, name] : names) {
      if (name.empty()) continue;
      const call::Scope scope{kind, name};
      m_spend[{scope, budget::slot_of(row.at)}] += row.cost;
      if ((row.drawn_from & (1U << static_cast<unsigned>(kind))) == 0) continue;
      NanoUsd& lease = m_leases[{scope, row.lease_day}];
      lease = lease - std::min(row.cost, row.reserved);
    }
  }
  // kill -9 and the next start: changes that wait are lost, what leases hold is unsettled.
  void crash_and_reopen(WallTime at) {
    const std::lock_guard lock(m_mutex);
    m_waiting.clear();
    for (const auto& [key, held] : m_leases) {
      if (held.value > 0) m_unsettled.push_back({++m_last_id, key.first, key.second, held, at});
    }
    m_leases.clear();
  }

  // --- what it holds
  std::map<SpendKey, NanoUsd> spend() const {
    const std::lock_guard lock(m_mutex);
    return m_spend;
  }
  std::map<LeaseKey, NanoUsd> leases() const {
    const std::lock_guard lock(m_mutex);
    return m_leases;
  }
  NanoUsd lease_of(const call::Scope& scope) const {  // of all days
    const std::lock_guard lock(m_mutex);
    NanoUsd sum;
    for (const auto& [key, held] : m_leases) sum += key.first == scope ? held : NanoUsd{};
    return sum;
  }
  std::size_t waiting() const {
    const std::lock_guard lock(m_mutex);
    return m_waiting.size();
  }
  bool works() const {  // a change asked for now is written at once
    const std::lock_guard lock(m_mutex);
    return m_mode == Mode::at_once && m_waiting.empty() && m_failures == 0;
  }
  int asked() const {  // how many transactions, ever
    const std::lock_guard lock(m_mutex);
    return m_asked;
  }
  std::vector<std::string> released() const {
    const std::lock_guard lock(m_mutex);
    return m_released;
  }

 private:
  struct Waiting {
    std::vector<budget::LeaseChange> changes;
    std::function<void(const Status&)> done;
  };

  mutable std::mutex m_mutex;
  Mode m_mode = Mode::at_once;
  int m_failures = 0;
  int m_asked = 0;
  std::deque<Waiting> m_waiting;
  std::map<SpendKey, NanoUsd> m_spend;
  std::map<LeaseKey, NanoUsd> m_leases;
  std::vector<budget::Unsettled> m_unsettled;
  std::int64_t m_last_id = 0;
  std::vector<std::string> m_released;
};

}  // namespace nemo::test
