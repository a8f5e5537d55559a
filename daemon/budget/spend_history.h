// What one scope spent, by slot. One thread at a time.
#pragma once

#include <map>

#include "daemon/budget/calendar.h"
#include "daemon/budget/lease_store.h"
#include "shared/money.h"

namespace nemo::budget {

// Stops at the largest amount there is: absurd counts from upstream must not turn into credit. Both are 0 or more.
NanoUsd capped_sum(NanoUsd a, NanoUsd b);

class SpendHistory {
 public:
  void add(Slot slot, NanoUsd cost);
  // A period's bounds are bounds of slots: every zone's midnight lies on a quarter of an hour.
  NanoUsd sum(const Period& period) const;

 private:
  std::map<Slot, NanoUsd> m_slots;
};

}  // namespace nemo::budget
