#include "daemon/budget/cost.h"

#include <algorithm>
#include <limits>

namespace nemo::budget {
namespace {

// Tokens times nano-dollars per million tokens passes 64 bits long before either does.
__extension__ using Exact = __int128;

constexpr std::int64_t k_tier_above = 200'000;         // input tokens
constexpr std::int64_t k_tokens_of_price = 1'000'000;  // prices are per so many

Exact times(std::int64_t tokens, NanoUsd price) {
  return Exact{tokens} * Exact{price.value};
}

NanoUsd rounded_up(Exact millionths) {
  const Exact nanos = (millionths + k_tokens_of_price - 1) / k_tokens_of_price;
  return {static_cast<std::int64_t>(std::min<Exact>(nanos, std::numeric_limits<std::int64_t>::max()))};
}

}  // namespace

NanoUsd cost_of(const catalog::Pricing& pricing, const call::Usage& usage) {
  // Counts come from upstream; one that makes no sense must not turn into credit.
  const std::int64_t input = std::max<std::int64_t>(usage.input_tokens, 0);
  const std::int64_t cached = std::clamp<std::int64_t>(usage.cached_tokens, 0, input);
  const std::int64_t written = std::clamp<std::int64_t>(usage.cache_write_tokens, 0, input - cached);
  const std::int64_t output = std::max<std::int64_t>(usage.output_tokens, 0);

  const bool large = input > k_tier_above && pricing.above_200k.has_value();
  const catalog::Price& price = large ? *pricing.above_200k : pricing.base;
  return rounded_up(times(input - cached - written, price.input) +
                    times(cached, price.cached_input.value_or(price.input)) +
                    times(written, price.cache_write.value_or(price.input)) + times(output, price.output));
}

}  // namespace nemo::budget
