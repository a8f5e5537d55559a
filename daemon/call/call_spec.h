// What a request asks for, in words that no surface owns. The raw bytes stay beside it (protocol::RequestBody).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/call/surface.h"

namespace nemo::call {

struct CallSpec {
  Surface surface = Surface::openai_chat;
  std::string model;  // as the caller wrote it; empty: not given
  bool stream = false;
  bool wants_usage = false;  // stream_options.include_usage
  bool has_tools = false;
  bool fill_in_middle = false;  // a suffix came with the prompt
  bool only_warms_up = false;   // asks for no text: a local model would be loaded, or would read the prompt ahead
  std::optional<std::int64_t> max_tokens;
  std::int64_t choices = 1;            // n
  std::int64_t answers = 1;            // that are paid for: n or best_of, for each prompt of a list
  std::size_t prompt_bytes = 0;        // text that a model would read: messages, prompt, suffix, tools, input
  std::string lane;                    // nemo_lane
  std::vector<std::string> tags;       // nemo_tags, metadata.tags
  std::vector<std::string> fallbacks;  // nemo_fallbacks
};

}  // namespace nemo::call
