// Money as integers: one NanoUsd is a billionth of a dollar. No floating point on the way to a budget.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo {

struct NanoUsd {
  std::int64_t value = 0;

  friend auto operator<=>(NanoUsd, NanoUsd) = default;  // NOLINT(modernize-use-nullptr): taken for a null pointer
  friend NanoUsd operator+(NanoUsd a, NanoUsd b) { return {a.value + b.value}; }
  friend NanoUsd operator-(NanoUsd a, NanoUsd b) { return {a.value - b.value}; }
  NanoUsd& operator+=(NanoUsd other) {
    value += other.value;
    return *this;
  }
};

// Exact decimal dollars without trailing zeros: {1500} -> "0.0000015", {0} -> "0".
std::string to_dollars(NanoUsd amount);

// The inverse: digits with at most nine decimals. Refuses signs, exponents and anything that would be rounded.
Result<NanoUsd> parse_dollars(std::string_view text);

}  // namespace nemo
