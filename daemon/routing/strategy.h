// The strategies: pure functions that put deployments of one model and order into the order in which they are tried.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "daemon/catalog/model.h"
#include "daemon/routing/gauge.h"
#include "daemon/routing/strategy_name.h"

namespace nemo::routing {

// A deployment as a strategy sees it.
struct Contender {
  const Figures* figures;
  int weight = 1;                   // 0: after all others, in every strategy, unless all are 0
  std::optional<std::int64_t> rpm;  // calls a minute
  std::int64_t price = 0;           // usual_price()
  std::size_t at = 0;               // what the caller knows it by
  double score = 0;                 // out: lower is better
  double luck = 0;                  // out: settles ties
  bool explored = false;            // out: put first to be measured again
};

// Of a million tokens, three of input to each of output, in nano-dollars. A model without a price costs nothing.
std::int64_t usual_price(const catalog::Model& model);

// Each orders `contenders`, best first, and gives them their scores. The same figures and `random`, the same order.
// By chance, in proportion to the weights.
void simple_shuffle(std::span<Contender> contenders, std::uint64_t random);
// Fewest calls in flight, relative to the weight.
void least_busy(std::span<Contender> contenders, std::uint64_t random);
// Least of its calls a minute used; where not all have such a capacity: least of this minute's calls and tokens,
// relative to the weight.
void usage_based(std::span<Contender> contenders, std::uint64_t random);
// Quickest first token, with as many waiting for theirs. Those that are nearly as quick as the quickest share the
// calls; now and then one of which little is known goes first, so that a recovered one is found again.
void latency(std::span<Contender> contenders, std::uint64_t random);
// Cheapest; among equals by latency.
void cost(std::span<Contender> contenders, std::uint64_t random);

void rank(Strategy strategy, std::span<Contender> contenders, std::uint64_t random);

}  // namespace nemo::routing
