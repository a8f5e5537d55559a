// Takes the pair of ``` lines off a text that comes in pieces, and the line end before the closing one. Text that is
// not such a pair is never lost, only held back until it is clear what it is.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nemo::protocol {

// One thread.
class FenceFilter {
 public:
  void push(std::string_view text, std::string& out);
  void finish(std::string& out);  // the last piece has come: what is held goes out, or was the closing line

 private:
  enum class State : std::uint8_t { at_start, inside, open_text };
  void look_for_opening(std::string& out);
  void release(std::string& out);

  State m_state = State::at_start;
  bool m_nothing_passed = true;  // since the opening line
  std::string m_held;
};

}  // namespace nemo::protocol
