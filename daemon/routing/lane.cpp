#include "daemon/routing/route.h"

namespace nemo::routing {
namespace {

// A keystroke completion asked for through chat: a screenful of context and a few lines back.
constexpr std::int64_t k_small_max_tokens = 256;
constexpr std::size_t k_small_prompt_bytes = std::size_t{16} << 10U;

}  // namespace

std::string lane_of(const call::CallSpec& spec, std::string& why) {
  if (!spec.lane.empty()) {
    why = "the request names it";
    return spec.lane;
  }
  if (call::hub_of(spec.surface) == call::Hub::embeddings) {
    why = "embeddings have no lane";
    return "";
  }
  if (call::hub_of(spec.surface) == call::Hub::completions) {
    why = spec.fill_in_middle ? "fill in the middle" : "a completion endpoint";
    return "completion";
  }
  if (spec.has_tools) {
    why = "it brings tools";
    return "reasoning";
  }
  if (!spec.max_tokens || *spec.max_tokens > k_small_max_tokens) {
    why = spec.max_tokens ? "max_tokens is above " + std::to_string(k_small_max_tokens) : "it sets no low max_tokens";
    return "reasoning";
  }
  if (spec.prompt_bytes > k_small_prompt_bytes) {
    why = "its prompt is long";
    return "reasoning";
  }
  why = "a small chat without tools and with a low max_tokens";
  return "completion";
}

}  // namespace nemo::routing
