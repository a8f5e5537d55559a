#include "daemon/config/toml_precheck.h"

#include <algorithm>
#include <string>

namespace nemo::config {
namespace {

constexpr std::size_t k_deepest = 16;
constexpr std::string_view k_white_space = " \t\r\n";
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

// Walks the text and steps over comments and strings. Where a text is no TOML the walk may go astray, but only behind
// the place at which the parser stops.
class Walk {
 public:
  explicit Walk(std::string_view text) : m_text(text) {}

  std::optional<TomlFlaw> first_flaw() {
    if (m_text.starts_with(k_byte_order_mark)) m_at = k_byte_order_mark.size();
    while (m_at < m_text.size() && !m_flaw) {
      const char c = m_text[m_at];
      if (c == '#') {
        m_at = std::min(m_text.find('\n', m_at), m_text.size());
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        step(c);
      }
    }
    return m_flaw;
  }

 private:
  void step(char c) {
    if (beyond_ascii()) {
      m_flaw = TomlFlaw{m_line, "a character outside of ASCII stands only in quotes or in a comment"};
      return;
    }
    count(c);
    if (m_open > k_deepest || m_dots > k_deepest) {
      m_flaw = TomlFlaw{m_line, "nested too deep; no setting of Nemo is deeper than three tables"};
    }
    ++m_at;
  }

  void count(char c) {
    if (c == '.') {
      ++m_dots;
      return;
    }
    if (c == '\n') ++m_line;
    if (c == '[' || c == '{') ++m_open;
    if ((c == ']' || c == '}') && m_open > 0) --m_open;
    constexpr std::string_view k_end_of_key = "=,[]{}\n";
    if (k_end_of_key.find(c) != std::string_view::npos) m_dots = 0;
  }

  bool beyond_ascii() const { return m_at < m_text.size() && static_cast<unsigned char>(m_text[m_at]) >= 0x80; }

  // Steps over a backslash and what it escapes: one character, or in """…""" all white space behind it.
  void skip_escape(bool tripled) {
    ++m_at;
    const std::size_t escaped = m_at;
    while (tripled && m_at < m_text.size() && k_white_space.find(m_text[m_at]) != std::string_view::npos) {
      if (m_text[m_at] == '\n') ++m_line;
      ++m_at;
    }
    if (beyond_ascii()) m_flaw = TomlFlaw{m_line, "a character outside of ASCII cannot follow a backslash"};
    const bool string_ends = m_at < m_text.size() && m_text[m_at] == '\n';
    if (m_at == escaped && !string_ends) m_at = std::min(m_at + 1, m_text.size());
  }

  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool tripled = m_text.substr(m_at, 3) == three;
    m_at += tripled ? 3 : 1;
    while (m_at < m_text.size() && !m_flaw) {
      const char c = m_text[m_at];
      if (c == '\\' && quote == '"') {
        skip_escape(tripled);
        continue;
      }
      if (c == '\n') {
        if (!tripled) return;  // not closed: the parser stops here
        ++m_line;
      }
      if (c == quote && (!tripled || m_text.substr(m_at, 3) == three)) {
        m_at += tripled ? 3 : 1;
        // Up to two quotes may stand right before the closing three.
        for (int i = 0; tripled && i < 2 && m_at < m_text.size() && m_text[m_at] == quote; ++i) ++m_at;
        return;
      }
      ++m_at;
    }
  }

  std::string_view m_text;
  std::size_t m_at = 0;
  std::size_t m_line = 1;
  std::size_t m_open = 0;
  std::size_t m_dots = 0;
  std::optional<TomlFlaw> m_flaw;
};

}  // namespace

std::optional<TomlFlaw> find_flaw(std::string_view text) {
  return Walk(text).first_flaw();
}

}  // namespace nemo::config
