// Chance for routing: where it does not matter who guesses it.
#pragma once

#include <cstdint>
#include <random>

namespace nemo::gateway {

// Any thread.
inline std::uint64_t draw_chance() {
  thread_local std::mt19937_64 t_random(std::random_device{}());
  return t_random();
}

}  // namespace nemo::gateway
