// Chance from one number that is handed in (splitmix64): the same number, the same draws.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nemo::routing {

// Neighbours become unlike each other. https://prng.di.unimi.it/splitmix64.c
inline std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27U)) * 0x94d049bb133111ebULL;
  return bits ^ (bits >> 31U);
}

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : m_state(seed) {}

  std::uint64_t next() { return mixed(m_state += 0x9e3779b97f4a7c15ULL); }
  // From 0 up to but without 1.
  double share() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  // From 0 up to but without `count`, which is above 0.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(share() * static_cast<double>(count)); }

 private:
  std::uint64_t m_state;
};

}  // namespace nemo::routing
