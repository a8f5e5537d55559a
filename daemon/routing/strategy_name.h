// The strategies by the names that the config uses.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nemo::routing {

enum class Strategy : std::uint8_t { simple_shuffle, least_busy, usage_based, latency, cost };

std::string_view to_string(Strategy strategy);  // "simple-shuffle", …
std::optional<Strategy> strategy_named(std::string_view name);

}  // namespace nemo::routing
