#include "daemon/protocol/json_cursor.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nemo::protocol {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Strings are nearly all of a prompt, so they are looked at in blocks, of which one bit a byte is kept.
constexpr std::size_t k_block = 64;

#if defined(__SSE2__)

// One bit for each quote, backslash and control character among the block's bytes.
std::uint64_t marks_of(const char* bytes) {
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i last_control = _mm_set1_epi8(0x1F);
  std::uint64_t marks = 0;
  for (std::size_t at = 0; at < k_block; at += sizeof(__m128i)) {
    __m128i some;
    std::memcpy(&some, bytes + at, sizeof some);
    const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(some, last_control), some);
    const __m128i texts = _mm_or_si128(_mm_cmpeq_epi8(some, quote), _mm_cmpeq_epi8(some, backslash));
    const auto found = static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(controls, texts)));
    marks |= std::uint64_t{found} << at;
  }
  return marks;
}

#else

std::uint64_t marks_of(const char* bytes) {
  std::uint64_t marks = 0;
  for (std::size_t at = 0; at < k_block; ++at) {
    const char c = bytes[at];
    const bool is_mark = c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20U;
    marks |= std::uint64_t{is_mark} << at;
  }
  return marks;
}

#endif

// What lies behind the end of the text is marked too.
std::uint64_t marks_at(std::string_view text, std::size_t at) {
  if (text.size() - at >= k_block) return marks_of(text.data() + at);
  std::array<char, k_block> last{};
  std::memcpy(last.data(), text.data() + at, text.size() - at);
  return marks_of(last.data());
}

constexpr std::array<bool, 256> k_follows_backslash = [] {
  std::array<bool, 256> may{};
  for (const char c : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'}) may[static_cast<unsigned char>(c)] = true;
  return may;
}();

}  // namespace

bool JsonCursor::fail(const char* what) {
  if (!failed()) m_fault = {m_at, what};
  return false;
}

char JsonCursor::peek() {
  if (failed()) return '\0';
  while (m_at < m_text.size() && is_space(m_text[m_at])) ++m_at;
  return m_at < m_text.size() ? m_text[m_at] : '\0';
}

bool JsonCursor::begin(char open, const char* what) {
  if (peek() != open) return fail(what);
  if (m_depth == k_deepest) return fail("nested too deeply");
  ++m_depth;
  ++m_at;
  m_just_opened = true;
  return true;
}

bool JsonCursor::begin_object() {
  return begin('{', "expected an object");
}

bool JsonCursor::begin_array() {
  return begin('[', "expected a list");
}

// Moves to the next item of the object or array that ends with `close`; false: it ended, or a fault.
bool JsonCursor::step(char close, const char* what) {
  const char c = peek();
  if (failed()) return false;
  if (c == close) {
    ++m_at;
    --m_depth;
    m_just_opened = false;
    return false;
  }
  if (m_just_opened) {
    m_just_opened = false;
    return true;
  }
  if (c != ',') return fail(m_at < m_text.size() ? what : "the text ends too early");
  ++m_at;
  return true;
}

std::optional<std::string_view> JsonCursor::next_field() {
  if (!step('}', "expected a comma or the end of the object")) return std::nullopt;
  if (peek() != '"') {
    fail(m_at < m_text.size() ? "expected the name of a field in quotes" : "the text ends too early");
    return std::nullopt;
  }
  const auto key = string_body();
  if (!key) return std::nullopt;
  if (peek() != ':') {
    fail("expected a colon after the name of a field");
    return std::nullopt;
  }
  ++m_at;
  return key;
}

bool JsonCursor::next_element() {
  return step(']', "expected a comma or the end of the list");
}

std::optional<std::string_view> JsonCursor::string_body() {
  const std::size_t begin = ++m_at;
  for (;;) {
    const std::size_t block = m_at;
    const std::uint64_t marks = marks_at(m_text, block);
    for (std::uint64_t left = marks; left != 0;) {
      m_at = block + static_cast<std::size_t>(std::countr_zero(left));
      if (m_at >= m_text.size()) {
        fail("a text without its closing quote");
        return std::nullopt;
      }
      const char c = m_text[m_at];
      if (c == '"') return m_text.substr(begin, m_at++ - begin);
      if (c != '\\') {
        fail("a control character inside a text");
        return std::nullopt;
      }
      if (!escape()) return std::nullopt;
      const std::size_t passed = m_at - block;
      left = passed < k_block ? marks & (~std::uint64_t{0} << passed) : 0;
    }
    m_at = std::max(m_at, block + k_block);
  }
}

bool JsonCursor::escape() {
  if (m_at + 1 >= m_text.size()) return fail("a text without its closing quote");
  const char c = m_text[m_at + 1];
  if (c == 'u') {
    // Half of a surrogate pair is let through: editors that cut a text between its UTF-16 units send it.
    for (std::size_t i = 2; i < 6; ++i) {
      if (m_at + i >= m_text.size() || !is_hex(m_text[m_at + i])) return fail("a bad escape inside a text");
    }
    m_at += 6;
    return true;
  }
  if (!k_follows_backslash[static_cast<unsigned char>(c)]) return fail("a bad escape inside a text");
  m_at += 2;
  return true;
}

bool JsonCursor::digits() {
  if (m_at >= m_text.size() || !is_digit(m_text[m_at])) return fail("a bad number");
  while (m_at < m_text.size() && is_digit(m_text[m_at])) ++m_at;
  return true;
}

bool JsonCursor::number() {
  const auto next_is = [this](char c) { return m_at < m_text.size() && m_text[m_at] == c; };
  if (next_is('-')) ++m_at;
  if (next_is('0')) {
    ++m_at;
    if (m_at < m_text.size() && is_digit(m_text[m_at])) return fail("a bad number");
  } else if (!digits()) {
    return false;
  }
  if (next_is('.')) {
    ++m_at;
    if (!digits()) return false;
  }
  if (next_is('e') || next_is('E')) {
    ++m_at;
    if (next_is('+') || next_is('-')) ++m_at;
    if (!digits()) return false;
  }
  return true;
}

bool JsonCursor::literal(std::string_view word) {
  if (m_text.substr(m_at, word.size()) != word) return fail("expected a value");
  m_at += word.size();
  return true;
}

bool JsonCursor::skip() {
  switch (peek()) {
    case '{':
      if (!begin_object()) return false;
      while (next_field()) {
        if (!skip()) return false;
      }
      return !failed();
    case '[':
      if (!begin_array()) return false;
      while (next_element()) {
        if (!skip()) return false;
      }
      return !failed();
    case '"':
      return string_body().has_value();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      if (m_at >= m_text.size()) return fail("the text ends too early");
      if (m_text[m_at] == '-' || is_digit(m_text[m_at])) return number();
      return fail("expected a value");
  }
}

std::string_view JsonCursor::take() {
  peek();
  const std::size_t begin = m_at;
  return skip() ? m_text.substr(begin, m_at - begin) : std::string_view{};
}

bool JsonCursor::at_end() {
  peek();
  return !failed() && m_at >= m_text.size();
}

std::optional<std::string_view> find_member(std::string_view object, std::string_view key) {
  JsonCursor cursor(object);
  if (!cursor.begin_object()) return std::nullopt;
  while (const auto name = cursor.next_field()) {
    const std::string_view value = cursor.take();
    if (cursor.failed()) return std::nullopt;
    if (*name == key) return value;
  }
  return std::nullopt;
}

}  // namespace nemo::protocol
