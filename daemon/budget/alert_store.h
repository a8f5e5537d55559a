// Port: the thresholds that budgets have passed, each once a period, whatever restarts come between. Implemented by the
// store.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/budget/book.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::budget {

struct Alert {
  Crossing crossing;
  WallTime at;  // when it was recorded
};

class AlertStore {
 public:
  virtual ~AlertStore() = default;

  enum class Recorded : std::uint8_t { now, before };
  // `before`: the scope's window had passed that threshold in that period already, and nothing is written. Not for the
  // request path.
  virtual Result<Recorded> record_crossing(const Crossing& crossing, WallTime at) = 0;
  // The newest first, at most `limit`.
  virtual Result<std::vector<Alert>> recent_crossings(int limit) = 0;
};

}  // namespace nemo::budget
