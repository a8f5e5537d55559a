// Takes away the end of an answer that repeats the beginning of what stands behind the hole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nemo::protocol {

// The beginning of a suffix, made ready to be looked for at the end of a text.
class SuffixStart {
 public:
  static constexpr std::size_t k_longest = 2048;  // an answer that repeats more has left the hole long ago

  explicit SuffixStart(std::string_view suffix);
  std::string_view text() const { return m_text; }
  // How much of the text's beginning is also the end of its first `length` bytes, less than all of them.
  std::size_t border(std::size_t length) const { return m_borders[length]; }

 private:
  std::string m_text;
  std::vector<std::uint16_t> m_borders;
};

// The longest end of the answer with which the suffix begins goes, if it is telling (repetition.h). One thread;
// `suffix` outlives it. Held back is what agrees with the suffix's beginning.
class OverlapFilter {
 public:
  explicit OverlapFilter(const SuffixStart& suffix) : m_suffix(suffix) {}

  void push(std::string_view text, std::string& out);
  void finish(std::string& out);  // the last piece has come

 private:
  const SuffixStart& m_suffix;
  std::size_t m_held = 0;  // so much of the suffix's beginning
};

}  // namespace nemo::protocol
