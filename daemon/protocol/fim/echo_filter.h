// Takes away what an answer repeats of the text before the hole: its last line or lines, as chat models like to begin.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nemo::protocol {

// The rule: the longest end of the prefix that begins at a line's start (or at the first character of the last line)
// and with which the answer begins goes, if it is telling:
//   of several lines, or of a whole line: eight characters that are not blank, three of them of words;
//   of the line with the hole and its indentation: three characters;
//   of that line without indentation: it ends within a word, or holds a blank beside four other characters.
// One thread. `prefix` outlives it; of it the last k_longest bytes are looked at, and no more is held back.
class EchoFilter {
 public:
  static constexpr std::size_t k_longest = 4096;  // a screenful: models that repeat more repeat all, and are lost

  explicit EchoFilter(std::string_view prefix);

  void push(std::string_view text, std::string& out);
  void finish(std::string& out);  // the last piece has come

 private:
  bool may_grow() const;
  void decide(std::string& out);

  std::vector<std::string_view> m_ends;  // that are telling, the longest first
  std::string m_held;
  bool m_is_decided = false;
};

}  // namespace nemo::protocol
