#include "cli/editors/jsonc_tree.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/editors/setting.h"
#include "cli/editors/text_layout.h"

namespace nemo::cli::editors {
namespace {

constexpr int k_deepest_json = 64;  // settings nest less than ten deep

class JsoncReader {
 public:
  explicit JsoncReader(std::string_view text) : m_text(text) {
    if (m_text.substr(0, k_byte_order_mark.size()) == k_byte_order_mark) m_at = k_byte_order_mark.size();
  }

  Result<std::optional<JsoncValue>> read() {
    if (m_text.size() > k_largest_file) return fail(ErrorKind::invalid_config, "the file is larger than 4 MiB");
    skip_blanks();
    if (failed()) return error();
    if (m_at == m_text.size()) return std::optional<JsoncValue>();
    JsoncValue value = read_value(0);
    skip_blanks();
    if (!failed() && m_at < m_text.size()) refuse("something follows the end of the settings");
    if (failed()) return error();
    return std::optional<JsoncValue>(std::move(value));
  }

 private:
  bool failed() const { return m_reason != nullptr; }
  Error error() const {
    return fail(ErrorKind::invalid_config,
                "line " + std::to_string(line_at(m_text, std::min(m_failed_at, m_text.size()))) + ": " + m_reason);
  }
  void refuse(const char* reason) {
    if (failed()) return;
    m_reason = reason;
    m_failed_at = m_at;
  }
  char peek() const { return m_at < m_text.size() ? m_text[m_at] : '\0'; }
  bool sees(std::string_view what) const { return m_text.substr(m_at, what.size()) == what; }

  // Leaves m_tail behind the last comment, if there was one.
  void skip_blanks() {
    while (!failed() && m_at < m_text.size()) {
      const char c = m_text[m_at];
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++m_at;
      } else if (sees("//")) {
        m_at = std::min(m_text.find('\n', m_at), m_text.size());
        m_tail = m_at > 0 && m_at < m_text.size() && m_text[m_at - 1] == '\r' ? m_at - 1 : m_at;
      } else if (sees("/*")) {
        const std::size_t end = m_text.find("*/", m_at + 2);
        if (end == std::string_view::npos) return refuse("a comment does not end");
        m_at = m_tail = end + 2;
      } else {
        return;
      }
    }
  }

  JsoncValue read_value(int depth) {
    JsoncValue value;
    value.begin = m_at;
    if (depth > k_deepest_json) {
      refuse("nested more than 64 deep");
    } else if (peek() == '{') {
      value.kind = JsoncValue::Kind::object;
      read_members(value, depth);
    } else if (peek() == '[') {
      value.kind = JsoncValue::Kind::array;
      read_items(depth);
    } else if (peek() == '"') {
      read_string();
    } else {
      read_word();
    }
    value.end = m_at;
    return value;
  }

  void read_members(JsoncValue& object, int depth) {
    m_tail = ++m_at;
    while (true) {
      skip_blanks();
      object.tail = m_tail;
      if (failed()) return;
      if (peek() == '}') {
        ++m_at;
        return;
      }
      if (!object.members.empty() && !object.members.back().comma) return refuse("a comma is missing before this");
      if (peek() != '"') return refuse("a name in quotes is expected here");
      JsoncMember member;
      member.begin = m_at;
      member.key = read_string();
      skip_blanks();
      if (failed()) return;
      if (peek() != ':') return refuse("a colon is expected after the name");
      ++m_at;
      skip_blanks();
      member.value = read_value(depth + 1);
      m_tail = m_at;
      skip_blanks();
      if (peek() == ',') {
        member.comma = m_at++;
        m_tail = m_at;
      }
      object.members.push_back(std::move(member));
    }
  }

  void read_items(int depth) {
    ++m_at;
    bool may_follow = true;
    while (true) {
      skip_blanks();
      if (failed()) return;
      if (peek() == ']') {
        ++m_at;
        return;
      }
      if (!may_follow) return refuse("a comma is missing before this");
      read_value(depth + 1);
      skip_blanks();
      may_follow = peek() == ',';
      if (may_follow) ++m_at;
    }
  }

  std::string read_string() {
    const std::size_t begin = m_at++;
    while (m_at < m_text.size() && m_text[m_at] != '"' && m_text[m_at] != '\n') m_at += m_text[m_at] == '\\' ? 2 : 1;
    if (m_at >= m_text.size() || m_text[m_at] != '"') {
      m_at = std::min(m_at, m_text.size());
      refuse("a text in quotes does not end");
      return {};
    }
    ++m_at;
    const auto decoded = nlohmann::json::parse(m_text.substr(begin, m_at - begin), nullptr, false);
    if (decoded.is_string()) return decoded.get<std::string>();
    m_at = begin;
    refuse("a text in quotes holds what JSON does not allow");
    return {};
  }

  void read_word() {
    constexpr std::string_view k_ends = " \t\r\n,]}/:\"[{";
    const std::size_t end = std::min(m_text.find_first_of(k_ends, m_at), m_text.size());
    const std::string_view word = m_text.substr(m_at, end - m_at);
    if (word.empty() || !nlohmann::json::accept(word)) return refuse("a value is expected here");
    m_at = end;
  }

  std::string_view m_text;
  std::size_t m_at = 0;
  std::size_t m_tail = 0;
  const char* m_reason = nullptr;
  std::size_t m_failed_at = 0;
};

}  // namespace

const JsoncMember* JsoncValue::find(std::string_view key) const {
  const auto found =
      std::find_if(members.rbegin(), members.rend(), [&](const JsoncMember& member) { return member.key == key; });
  return found == members.rend() ? nullptr : &*found;
}

Result<std::optional<JsoncValue>> read_jsonc(std::string_view text) {
  return JsoncReader(text).read();
}

}  // namespace nemo::cli::editors
