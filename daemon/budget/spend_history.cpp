#include "daemon/budget/spend_history.h"

#include <limits>

namespace nemo::budget {

NanoUsd capped_sum(NanoUsd a, NanoUsd b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.value, b.value, &sum)) return {std::numeric_limits<std::int64_t>::max()};
  return {sum};
}

void SpendHistory::add(Slot slot, NanoUsd cost) {
  NanoUsd& spent = m_slots[slot];
  spent = capped_sum(spent, cost);
}

NanoUsd SpendHistory::sum(const Period& period) const {
  NanoUsd sum;
  for (auto at = m_slots.lower_bound(slot_of(period.start)); at != m_slots.end() && start_of(at->first) < period.end;
       ++at) {
    if (start_of(at->first) >= period.start) sum = capped_sum(sum, at->second);
  }
  return sum;
}

}  // namespace nemo::budget
