// Sees where the arguments of a tool call end while they arrive in pieces.
#pragma once

#include <cstddef>
#include <string_view>

namespace nemo::protocol {

// One call's arguments, a JSON object in a text, given piece by piece as it stands between the quotes of that text.
class ArgumentsScan {
 public:
  void feed(std::string_view body);
  bool is_complete() const { return m_has_begun && m_depth == 0; }
  bool has_begun() const { return m_has_begun; }

 private:
  void take(char c);

  std::size_t m_depth = 0;
  bool m_has_begun = false;  // something else than white space came
  bool m_in_text = false;
  bool m_is_escaped = false;
};

}  // namespace nemo::protocol
