// The book's accounts behind their lock, and the hand-over to the store. Shared by the book and the writes under way.
#pragma once

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "daemon/budget/account.h"
#include "daemon/budget/book.h"

namespace nemo::budget {

struct ScopeHash {
  std::size_t operator()(const call::Scope& scope) const {
    return std::hash<std::string>{}(scope.name) * 3 + static_cast<std::size_t>(scope.kind);
  }
};

// One transaction of the store. Guarded by the lock of the accounts it changes.
struct LeaseWrite {
  struct Part {
    Account* account;
    Leases::Changes changes;
  };
  std::vector<Part> parts;
  std::optional<Status> outcome;  // absent: under way
};

struct Reservation::State {
  Book::Accounts* book = nullptr;      // which outlives every reservation
  std::array<Account*, 3> accounts{};  // of all the call's scopes, by kind; null: no such scope
  NanoUsd amount;
  std::optional<WallTime> at;  // when the call began, if the caller said so
  bool begun = false;          // from when on nothing of the following changes
  WallTime began_at{};
  Day day = 0;
  std::uint8_t drawn_from = 0;

  bool covers(NanoUsd target) const;  // by leases that are at hand
  bool draws_from(std::size_t kind) const { return (drawn_from & (1U << kind)) != 0; }
};

// Any thread. No call of the store is made under the lock: `done` may run before change_leases() returns.
class Book::Accounts : public std::enable_shared_from_this<Book::Accounts> {
 public:
  using Hold = Reservation::State;

  Accounts(LeaseStore& store, const Clock& clock, std::chrono::milliseconds longest_wait)
      : m_store(store), m_clock(clock), m_longest_wait(longest_wait) {}

  void restore(const std::vector<SpendRow>& spend, std::vector<Unsettled> unsettled);
  void configure(Calendar calendar, std::map<call::Scope, std::vector<call::BudgetLimit>> limits);
  void forget_unsettled(std::int64_t id);

  Status begin(Hold& hold, const call::Scopes& scopes, NanoUsd least, NanoUsd most, std::optional<WallTime> at);
  Status resize(Hold& hold, NanoUsd least, NanoUsd most);
  void settle(Hold& hold, NanoUsd cost);
  void release(Hold& hold);

  std::optional<NanoUsd> remaining(const call::Scopes& scopes);
  std::vector<Standing> standings();
  std::vector<Crossing> take_crossings();
  void return_leases(Return which);

 private:
  using Lock = std::unique_lock<std::mutex>;
  using Write = std::shared_ptr<LeaseWrite>;
  using Deadline = std::chrono::steady_clock::time_point;  // real time, whatever the clock says
  struct Tightest {
    Account* account = nullptr;  // null: no budget applies
    Room room;
  };

  Account& account_of(const call::Scope& scope);
  const Present& present_at(WallTime wall);

  Status set_aside(Lock& lock, Hold& hold, NanoUsd least, NanoUsd most);
  void join_scopes(Hold& hold, const Present& now) const;
  std::optional<Room> room_of(Account& account, const Hold& hold, const Present& now) const;
  Tightest tightest_of(const Hold& hold, const Present& now) const;
  Result<NanoUsd> target_of(const Hold& hold, const Present& now, NanoUsd least, NanoUsd most);
  static void take(Hold& hold, NanoUsd target, SteadyTime now);
  Status wait_for_leases(Lock& lock, const Hold& hold, const Present& now, NanoUsd more, Deadline deadline);
  void end(Hold& hold, std::optional<NanoUsd> cost);  // absent: the call cost nothing that is known
  LeaseWrite look_ahead(const Hold& hold, const Present& now) const;
  LeaseWrite plan_return(Return which);

  // Lets go of the lock. Null: there is nothing to write.
  Write send(Lock& lock, LeaseWrite plan);
  void written(const Write& write, const Status& status);

  LeaseStore& m_store;
  const Clock& m_clock;
  const std::chrono::milliseconds m_longest_wait;

  std::mutex m_mutex;
  std::condition_variable m_written;
  // Guarded by m_mutex, as are the accounts, which are never destroyed while the book lives.
  std::unordered_map<call::Scope, std::unique_ptr<Account>, ScopeHash> m_accounts;
  Calendar m_calendar{lib::TimeZone::utc()};
  Present m_present;
  std::vector<Crossing> m_crossings;
};

}  // namespace nemo::budget
