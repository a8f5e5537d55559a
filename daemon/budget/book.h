// Owns: what each key, seat and team has spent and set aside, and the answer to "may this call cost that much?".
// Must not know: tokens, prices, HTTP, SQL.
//
// A call belongs to the windows in which it began. What is reserved counts against every window until it is settled.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/budget/calendar.h"
#include "daemon/budget/lease_store.h"
#include "daemon/call/scope.h"
#include "daemon/call/terms.h"
#include "shared/clock.h"
#include "shared/money.h"
#include "shared/result.h"

namespace nemo::budget {

class Book;

// How long a call waits for a lease to be written.
inline constexpr std::chrono::milliseconds k_longest_wait{5'000};

// Money set aside in all scopes of a call. Gives itself back in full unless settled. One thread at a time.
class Reservation {
 public:
  Reservation();
  Reservation(Reservation&&) noexcept;
  Reservation& operator=(Reservation&&) noexcept;
  ~Reservation();

  NanoUsd amount() const;
  // What the ledger's row must say, so that the store takes it out of the right leases.
  lib::Day day() const;
  std::uint8_t drawn_from() const;  // bit 1 << ScopeKind for every scope with a lease

  // Sets more aside, or less: at least `least`, up to `most`. budget_exceeded leaves it as it was.
  Status resize(NanoUsd least, NanoUsd most);
  // The real cost, whatever it is; beyond the amount it is an overrun. Then the reservation is empty. Call it once.
  void settle(NanoUsd cost);
  void release();

 private:
  friend class Book;
  struct State;
  explicit Reservation(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;  // null: nothing is set aside
};

// One budget as people see it.
struct Standing {
  call::Scope scope;
  call::Window window = call::Window::month;
  NanoUsd limit;
  NanoUsd spent;                      // settled, in this period; without what is unsettled
  NanoUsd reserved;                   // by calls that run
  NanoUsd unsettled;                  // after a crash
  std::optional<WallTime> resets_at;  // absent: a total

  NanoUsd remaining() const;  // never negative
};

// A threshold (50, 80, 100 per cent) that was passed for the first time in a period, since the process began.
struct Crossing {
  call::Scope scope;
  call::Window window = call::Window::month;
  WallTime period_start;
  int percent = 0;
  NanoUsd limit;
  NanoUsd spent;
};

// Any thread. One short lock a call; reserve() waits on the store only when a lease has run out, k_longest_wait at
// most.
class Book {
 public:
  Book(LeaseStore& store, const Clock& clock, std::chrono::milliseconds longest_wait = k_longest_wait);
  ~Book();  // every Reservation is gone by then
  Book(const Book&) = delete;
  Book& operator=(const Book&) = delete;

  // Start-up, before the first call.
  void restore(const std::vector<SpendRow>& spend, std::vector<Unsettled> unsettled);
  // Limits of every scope that has some, and the calendar: in force with the next reserve(). Running calls keep theirs.
  void configure(Calendar calendar, std::map<call::Scope, std::vector<call::BudgetLimit>> limits);
  void forget_unsettled(std::int64_t id);

  // Sets aside as much as there is of `most`, if that is at least `least`, in all scopes or in none.
  // budget_exceeded: the message begins "Budget has been exceeded!", names the scope whose room is the least and when
  // it resets; retry_after is not set. storage: the lease could not be written.
  // Scopes without budgets set nothing aside; their spending is counted all the same. A call that can cost nothing
  // (most = 0) is always let in.
  // `at`: when the call began, which is the `at` of its row; absent: now.
  Result<Reservation> reserve(const call::Scopes& scopes, NanoUsd least, NanoUsd most,
                              std::optional<WallTime> at = std::nullopt);

  // The tightest scope's and window's room now; absent: no budget applies.
  std::optional<NanoUsd> remaining(const call::Scopes& scopes) const;

  std::vector<Standing> standings() const;  // by scope, then window
  std::vector<Crossing> take_crossings();   // since the last time

  // Gives back leases that no call has drawn from for a while. Called every second or so, and with `all` when no call
  // runs any more, while the store still writes: what is being written is waited for first, k_longest_wait at most.
  enum class Return : std::uint8_t { idle, all };
  void return_leases(Return which);

 private:
  friend class Reservation;
  class Accounts;
  std::shared_ptr<Accounts> m_accounts;  // shared with the writes that are under way
};

}  // namespace nemo::budget
