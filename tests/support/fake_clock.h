// A clock that stands still until it is told to move.
#pragma once

#include <atomic>

#include "shared/clock.h"

namespace nemo::test {

// Any thread.
class FakeClock final : public Clock {
 public:
  WallTime wall() const override { return WallTime(Micros(m_wall_us.load())); }
  SteadyTime steady() const override { return SteadyTime(std::chrono::nanoseconds(m_steady_ns.load())); }

  void advance(std::chrono::nanoseconds by) {
    m_steady_ns += by.count();
    m_wall_us += std::chrono::duration_cast<Micros>(by).count();
  }
  void set_wall(WallTime to) { m_wall_us = to.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> m_wall_us{1'760'000'000'000'000};
  std::atomic<std::int64_t> m_steady_ns{1'000'000'000'000};
};

}  // namespace nemo::test
