#include "daemon/protocol/surfaces/anthropic_arguments.h"

#include <charconv>
#include <cstdint>
#include <string_view>

namespace nemo::protocol {
namespace {

// What "\uXXXX" stands for, as far as it can matter here.
char character_of(std::string_view digits) {
  std::uint32_t code = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  return code < 0x80U ? static_cast<char>(code) : 'x';
}

}  // namespace

void ArgumentsScan::feed(std::string_view body) {
  std::size_t at = 0;
  while (at < body.size()) {
    if (body[at] != '\\' || at + 1 == body.size()) {
      take(body[at++]);
      continue;
    }
    const char escape = body[at + 1];
    if (escape == 'u') {
      take(character_of(body.substr(at + 2, 4)));
      at += 6;
      continue;
    }
    take(escape == '"' || escape == '\\' || escape == '/' ? escape : ' ');
    at += 2;
  }
}

void ArgumentsScan::take(char c) {
  if (m_in_text) {
    if (m_is_escaped) {
      m_is_escaped = false;
    } else if (c == '\\') {
      m_is_escaped = true;
    } else if (c == '"') {
      m_in_text = false;
    }
    return;
  }
  if (c == ' ' || c == '\t' || c == '\r' || c == '\n') return;
  m_has_begun = true;
  if (c == '"') m_in_text = true;
  if (c == '{' || c == '[') ++m_depth;
  if ((c == '}' || c == ']') && m_depth > 0) --m_depth;
}

}  // namespace nemo::protocol
