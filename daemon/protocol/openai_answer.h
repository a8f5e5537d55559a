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
  std::string_view text;  // of choice 0: its text or content as it stands between the quotes, a view into the JSON
};

// The top level of a whole answer or of a chunk.
struct AnswerParts {
  ChoicesFacts choices;
  std::optional<call::Usage> usage;
  bool has_usage = false;       // a usage object, whether or not it states anything
  bool has_answer = false;      // choices or data
  bool has_error = false;       // "error", and it is not null
  bool is_named_error = false;  // "object" or "type" is "error"
};

// Stands before the object and passes it; a fault stays in the cursor.
AnswerParts read_answer_object(JsonCursor& cursor);

}  // namespace nemo::protocol
