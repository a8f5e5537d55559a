// One completion request as this folder compares it with others.
#pragma once

#include <cstdint>
#include <string>

namespace nemo::completion {

// All texts are decoded (UTF-8, no JSON escapes).
struct Asked {
  std::string seat;
  // Everything but the text that an answer depends on: the model, max_tokens, stop, temperature, other files, …
  // Compared byte for byte.
  std::string terms;
  std::string prefix;
  std::string suffix;
  // It says what stands behind the cursor, be it nothing: an editor's. One that does not may be any program's.
  bool has_hole = false;
  // Whether an answer may serve another request at all: not when several are asked for, or more than text.
  bool may_share = true;
  // No chance is wanted: two equal requests may have one answer. A temperature says that answers should differ.
  bool is_steady = true;
};

enum class Ending : std::uint8_t {
  by_itself,  // the model had no more to say
  by_length,  // max_tokens cut it off
};

// Rings for somebody who waits. Port: whoever waits brings it.
class Bell {
 public:
  virtual ~Bell() = default;
  virtual void ring() noexcept = 0;  // any thread, often while a lock is held: returns at once
};

}  // namespace nemo::completion
