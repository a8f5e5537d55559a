#include "cli/commands/price_sum.h"

#include <algorithm>

namespace nemo::cli::commands {
namespace {

__extension__ using Wide = __int128;  // tokens times nano-dollars per million does not fit 64 bits

constexpr std::int64_t k_long_input = 200'000;
constexpr std::int64_t k_million = 1'000'000;

}  // namespace

std::optional<PriceSum> sum_prices(const admin::Model& model, const admin::Call& call) {
  PriceSum sum;
  sum.long_input = call.input_tokens > k_long_input && model.input_price_above_200k.has_value();
  const auto& input = sum.long_input ? model.input_price_above_200k : model.input_price;
  const auto& cached = sum.long_input ? model.cached_input_price_above_200k : model.cached_input_price;
  const auto& write = sum.long_input ? model.cache_write_price_above_200k : model.cache_write_price;
  const auto& output = sum.long_input ? model.output_price_above_200k : model.output_price;
  if (!input || !output) return std::nullopt;

  const std::int64_t cached_tokens = std::clamp<std::int64_t>(call.cached_tokens, 0, call.input_tokens);
  const std::int64_t written = std::clamp<std::int64_t>(call.cache_write_tokens, 0, call.input_tokens - cached_tokens);
  sum.lines = {{"input", call.input_tokens - cached_tokens - written, *input},
               {"cached input", cached_tokens, cached.value_or(*input)},
               {"written to cache", written, write.value_or(*input)},
               {"output", call.output_tokens, *output}};
  Wide millionths = 0;
  for (const PriceLine& line : sum.lines) {
    const auto price = parse_dollars(line.price);
    if (!price) return std::nullopt;
    millionths += static_cast<Wide>(line.tokens) * price->value;
  }
  sum.total = NanoUsd{static_cast<std::int64_t>((millionths + k_million - 1) / k_million)};
  return sum;
}

}  // namespace nemo::cli::commands
