// What one scope used in the last 60 seconds. Not thread-safe: its owner holds the lock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "shared/clock.h"

namespace nemo::limits {

struct Amounts {
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
};
using Measure = std::int64_t Amounts::*;  // &Amounts::requests or &Amounts::tokens

// What was used at t counts until t + k_minute, and not at that moment any more. Times given to it never go back.
class Minute {
 public:
  static constexpr std::chrono::seconds k_minute{60};
  // What happens within one such slot is kept as one entry with the time of the last, so that it never counts too
  // short. A minute is then 6001 entries at most, whatever the load.
  static constexpr std::chrono::milliseconds k_slot{10};

  void forget_before(SteadyTime now);  // before anything is asked
  void open_slot(SteadyTime now);      // the only one that allocates; alone it changes no sum
  // Changes what was used at `at`; has no effect once that has left the minute.
  void add(SteadyTime at, Amounts change);

  const Amounts& used() const { return m_used; }
  // The first moment at which no more than `left` is used, if nothing is added; `left` is less than what is used now.
  SteadyTime when_at_most(Measure measure, std::int64_t left) const;
  SteadyTime when_unused(Measure measure, SteadyTime now) const;
  std::size_t entries() const { return m_entries.size(); }

 private:
  struct Entry {
    SteadyTime time;
    Amounts amounts;
  };
  std::deque<Entry> m_entries;  // oldest first, one a slot
  Amounts m_used;               // their sum
};

}  // namespace nemo::limits
