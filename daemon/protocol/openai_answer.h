// What the parts of an OpenAI-shaped answer say; the same reading serves whole answers and the chunks of a stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "daemon/call/usage.h"
#include "daemon/protocol/json_cursor.h"

namespace nemo::protocol {

struct ChoicesFacts {
  std::size_t count = 0;
  std::size_t content_bytes = 0;  // between the quotes, escapes counted as they stand
  std::size_t finished = 0;       // choices with a finish_reason
  std::int64_t highest_index = 0;
};

// Both stand before the value and pass it; a fault stays in the cursor.
ChoicesFacts read_choices(JsonCursor& cursor);
std::optional<call::Usage> read_usage_object(std::string_view raw);

}  // namespace nemo::protocol
