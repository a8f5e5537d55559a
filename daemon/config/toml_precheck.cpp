#include "daemon/config/toml_precheck.h"

#include <algorithm>
#include <string>

namespace nemo::config {
namespace {

constexpr std::size_t k_deepest = 16;

// Walks the text and steps over comments and strings. Where a text is no TOML the walk may go astray, but only behind
// the place at which the parser stops.
class Walk {
 public:
  explicit Walk(std::string_view text) : m_text(text) {}

  std::optional<TomlFlaw> first_flaw() {
    while (m_at < m_text.size()) {
      const char c = m_text[m_at];
      if (c == '#') {
        m_at = std::min(m_text.find('\n', m_at), m_text.size());
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        count(c);
        if (m_open > k_deepest || m_dots > k_deepest) {
          return TomlFlaw{m_line, "nested too deep; no setting of Nemo is deeper than three tables"};
        }
        ++m_at;
      }
    }
    return std::nullopt;
  }

 private:
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

  void skip_string(char quote) {
    const std::string three(3, quote);
    const bool tripled = m_text.substr(m_at, 3) == three;
    m_at += tripled ? 3 : 1;
    while (m_at < m_text.size()) {
      const char c = m_text[m_at];
      if (c == '\\' && quote == '"' && m_text.substr(m_at + 1, 1) != "\n") {
        m_at += 2;
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
};

}  // namespace

std::optional<TomlFlaw> find_flaw(std::string_view text) {
  return Walk(text).first_flaw();
}

}  // namespace nemo::config
