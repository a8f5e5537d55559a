#include "cli/editors/toml_lines.h"

#include <algorithm>
#include <cctype>

#include "cli/editors/text_layout.h"

namespace nemo::cli::editors {
namespace {

constexpr std::size_t k_most_names = 16;
constexpr std::size_t k_deepest_toml = 16;

class TomlLineReader {
 public:
  explicit TomlLineReader(std::string_view text) : m_text(text) {
    if (m_text.substr(0, k_byte_order_mark.size()) == k_byte_order_mark) m_at = k_byte_order_mark.size();
  }

  Result<std::vector<TomlStatement>> read() {
    if (m_text.size() > k_largest_file) return fail(ErrorKind::invalid_config, "the file is larger than 4 MiB");
    while (m_reason == nullptr && m_at < m_text.size()) read_line();
    if (m_reason == nullptr) return std::move(m_statements);
    const std::size_t at = std::min(m_at, m_text.size());
    return fail(ErrorKind::invalid_config, "line " + std::to_string(line_at(m_text, at)) + ": " + m_reason);
  }

 private:
  void refuse(const char* reason) {
    if (m_reason == nullptr) m_reason = reason;
  }
  char peek() const { return m_at < m_text.size() ? m_text[m_at] : '\0'; }
  bool sees(std::string_view what) const { return m_text.substr(m_at, what.size()) == what; }
  void skip_blanks() { m_at = std::min(m_text.find_first_not_of(" \t", m_at), m_text.size()); }

  void read_line() {
    TomlStatement statement;
    statement.begin = m_at;
    skip_blanks();
    const char c = peek();
    if (c == '\0' || c == '\n' || c == '\r' || c == '#') {
      m_at = line_end(m_text, m_at);
      return;
    }
    c == '[' ? read_header(statement) : read_pair(statement);
    if (m_reason != nullptr) return;
    skip_blanks();
    if (peek() == '\r') ++m_at;
    if (m_at < m_text.size() && peek() != '\n' && peek() != '#') return refuse("something follows the end of a value");
    m_at = statement.end = line_end(m_text, m_at);
    m_statements.push_back(std::move(statement));
  }

  void read_header(TomlStatement& statement) {
    const bool is_list = sees("[[");
    statement.kind = is_list ? TomlStatement::Kind::list_item : TomlStatement::Kind::table;
    m_at += is_list ? 2 : 1;
    statement.name = read_names(']');
    const std::string_view close = is_list ? "]]" : "]";
    if (!sees(close)) return refuse("a table's name does not end");
    m_at += close.size();
    m_table = statement.name;
    m_is_in_list = is_list;
  }

  void read_pair(TomlStatement& statement) {
    Path own = read_names('=');
    if (peek() != '=') return refuse("a name and \"=\" are expected here");
    ++m_at;
    skip_blanks();
    statement.value_begin = m_at;
    skip_value();
    statement.value_end = m_at;
    // What stands in the items of a list has no path of its own.
    if (m_is_in_list) own.insert(own.begin(), std::string(1, '\0'));
    statement.table = m_table;
    statement.name = m_table;
    statement.name.insert(statement.name.end(), own.begin(), own.end());
  }

  Path read_names(char end) {
    Path names;
    while (m_reason == nullptr) {
      skip_blanks();
      names.push_back(read_name());
      skip_blanks();
      if (names.size() > k_most_names) refuse("a key has more than 16 names");
      if (peek() != '.') break;
      ++m_at;
    }
    if (m_reason == nullptr && peek() != end) refuse("a name is not written as TOML wants it");
    return names;
  }

  std::string read_name() {
    const char quote = peek();
    if (quote == '"' || quote == '\'') {
      const std::size_t begin = m_at + 1;
      skip_text();
      return m_reason == nullptr ? std::string(m_text.substr(begin, m_at - 1 - begin)) : std::string();
    }
    const std::size_t begin = m_at;
    while (std::isalnum(static_cast<unsigned char>(peek())) != 0 || peek() == '_' || peek() == '-') ++m_at;
    if (m_at == begin) refuse("a name is expected here");
    return std::string(m_text.substr(begin, m_at - begin));
  }

  // A text in quotes of any of the four kinds.
  void skip_text() {
    const char quote = peek();
    const std::string three(3, quote);
    const bool is_long = sees(three);
    m_at += is_long ? 3 : 1;
    while (m_at < m_text.size()) {
      if (quote == '"' && m_text[m_at] == '\\') {
        m_at += 2;
      } else if (is_long && sees(three)) {
        m_at += 3;
        while (peek() == quote) ++m_at;  // up to two more belong to the text
        return;
      } else if (!is_long && m_text[m_at] == quote) {
        ++m_at;
        return;
      } else if (!is_long && m_text[m_at] == '\n') {
        break;
      } else {
        ++m_at;
      }
    }
    refuse("a text in quotes does not end");
  }

  void skip_value() {
    std::size_t depth = 0;
    while (m_reason == nullptr) {
      const char c = peek();
      if (m_at >= m_text.size()) return depth == 0 ? trim_value() : refuse("a list or table does not end");
      if (c == '"' || c == '\'') {
        skip_text();
      } else if (c == '[' || c == '{') {
        if (++depth > k_deepest_toml) return refuse("nested more than 16 deep");
        ++m_at;
      } else if (c == ']' || c == '}') {
        if (depth == 0) return refuse("a bracket closes what is not open");
        --depth;
        ++m_at;
      } else if (c == '#' || c == '\n') {
        if (depth == 0) return trim_value();
        m_at = c == '\n' ? m_at + 1 : std::min(m_text.find('\n', m_at), m_text.size());
      } else {
        ++m_at;
      }
    }
  }

  void trim_value() {
    constexpr std::string_view k_blanks = " \t\r";
    while (m_at > 0 && k_blanks.find(m_text[m_at - 1]) != std::string_view::npos) --m_at;
  }

  std::string_view m_text;
  std::size_t m_at = 0;
  const char* m_reason = nullptr;
  Path m_table;
  bool m_is_in_list = false;
  std::vector<TomlStatement> m_statements;
};

}  // namespace

Result<std::vector<TomlStatement>> read_toml_lines(std::string_view text) {
  return TomlLineReader(text).read();
}

}  // namespace nemo::cli::editors
