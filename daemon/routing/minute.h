// What happened within the last 60 s, second by second. Not for several threads.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "shared/clock.h"

namespace nemo::routing {

class Minute {
 public:
  struct Load {
    std::int64_t calls = 0;
    std::int64_t tokens = 0;
  };

  void add(Load load, SteadyTime now) {
    move_to(now);
    Load& slot = m_slots[index(m_newest)];
    slot.calls += load.calls;
    slot.tokens += load.tokens;
    m_total.calls += load.calls;
    m_total.tokens += load.tokens;
  }

  const Load& total(SteadyTime now) {
    move_to(now);
    return m_total;
  }

  // How long until fewer than `calls` of the calls are within the minute.
  Micros until_fewer_than(std::int64_t calls, SteadyTime now) {
    move_to(now);
    std::int64_t left = m_total.calls;
    std::int64_t second = m_newest - k_seconds;
    while (left >= calls && second < m_newest) left -= m_slots[index(++second)].calls;
    if (second == m_newest - k_seconds) return Micros(0);
    const SteadyTime leaves{std::chrono::seconds(second + k_seconds)};
    return std::max(Micros(0), std::chrono::ceil<Micros>(leaves - now));
  }

 private:
  static constexpr std::int64_t k_seconds = 60;

  static std::size_t index(std::int64_t second) {
    return static_cast<std::size_t>((second % k_seconds + k_seconds) % k_seconds);
  }
  // Time never goes back here, though threads may hand it in slightly out of order.
  void move_to(SteadyTime now) {
    const std::int64_t second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
    if (second <= m_newest) return;
    const std::int64_t first_new = std::max(m_newest + 1, second - k_seconds + 1);
    for (std::int64_t at = first_new; at <= second; ++at) {
      Load& slot = m_slots[index(at)];
      m_total.calls -= slot.calls;
      m_total.tokens -= slot.tokens;
      slot = {};
    }
    m_newest = second;
  }

  std::array<Load, k_seconds> m_slots{};
  Load m_total;
  std::int64_t m_newest = 0;  // the second that the newest slot is of
};

}  // namespace nemo::routing
