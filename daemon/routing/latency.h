// How long first tokens take: a decaying average and the newest of them. Not for several threads.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "shared/clock.h"

namespace nemo::routing {

class Latency {
 public:
  void add(Micros took, SteadyTime now);

  std::optional<Micros> average() const;
  Micros age(SteadyTime now) const;  // of the newest measurement
  std::int64_t measured() const { return m_measured; }
  SteadyTime newest() const { return m_newest; }
  std::optional<Micros> p95(SteadyTime now) const;  // absent: fewer than 20 recent ones

 private:
  struct Measurement {
    SteadyTime at;
    Micros took;
  };
  static constexpr std::size_t k_kept = 64;

  double m_average_us = 0;
  std::int64_t m_measured = 0;
  SteadyTime m_newest;
  std::array<Measurement, k_kept> m_kept{};
};

}  // namespace nemo::routing
