// What a Claude model takes, told by its id. Source: Anthropic's documentation (extended thinking, adaptive thinking:
// supported configurations by model; models overview).
#pragma once

#include <cstdint>
#include <string_view>

namespace nemo::protocol {

enum class Thinking : std::uint8_t {
  none,      // before 3.7
  budget,    // {"type":"enabled","budget_tokens":…}; also what an unknown id gets
  adaptive,  // from 4.7 on, which refuses a budget: {"type":"adaptive"} and output_config.effort
};
enum class Sampling : std::uint8_t {
  taken,
  refused,  // from 4.7 on: temperature, top_p and top_k are errors
};

struct ClaudeTakes {
  Thinking thinking = Thinking::budget;
  Sampling sampling = Sampling::taken;
};

// "claude-sonnet-4-5@20250929", "claude-3-7-sonnet-latest", "claude-opus-5", with any prefix.
ClaudeTakes claude_takes(std::string_view model);

}  // namespace nemo::protocol
