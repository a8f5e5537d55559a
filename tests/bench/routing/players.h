// Ways to choose among the deployments of a simulated day.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/routing/strategy_name.h"
#include "tests/bench/routing/simulated_day.h"

namespace nemo::bench {

class Player {
 public:
  virtual ~Player() = default;
  // Deployments in the order in which a call tries them.
  virtual std::vector<std::size_t> choose(double at_s, std::uint64_t call) = 0;
  virtual void begins(std::uint64_t /*call*/, std::size_t /*deployment*/, double /*at_s*/) {}
  virtual void first_token(std::uint64_t /*call*/, double /*took_ms*/, double /*at_s*/) {}
  virtual void ends(std::uint64_t /*call*/, double /*at_s*/) {}
  virtual void fails(std::uint64_t /*call*/, double /*at_s*/) {}
};

// What the daemon does: decide() over its gauges.
std::unique_ptr<Player> make_router(routing::Strategy strategy, std::size_t deployments, std::uint64_t seed);
std::unique_ptr<Player> make_random(std::size_t deployments, std::uint64_t seed);
std::unique_ptr<Player> make_round_robin(std::size_t deployments);
// Knows what fails and how quick each usually is at the moment, but not the chance of the single call.
std::unique_ptr<Player> make_oracle(const SimulatedDay& day);

}  // namespace nemo::bench
