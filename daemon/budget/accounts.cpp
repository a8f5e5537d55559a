#include "daemon/budget/accounts.h"

#include <algorithm>
#include <utility>

#include "daemon/budget/refusal.h"

namespace nemo::budget {
namespace {

// Holds sums of amounts in 64 bits where no budget does. No call costs a million dollars.
constexpr NanoUsd k_dearest_call{1'000'000'000'000'000};

}  // namespace

bool Reservation::State::covers(NanoUsd target) const {
  for (std::size_t kind = 0; kind < accounts.size(); ++kind) {
    if (draws_from(kind) && accounts[kind]->leases().free_on(day) < target - amount) return false;
  }
  return true;
}

Account& Book::Accounts::account_of(const call::Scope& scope) {
  std::unique_ptr<Account>& account = m_accounts[scope];
  if (!account) account = std::make_unique<Account>(scope);
  return *account;
}

const Present& Book::Accounts::present_at(WallTime wall) {
  // All windows change at some midnight.
  if (m_present.generation == 0 || !m_present.spans.front().period.contains(wall)) {
    m_present = {m_present.generation + 1, spans_at(m_calendar, wall), m_calendar.day_of(wall)};
  }
  return m_present;
}

Status Book::Accounts::begin(Hold& hold, const call::Scopes& scopes, NanoUsd least, NanoUsd most,
                             std::optional<WallTime> at) {
  Lock lock(m_mutex);
  hold.book = this;
  hold.at = at;
  for (const call::Scope& scope : scopes) hold.accounts[static_cast<std::size_t>(scope.kind)] = &account_of(scope);
  return set_aside(lock, hold, least, most);
}

Status Book::Accounts::resize(Hold& hold, NanoUsd least, NanoUsd most) {
  Lock lock(m_mutex);
  return set_aside(lock, hold, least, most);
}

// Nothing is held while it waits: what it finds afterwards is judged anew.
Status Book::Accounts::set_aside(Lock& lock, Hold& hold, NanoUsd least, NanoUsd most) {
  std::optional<Deadline> deadline;
  for (;;) {
    const WallTime wall = m_clock.wall();
    const Present& now = present_at(wall);
    if (!hold.begun) {
      hold.began_at = hold.at.value_or(wall);
      join_scopes(hold, now);
    }
    const Result<NanoUsd> target = target_of(hold, now, least, most);
    if (!target) return target.error();
    if (hold.covers(*target)) {
      take(hold, *target, m_clock.steady());
      hold.begun = true;
      send(lock, look_ahead(hold, now));
      return Done{};
    }
    if (!deadline) deadline = std::chrono::steady_clock::now() + m_longest_wait;
    Status waited = wait_for_leases(lock, hold, now, *target - hold.amount, *deadline);
    if (!waited) return waited;
  }
}

void Book::Accounts::join_scopes(Hold& hold, const Present& now) const {
  const bool today = now.spans.front().period.contains(hold.began_at);
  hold.day = today ? now.day : m_calendar.day_of(hold.began_at);
  hold.drawn_from = 0;
  for (std::size_t kind = 0; kind < hold.accounts.size(); ++kind) {
    const Account* account = hold.accounts[kind];
    if (account != nullptr && account->has_budget()) hold.drawn_from |= static_cast<std::uint8_t>(1U << kind);
  }
}

std::optional<Room> Book::Accounts::room_of(Account& account, const Hold& hold, const Present& now) const {
  std::optional<Room> room = account.room(now);
  if (!room || now.spans.front().period.contains(hold.began_at)) return room;
  // A call is paid in the windows in which it began, and held against those of now.
  std::optional<Room> then = account.room_in(spans_at(m_calendar, hold.began_at));
  return then->amount < room->amount ? then : room;
}

Book::Accounts::Tightest Book::Accounts::tightest_of(const Hold& hold, const Present& now) const {
  Tightest tightest;
  for (std::size_t kind = 0; kind < hold.accounts.size(); ++kind) {
    if (!hold.draws_from(kind)) continue;
    const auto room = room_of(*hold.accounts[kind], hold, now);
    if (!room || (tightest.account != nullptr && tightest.room.amount <= room->amount)) continue;
    tightest = {hold.accounts[kind], *room};
  }
  return tightest;
}

Result<NanoUsd> Book::Accounts::target_of(const Hold& hold, const Present& now, NanoUsd least, NanoUsd most) {
  if (hold.drawn_from == 0) return NanoUsd{};
  const Tightest tightest = tightest_of(hold, now);
  if (tightest.account == nullptr) return std::min(most, std::max(hold.amount, k_dearest_call));
  // What it holds already stays its own, even where others have overrun the budget since.
  const NanoUsd target = std::min(most, capped_sum(hold.amount, std::max(tightest.room.amount, NanoUsd{})));
  if (target >= least && (target.value > 0 || most.value == 0)) return target;
  tightest.account->notice_crossings(now, m_crossings);
  return refusal(tightest.account->scope(), tightest.room, least);
}

void Book::Accounts::take(Hold& hold, NanoUsd target, SteadyTime now) {
  const NanoUsd more = target - hold.amount;
  for (std::size_t kind = 0; kind < hold.accounts.size(); ++kind) {
    if (!hold.draws_from(kind)) continue;
    Account& account = *hold.accounts[kind];
    if (more.value >= 0) {
      account.hold(more);
      account.leases().draw(hold.day, more, now);
    } else {
      account.let_go(NanoUsd{} - more);
      account.leases().put_back(hold.day, NanoUsd{} - more);
    }
  }
  hold.amount = target;
}

Status Book::Accounts::wait_for_leases(Lock& lock, const Hold& hold, const Present& now, NanoUsd more,
                                       Deadline deadline) {
  LeaseWrite plan;
  std::vector<Write> awaited;
  std::vector<Leases*> short_of;
  for (std::size_t kind = 0; kind < hold.accounts.size(); ++kind) {
    if (!hold.draws_from(kind)) continue;
    Account& account = *hold.accounts[kind];
    Leases& leases = account.leases();
    if (leases.free_on(hold.day) >= more) continue;
    short_of.push_back(&leases);
    leases.expect(more);
    if (leases.write()) {
      awaited.push_back(leases.write());
    } else {
      const auto room = room_of(account, hold, now);
      plan.parts.push_back(
          {&account, leases.plan_for(hold.day, more, room ? room->amount : k_dearest_call, m_clock.steady())});
    }
  }
  if (Write own = send(lock, std::move(plan))) awaited.push_back(std::move(own));
  if (!lock.owns_lock()) lock.lock();
  if (awaited.empty()) return fail(ErrorKind::internal, "a lease is missing that no write would bring");
  const bool in_time = m_written.wait_until(lock, deadline, [&awaited] {
    return std::all_of(awaited.begin(), awaited.end(), [](const Write& write) { return write->outcome.has_value(); });
  });
  for (Leases* leases : short_of) leases->expect_no_more(more);

  if (!in_time) {
    return fail(ErrorKind::storage,
                "the budget could not be set aside in the database in time; see whether its disk is slow or full, or "
                "another program holds it locked, and try again");
  }
  for (const Write& write : awaited) {
    if (write->outcome->ok()) continue;
    return fail(ErrorKind::storage,
                "the budget could not be set aside in the database: " + write->outcome->error().message);
  }
  return Done{};
}

void Book::Accounts::settle(Hold& hold, NanoUsd cost) {
  end(hold, std::max(cost, NanoUsd{}));
}

void Book::Accounts::release(Hold& hold) {
  end(hold, std::nullopt);
}

void Book::Accounts::end(Hold& hold, std::optional<NanoUsd> cost) {
  Lock lock(m_mutex);
  const Present& now = present_at(m_clock.wall());
  for (std::size_t kind = 0; kind < hold.accounts.size(); ++kind) {
    Account* account = hold.accounts[kind];
    if (account == nullptr) continue;
    if (hold.draws_from(kind)) {
      account->let_go(hold.amount);
      // What goes beyond the amount is in no lease: the store takes no more out of it either.
      account->leases().settle(hold.day, hold.amount, std::min(cost.value_or(NanoUsd{}), hold.amount));
    }
    if (!cost) continue;
    account->spend(slot_of(hold.began_at), *cost, now);
    account->notice_crossings(now, m_crossings);
  }
  hold.amount = {};
  send(lock, look_ahead(hold, now));
}

// So that the next calls find their lease.
LeaseWrite Book::Accounts::look_ahead(const Hold& hold, const Present& now) const {
  LeaseWrite plan;
  if (hold.day != now.day) return plan;
  for (std::size_t kind = 0; kind < hold.accounts.size(); ++kind) {
    if (!hold.draws_from(kind) || hold.accounts[kind]->leases().write()) continue;
    const auto room = hold.accounts[kind]->room(now);
    if (!room) continue;
    auto changes = hold.accounts[kind]->leases().plan_ahead(now.day, room->amount, m_clock.steady());
    if (!changes.empty()) plan.parts.push_back({hold.accounts[kind], std::move(changes)});
  }
  return plan;
}

}  // namespace nemo::budget
