// Anthropic's marks for what of a prompt is to be kept ("cache_control") in a chat. Nemo Router passes them to Claude;
// strict OpenAI servers refuse a body that has them. Source: Anthropic API reference (prompt caching).
#pragma once

#include <cstdint>
#include <string>

namespace nemo::protocol {

enum class CacheMarks : std::uint8_t { keep, strip };

// Takes every {"type":"ephemeral",…} under that name out of a JSON text; what is no JSON stays as it is.
void strip_cache_marks(std::string& json);

}  // namespace nemo::protocol
