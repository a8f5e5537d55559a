// The tokens of one call and how we know them.
#pragma once

#include <cstdint>
#include <string_view>

namespace nemo::call {

enum class UsageSource : std::uint8_t {
  none,       // nothing reached a model (refused, or failed before upstream answered)
  provider,   // upstream said so
  partial,    // counted from what was streamed before the call ended early
  estimated,  // upstream finished without saying: counted from request and answer
};

std::string_view to_string(UsageSource source);

struct Usage {
  std::int64_t input_tokens = 0;      // the whole prompt, cached part included
  std::int64_t cached_tokens = 0;     // the part of input_tokens billed at the cached price
  std::int64_t output_tokens = 0;     // everything billed as output, reasoning included
  std::int64_t reasoning_tokens = 0;  // the part of output_tokens that was reasoning
  UsageSource source = UsageSource::none;
  std::int64_t cache_write_tokens = 0;  // the part of input_tokens billed as a write to the provider's cache

  friend bool operator==(const Usage&, const Usage&) = default;
};

}  // namespace nemo::call
