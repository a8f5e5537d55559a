// When a repetition of the text around a hole is one, and not what belongs into the hole: a brace or a short line may
// well stand twice.
#pragma once

#include <cstddef>
#include <string_view>

namespace nemo::protocol {

inline constexpr std::string_view k_white = " \t\r\n";

inline std::size_t count_solid(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += k_white.find(c) == std::string_view::npos ? 1U : 0U;
  return count;
}

// Letters, digits, and bytes beyond ASCII.
inline bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_' ||
         byte >= 0x80;
}

// Of whole lines: enough of it that it does not stand there twice by chance.
inline bool is_telling(std::string_view text) {
  constexpr std::size_t k_least_solid = 8;
  constexpr std::size_t k_least_words = 3;
  std::size_t words = 0;
  for (const char c : text) words += is_word(c) ? 1U : 0U;
  return words >= k_least_words && count_solid(text) >= k_least_solid;
}

}  // namespace nemo::protocol
