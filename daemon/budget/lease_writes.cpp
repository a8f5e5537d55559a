// How leases get to the store and back, and what is decided for all accounts at once.
#include <algorithm>
#include <utility>

#include "daemon/budget/accounts.h"

namespace nemo::budget {

Book::Accounts::Write Book::Accounts::send(Lock& lock, LeaseWrite plan) {
  std::erase_if(plan.parts, [](const LeaseWrite::Part& part) { return part.changes.empty(); });
  if (plan.parts.empty()) return nullptr;
  auto write = std::make_shared<LeaseWrite>(std::move(plan));
  std::vector<LeaseChange> changes;
  for (const LeaseWrite::Part& part : write->parts) {
    part.account->leases().started(write);
    for (const Leases::Change& change : part.changes) {
      changes.push_back({part.account->scope(), change.day, change.by});
    }
  }
  lock.unlock();
  m_store.change_leases(std::move(changes),
                        [self = shared_from_this(), write](const Status& status) { self->written(write, status); });
  return write;
}

void Book::Accounts::written(const Write& write, const Status& status) {
  {
    const std::lock_guard lock(m_mutex);
    write->outcome = status;
    for (const LeaseWrite::Part& part : write->parts) {
      Leases& leases = part.account->leases();
      leases.finished();
      for (const Leases::Change& change : part.changes) {
        if (status.ok() && change.by.value > 0) leases.granted(change);
        if (!status.ok() && change.by.value < 0) leases.granted({change.day, NanoUsd{} - change.by});
      }
    }
  }
  m_written.notify_all();
}

void Book::Accounts::return_leases(Return which) {
  Lock lock(m_mutex);
  if (which == Return::all) {
    m_written.wait_until(lock, std::chrono::steady_clock::now() + m_longest_wait, [this] {
      return std::none_of(m_accounts.begin(), m_accounts.end(),
                          [](const auto& entry) { return entry.second->leases().write() != nullptr; });
    });
  }
  send(lock, plan_return(which));
}

LeaseWrite Book::Accounts::plan_return(Return which) {
  LeaseWrite plan;
  const Present& now = present_at(m_clock.wall());
  const SteadyTime steady = m_clock.steady();
  for (const auto& [scope, account] : m_accounts) {
    Leases& leases = account->leases();
    if (leases.write()) continue;
    const auto room = account->room(now);
    auto changes = which == Return::all ? leases.plan_return_of_all()
                                        : leases.plan_return(now.day, room ? room->amount : NanoUsd{}, steady);
    if (!changes.empty()) plan.parts.push_back({account.get(), std::move(changes)});
  }
  return plan;
}

void Book::Accounts::restore(const std::vector<SpendRow>& spend, std::vector<Unsettled> unsettled) {
  const Lock lock(m_mutex);
  for (const SpendRow& row : spend) account_of(row.scope).add_spend(row.slot, row.cost);
  for (Unsettled& one : unsettled) {
    Account& account = account_of(one.scope);
    account.add_unsettled(std::move(one));
  }
}

void Book::Accounts::configure(Calendar calendar, std::map<call::Scope, std::vector<call::BudgetLimit>> limits) {
  Lock lock(m_mutex);
  m_calendar = std::move(calendar);
  const WallTime wall = m_clock.wall();
  m_present = {m_present.generation + 1, spans_at(m_calendar, wall), m_calendar.day_of(wall)};
  for (const auto& [scope, budgets] : limits) account_of(scope);
  for (const auto& [scope, account] : m_accounts) {
    const auto found = limits.find(scope);
    account->set_limits(found == limits.end() ? std::vector<call::BudgetLimit>{} : found->second);
  }
  // A lower limit may leave less than the leases hold.
  send(lock, plan_return(Return::idle));
}

void Book::Accounts::forget_unsettled(std::int64_t id) {
  const Lock lock(m_mutex);
  for (const auto& [scope, account] : m_accounts) account->forget_unsettled(id);
}

std::optional<NanoUsd> Book::Accounts::remaining(const call::Scopes& scopes) {
  const Lock lock(m_mutex);
  const Present& now = present_at(m_clock.wall());
  std::optional<NanoUsd> least;
  for (const call::Scope& scope : scopes) {
    const auto found = m_accounts.find(scope);
    if (found == m_accounts.end()) continue;
    const auto room = found->second->room(now);
    if (room && (!least || room->amount < *least)) least = room->amount;
  }
  return least ? std::optional(std::max(*least, NanoUsd{})) : std::nullopt;
}

std::vector<Standing> Book::Accounts::standings() {
  const Lock lock(m_mutex);
  const Present& now = present_at(m_clock.wall());
  std::vector<Standing> all;
  for (const auto& [scope, account] : m_accounts) account->append_standings(now, all);
  std::sort(all.begin(), all.end(), [](const Standing& a, const Standing& b) {
    return a.scope != b.scope ? a.scope < b.scope : a.window < b.window;
  });
  return all;
}

std::vector<Crossing> Book::Accounts::take_crossings() {
  const Lock lock(m_mutex);
  return std::exchange(m_crossings, {});
}

}  // namespace nemo::budget
