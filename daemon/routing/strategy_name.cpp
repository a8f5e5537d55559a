#include "daemon/routing/strategy_name.h"

#include <array>

namespace nemo::routing {

std::string_view to_string(Strategy strategy) {
  switch (strategy) {
    case Strategy::simple_shuffle:
      return "simple-shuffle";
    case Strategy::least_busy:
      return "least-busy";
    case Strategy::usage_based:
      return "usage-based";
    case Strategy::latency:
      return "latency";
    case Strategy::cost:
      return "cost";
  }
  return "simple-shuffle";
}

std::optional<Strategy> strategy_named(std::string_view name) {
  constexpr std::array k_all{Strategy::simple_shuffle, Strategy::least_busy, Strategy::usage_based, Strategy::latency,
                             Strategy::cost};
  for (const Strategy strategy : k_all) {
    if (to_string(strategy) == name) return strategy;
  }
  return std::nullopt;
}

}  // namespace nemo::routing
