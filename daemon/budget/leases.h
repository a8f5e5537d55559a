// The leases of one scope: budget that the database has set aside for it, by calendar day, and how much of each calls
// have drawn. One thread at a time.
//
// free + drawn + what was settled and is not yet written as a row = the lease in the database. What is on its way back
// is no longer free; what is on its way here is not yet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "daemon/budget/lease_store.h"
#include "shared/clock.h"
#include "shared/money.h"

namespace nemo::budget {

struct LeaseWrite;

class Leases {
 public:
  struct Change {
    lib::Day day = 0;
    NanoUsd by;
  };
  using Changes = std::vector<Change>;

  NanoUsd free_on(lib::Day day) const;
  void draw(lib::Day day, NanoUsd amount, SteadyTime now);  // free_on(day) is enough
  void put_back(lib::Day day, NanoUsd amount);
  void settle(lib::Day day, NanoUsd amount, NanoUsd cost);  // cost <= amount: that much is for the row to take

  // At most one write is under way: null while there is none. The plans below are made only then.
  const std::shared_ptr<LeaseWrite>& write() const { return m_write; }
  void started(std::shared_ptr<LeaseWrite> write) { m_write = std::move(write); }
  void finished() { m_write = nullptr; }
  void granted(const Change& change);  // once it is written; also to undo the plan of a giving back

  // What those who wait for a write will draw: the next write covers all of them.
  void expect(NanoUsd amount) { m_expected += amount; }
  void expect_no_more(NanoUsd amount) { m_expected = m_expected - amount; }

  // So that `amount` can be drawn on `day`, with some for calls to come. `room` is what the scope's budgets leave,
  // amount <= room; with what is free already the leases never exceed it. Free leases of other days are moved where
  // room is short.
  Changes plan_for(lib::Day day, NanoUsd amount, NanoUsd room, SteadyTime now);
  // So that calls to come find their lease: nothing while enough is free.
  Changes plan_ahead(lib::Day day, NanoUsd room, SteadyTime now);
  // What is more than `room`, and what nobody has used for k_idle, on `today` or at all. `all`: whatever is free.
  Changes plan_return(lib::Day today, NanoUsd room, SteadyTime now);
  Changes plan_return_of_all();

 private:
  struct Lease {
    NanoUsd free;
    NanoUsd drawn;
  };

  NanoUsd free_together() const;
  NanoUsd drawn_together() const;
  NanoUsd ahead(NanoUsd room) const;
  void quicken(SteadyTime now);
  NanoUsd take_free(Lease& lease, lib::Day day, NanoUsd most, Changes& changes);

  std::map<lib::Day, Lease> m_by_day;
  std::shared_ptr<LeaseWrite> m_write;
  NanoUsd m_expected;
  NanoUsd m_usual;                 // what calls draw, the largest of late
  std::int64_t m_calls_ahead = 4;  // how many such calls a lease is made for
  SteadyTime m_planned_at{};
  SteadyTime m_drawn_at{};
};

}  // namespace nemo::budget
