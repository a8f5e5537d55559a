#include "daemon/budget/cost.h"

#include <doctest/doctest.h>

#include <limits>

#include "daemon/catalog/catalog.h"

namespace nemo::test::cost_test {

using nemo::NanoUsd;
using nemo::budget::cost_of;
using nemo::call::Usage;
using nemo::catalog::Price;
using nemo::catalog::Pricing;

namespace {

NanoUsd usd(const char* text) {
  return nemo::parse_dollars(text).value();
}

Pricing flat(const char* input, const char* output) {
  return Pricing{Price{usd(input), std::nullopt, std::nullopt, usd(output)}, std::nullopt};
}

Usage tokens(std::int64_t input, std::int64_t cached, std::int64_t output) {
  Usage usage;
  usage.input_tokens = input;
  usage.cached_tokens = cached;
  usage.output_tokens = output;
  return usage;
}

Pricing builtin(const char* id) {
  return nemo::catalog::Catalog().find(id)->pricing.value();
}

}  // namespace

TEST_CASE("a million tokens cost the price") {
  CHECK(cost_of(flat("0.30", "2.50"), tokens(1'000'000, 0, 0)) == usd("0.30"));
  CHECK(cost_of(flat("0.30", "2.50"), tokens(0, 0, 1'000'000)) == usd("2.50"));
  CHECK(cost_of(flat("0.30", "2.50"), tokens(1'000'000, 0, 1'000'000)) == usd("2.80"));
}

TEST_CASE("a usual completion of gemini-2.5-flash is exact to the nano-dollar") {
  // 1,200 x 300 n$ + 40 x 2,500 n$
  CHECK(cost_of(builtin("gemini-2.5-flash"), tokens(1'200, 0, 40)) == NanoUsd{460'000});
}

TEST_CASE("cached tokens are part of the input and cost the cached price") {
  // 200 x 300 n$ + 1,000 x 30 n$ + 40 x 2,500 n$
  CHECK(cost_of(builtin("gemini-2.5-flash"), tokens(1'200, 1'000, 40)) == NanoUsd{190'000});
}

TEST_CASE("without a cached price cached tokens cost as much as others") {
  const Pricing pricing = builtin("codestral-2");
  CHECK(cost_of(pricing, tokens(1'000, 900, 10)) == cost_of(pricing, tokens(1'000, 0, 10)));
}

TEST_CASE("a cached price of zero is a price") {
  Pricing pricing = flat("1", "1");
  pricing.base.cached_input = NanoUsd{0};
  CHECK(cost_of(pricing, tokens(1'000, 1'000, 0)) == NanoUsd{0});
}

TEST_CASE("200,000 input tokens are still in the first tier, one more puts the whole call in the second") {
  const Pricing pricing = builtin("gemini-2.5-pro");
  // 200,000 x 1,250 + 1,000 x 10,000; then 200,001 x 2,500 + 1,000 x 15,000
  CHECK(cost_of(pricing, tokens(200'000, 0, 1'000)) == NanoUsd{260'000'000});
  CHECK(cost_of(pricing, tokens(200'001, 0, 1'000)) == NanoUsd{515'002'500});
}

TEST_CASE("cached tokens count towards the tier") {
  const Pricing pricing = builtin("gemini-2.5-pro");
  // 1 x 2,500 + 200,000 x 250
  CHECK(cost_of(pricing, tokens(200'001, 200'000, 0)) == NanoUsd{50'002'500});
}

TEST_CASE("output tokens do not count towards the tier") {
  CHECK(cost_of(builtin("gemini-2.5-pro"), tokens(10, 0, 300'000)) == NanoUsd{12'500 + 3'000'000'000});
}

TEST_CASE("a model without a tier costs the same per token whatever the size") {
  const Pricing pricing = flat("0.30", "2.50");
  CHECK(cost_of(pricing, tokens(400'000, 0, 0)) == usd("0.12"));
}

TEST_CASE("one token of a price that does not divide is rounded up") {
  // 0.01875 dollars a million: 18.75 nano-dollars a token
  Pricing pricing = flat("0.01875", "0");
  CHECK(cost_of(pricing, tokens(1, 0, 0)) == NanoUsd{19});
  CHECK(cost_of(pricing, tokens(4, 0, 0)) == NanoUsd{75});
  // the least price there is: a billionth of a dollar for a million tokens
  pricing.base.input = NanoUsd{1};
  CHECK(cost_of(pricing, tokens(1, 0, 0)) == NanoUsd{1});
  CHECK(cost_of(pricing, tokens(1'000'000, 0, 0)) == NanoUsd{1});
  CHECK(cost_of(pricing, tokens(1'000'001, 0, 0)) == NanoUsd{2});
}

TEST_CASE("the sum is rounded once, not each part") {
  // 18.25 + 18.25 + 18.25 = 54.75, which is 55 and not 3 x 19
  Pricing pricing = flat("0.01825", "0.01825");
  pricing.base.cached_input = usd("0.01825");
  CHECK(cost_of(pricing, tokens(2, 1, 1)) == NanoUsd{55});
}

TEST_CASE("2^40 tokens do not overflow") {
  constexpr std::int64_t k_many = std::int64_t{1} << 40U;
  // 75 dollars a million: 75,000 n$ a token; 2^40 of them are 82,463,372,083,200,000 n$
  CHECK(cost_of(flat("75", "75"), tokens(0, 0, k_many)) == NanoUsd{k_many * 75'000});
  CHECK(cost_of(flat("75", "75"), tokens(k_many, 0, k_many)) == NanoUsd{k_many * 150'000});
}

TEST_CASE("a cost beyond all money is the greatest amount, not a small one") {
  constexpr std::int64_t k_most = std::numeric_limits<std::int64_t>::max();
  Pricing pricing = flat("0", "0");
  pricing.base.input = NanoUsd{k_most};
  pricing.base.output = NanoUsd{k_most};
  CHECK(cost_of(pricing, tokens(k_most, 0, k_most)) == NanoUsd{k_most});
}

TEST_CASE("counts that make no sense never give money back") {
  const Pricing pricing = builtin("gemini-2.5-flash");
  CHECK(cost_of(pricing, tokens(-5, 0, 10)) == cost_of(pricing, tokens(0, 0, 10)));
  CHECK(cost_of(pricing, tokens(10, 500, 0)) == cost_of(pricing, tokens(10, 10, 0)));
  CHECK(cost_of(pricing, tokens(10, -500, 0)) == cost_of(pricing, tokens(10, 0, 0)));
  CHECK(cost_of(pricing, tokens(10, 0, -7)) == cost_of(pricing, tokens(10, 0, 0)));
}

TEST_CASE("no tokens cost nothing, and a free model costs nothing") {
  CHECK(cost_of(builtin("gemini-2.5-pro"), Usage{}) == NanoUsd{0});
  CHECK(cost_of(flat("0", "0"), tokens(1'000'000, 5, 1'000'000)) == NanoUsd{0});
}

TEST_CASE("reasoning tokens are part of the output and are not charged again") {
  Usage usage = tokens(0, 0, 1'000);
  usage.reasoning_tokens = 900;
  CHECK(cost_of(flat("1", "1"), usage) == cost_of(flat("1", "1"), tokens(0, 0, 1'000)));
}

}  // namespace nemo::test::cost_test
