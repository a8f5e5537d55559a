// Port: reads one event's data in a dialect. Implemented in protocol/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/usage.h"
#include "daemon/stream/sse_scanner.h"

namespace nemo::stream {

struct ChunkFacts {
  bool has_content = false;  // text, reasoning, a tool call or a refusal for the user
  std::size_t content_bytes =
      0;                     // decoded length is not needed: bytes between the quotes, escapes counted as they stand
  std::size_t finished = 0;  // choices with a finish_reason that is not null
  std::int64_t highest_choice = 0;  // the highest index among its choices
  bool only_usage = false;          // nothing in it but usage (choices is empty)
  bool end_marker = false;          // [DONE]
  bool is_error = false;
  std::string error_message;
  std::optional<call::Usage> usage;  // source = provider
  // What choice 0 says to the user, as it stands between the quotes: no reasoning, no tool calls. A view into the
  // event's data. The texts of a stream may be joined as they are and unescaped once (protocol/json_text.h).
  std::string_view text;
};

class ChunkReader {
 public:
  virtual ~ChunkReader() = default;
  // One thread. Never fails: what cannot be read has no facts. `malformed` tells that data was not what the dialect
  // says.
  virtual ChunkFacts read(const SseEvent& event, bool& malformed) = 0;
};

}  // namespace nemo::stream
