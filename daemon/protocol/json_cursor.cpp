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

constexpr std::array<bool, 256> k_follows_backslash = [] {
  std::array<bool, 256> may{};
  for (const char c : {'"', '\\', '/', 'b', 'f', 'n', 'r', 't'}) may[static_cast<unsigned char>(c)] = true;
  return may;
}();

// What a block's bytes are, one bit a byte.
struct Marks {
  std::uint64_t quotes = 0;
  std::uint64_t backslashes = 0;
  std::uint64_t controls = 0;
  std::uint64_t simple_escapes = 0;  // what may follow a backslash, but for u; set only where there are backslashes
};

#if defined(__SSE2__)

std::uint64_t bits_of(__m128i bytes) {
  return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes));
}

__m128i same(__m128i bytes, char c) {
  return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

__m128i part_of(const char* bytes, std::size_t at) {
  __m128i part;
  std::memcpy(&part, bytes + at, sizeof part);
  return part;
}

std::uint64_t simple_escapes_of(const char* bytes) {
  std::uint64_t found = 0;
  for (std::size_t at = 0; at < k_block; at += sizeof(__m128i)) {
    const __m128i part = part_of(bytes, at);
    const __m128i some = _mm_or_si128(_mm_or_si128(same(part, 'b'), same(part, 'f')), same(part, '/'));
    const __m128i others = _mm_or_si128(_mm_or_si128(same(part, 'n'), same(part, 'r')), same(part, 't'));
    found |= bits_of(_mm_or_si128(some, others)) << at;
  }
  return found;
}

Marks marks_of(const char* bytes) {
  const __m128i last_control = _mm_set1_epi8(0x1F);
  Marks marks;
  for (std::size_t at = 0; at < k_block; at += sizeof(__m128i)) {
    const __m128i part = part_of(bytes, at);
    marks.quotes |= bits_of(same(part, '"')) << at;
    marks.backslashes |= bits_of(same(part, '\\')) << at;
    marks.controls |= bits_of(_mm_cmpeq_epi8(_mm_min_epu8(part, last_control), part)) << at;
  }
  if (marks.backslashes != 0) marks.simple_escapes = marks.quotes | marks.backslashes | simple_escapes_of(bytes);
  return marks;
}

#else

Marks marks_of(const char* bytes) {
  Marks marks;
  for (std::size_t at = 0; at < k_block; ++at) {
    const char c = bytes[at];
    const std::uint64_t bit = std::uint64_t{1} << at;
    if (c == '"') marks.quotes |= bit;
    if (c == '\\') marks.backslashes |= bit;
    if (static_cast<unsigned char>(c) < 0x20U) marks.controls |= bit;
    if (k_follows_backslash[static_cast<unsigned char>(c)]) marks.simple_escapes |= bit;
  }
  return marks;
}

#endif

// Behind the end of the text there are controls.
Marks marks_at(std::string_view text, std::size_t at) {
  if (text.size() - at >= k_block) return marks_of(text.data() + at);
  std::array<char, k_block> last{};
  std::memcpy(last.data(), text.data() + at, text.size() - at);
  return marks_of(last.data());
}

// The bytes that a backslash gives another meaning: in a run of backslashes every second one, and what follows an odd
// run. `open`: so is the block's first byte; set for the next block.
std::uint64_t escaped_bytes(std::uint64_t backslashes, bool& open) {
  constexpr std::uint64_t k_even = 0x5555555555555555U;
  backslashes &= ~std::uint64_t{open};
  const std::uint64_t followers = backslashes << 1U | std::uint64_t{open};
  const std::uint64_t starts_at_odd = backslashes & ~k_even & ~followers;
  const std::uint64_t carried = starts_at_odd + backslashes;
  open = carried < starts_at_odd;
  return (k_even ^ (carried << 1U)) & followers;
}

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

// Blocks are settled by a few operations on their bits; those with a \u or a fault byte by byte.
std::optional<std::string_view> JsonCursor::string_body() {
  const std::size_t begin = ++m_at;
  bool escape_open = false;
  for (;;) {
    const std::size_t block = m_at;
    const bool was_open = escape_open;
    const Marks marks = marks_at(m_text, block);
    const bool has_escapes = marks.backslashes != 0 || was_open;
    const std::uint64_t escaped = has_escapes ? escaped_bytes(marks.backslashes, escape_open) : 0;
    const std::uint64_t ends = marks.quotes & ~escaped;
    const std::uint64_t before_end = ends == 0 ? ~std::uint64_t{0} : (ends & ~(ends - 1)) - 1;
    const std::uint64_t doubtful = (marks.controls | (escaped & ~marks.simple_escapes)) & before_end;
    if (doubtful == 0 && ends != 0) {
      m_at = block + static_cast<std::size_t>(std::countr_zero(ends));
      return m_text.substr(begin, m_at++ - begin);
    }
    m_at = block + k_block;
    if (doubtful == 0) continue;
    m_at = was_open ? block - 1 : block;
    escape_open = false;
    if (pass_slowly()) return m_text.substr(begin, m_at++ - begin);
    if (failed()) return std::nullopt;
  }
}

// One block of a text. True: its closing quote is next.
bool JsonCursor::pass_slowly() {
  const std::size_t end = m_at + k_block;
  while (m_at < end) {
    if (m_at >= m_text.size()) return fail("a text without its closing quote");
    const char c = m_text[m_at];
    if (c == '"') return true;
    if (static_cast<unsigned char>(c) < 0x20U) return fail("a control character inside a text");
    if (c != '\\') {
      ++m_at;
    } else if (!escape()) {
      return false;
    }
  }
  return false;
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
