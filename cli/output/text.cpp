#include "cli/output/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace nemo::cli::output {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Characters without a width of their own (Unicode general categories Mn and Cf, the blocks that occur in names).
constexpr std::array<Range, 6> k_no_width{
    {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2069}, {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF}}};
// East Asian Wide (Unicode UAX #11), by block.
constexpr std::array<Range, 9> k_wide{{{0x1100, 0x115F},
                                       {0x2E80, 0x303E},
                                       {0x3041, 0x33FF},
                                       {0x3400, 0x9FFF},
                                       {0xA000, 0xA4CF},
                                       {0xAC00, 0xD7A3},
                                       {0xF900, 0xFAFF},
                                       {0xFF00, 0xFF60},
                                       {0x1F300, 0x1FAFF}}};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](Range range) { return c >= range.first && c <= range.last; });
}

struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
  char32_t code = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80) return {};
    code = (code << 6U) | (byte & 0x3FU);
  }
  constexpr std::array<char32_t, 5> k_least{0, 0, 0x80, 0x800, 0x10000};
  if (code < k_least[bytes] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, bytes, true};
}

std::size_t columns_of(const Character& character) {
  if (!character.valid) return 1;
  if (is_in(k_no_width, character.code)) return 0;
  return is_in(k_wide, character.code) ? 2 : 1;
}

// C0, DEL, C1, and the marks that turn the direction of writing round.
bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_of(text);
    if (!character.valid) {
      out += "\uFFFD";
    } else if (is_control(character.code)) {
      out += "·";
    } else {
      out += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = first_of(text);
    width += columns_of(character);
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : separator).append(word);
  return text;
}

std::string cut_to(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::string_view rest = text;
  std::size_t used = 0;
  while (!rest.empty()) {
    const Character character = first_of(rest);
    if (used + columns_of(character) > width - 1) break;
    used += columns_of(character);
    rest.remove_prefix(character.bytes);
  }
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

std::string pad_to(std::string_view text, std::size_t width, Align align) {
  const std::size_t used = width_of(text);
  if (used >= width) return std::string(text);
  const std::string space(width - used, ' ');
  return align == Align::left ? std::string(text) + space : space + std::string(text);
}

}  // namespace nemo::cli::output
