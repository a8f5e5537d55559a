#include "daemon/config/edit_settings.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/config/parse_settings.h"
#include "daemon/config/toml_document.h"

namespace nemo::config {
namespace {

constexpr std::string_view k_file_name = "nemo.toml";  // what messages call the text
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

// `length` bytes at `at` give way to `put`. `line` is the one to edit by hand if that goes wrong.
struct Edit {
  std::size_t at = 0;
  std::size_t length = 0;
  std::string put;
  std::size_t line = 0;
};

std::string_view newline_of(std::string_view text) {
  const auto first = text.find('\n');
  return first != std::string_view::npos && first > 0 && text[first - 1] == '\r' ? "\r\n" : "\n";
}

std::size_t line_start(std::string_view text, std::size_t line) {
  std::size_t at = 0;
  for (std::size_t i = 1; i < line && at < text.size(); ++i) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  return at;
}

std::size_t next_line(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size() - 1) + 1;
}

// The byte at which a character stands.
std::size_t offset_of(std::string_view text, Place place) {
  std::size_t at = line_start(text, place.line);
  if (place.line == 1 && text.starts_with(k_byte_order_mark)) at += k_byte_order_mark.size();
  for (std::size_t column = 1; column < place.column && at < text.size(); ++column) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) ++at;
  }
  return at;
}

class LaneEdit {
 public:
  LaneEdit(std::string_view text, std::string_view lane, std::string_view model)
      : m_text(text), m_lane(lane), m_newline(newline_of(text)), m_assignment("model = " + toml_quoted(model)) {}

  Edit plan(const TomlValue& root) const {
    const TomlValue* lanes = root.find("lane");
    const TomlValue* table = lanes == nullptr ? nullptr : lanes->find(m_lane);
    if (table == nullptr)
      return lanes != nullptr && is_inline(*lanes) ? into_inline(*lanes, lane_table()) : new_table();
    if (const TomlValue* model = table->find("model")) return replacing(*model);
    if (is_inline(*table)) return into_inline(*table, m_assignment);
    return opens_with('[', *table) ? under_header(*table) : beside_dotted(*table);
  }

 private:
  bool opens_with(char c, const TomlValue& value) const {
    const std::size_t at = offset_of(m_text, value.begin);
    return at < m_text.size() && m_text[at] == c;
  }
  bool is_inline(const TomlValue& table) const { return opens_with('{', table); }

  std::string lane_table() const { return toml_key(m_lane) + " = { " + m_assignment + " }"; }

  Edit replacing(const TomlValue& model) const {
    const std::size_t begin = offset_of(m_text, model.begin);
    const std::size_t end = offset_of(m_text, model.end);
    constexpr std::string_view k_assign = "model = ";
    return {begin, end > begin ? end - begin : 0, m_assignment.substr(k_assign.size()), model.begin.line};
  }

  Edit into_inline(const TomlValue& table, const std::string& member) const {
    const std::size_t behind_brace = offset_of(m_text, table.begin) + 1;
    return {behind_brace, 0, " " + member + (table.children.empty() ? " " : ","), table.begin.line};
  }

  Edit under_header(const TomlValue& table) const {
    const std::size_t at = next_line(m_text, offset_of(m_text, table.begin));
    const bool complete = at > 0 && m_text[at - 1] == '\n';
    return {at, 0, (complete ? "" : m_newline) + m_assignment + m_newline, table.begin.line};
  }

  // "lane.completion.strategy = …" gets a line above it with all of its key but the last part.
  Edit beside_dotted(const TomlValue& table) const {
    const std::size_t start = line_start(m_text, table.children.front().key_at.line);
    const std::size_t last_part = offset_of(m_text, table.children.front().key_at);
    const std::string prefix(m_text.substr(start, last_part - start));
    return {start, 0, prefix + m_assignment + m_newline, table.begin.line};
  }

  Edit new_table() const {
    std::string put;
    if (!m_text.empty() && !m_text.ends_with('\n')) put += m_newline;
    if (!m_text.empty()) put += m_newline;
    put += "[lane." + toml_key(m_lane) + "]" + m_newline + m_assignment + m_newline;
    return {m_text.size(), 0, put, 0};
  }

  std::string_view m_text;
  std::string_view m_lane;
  std::string m_newline;
  std::string m_assignment;
};

Error by_hand(std::size_t line, std::string_view lane, std::string_view model, std::string_view why) {
  const std::string place = line > 0 ? std::string(k_file_name) + ":" + std::to_string(line) : std::string(k_file_name);
  return fail(ErrorKind::conflict, place + ": this cannot be edited safely; change it by hand so that lane." +
                                       toml_key(lane) + ".model is " + toml_quoted(model) + " (" + std::string(why) +
                                       ")");
}

}  // namespace

Result<std::string> with_lane_model(std::string_view text, std::string_view lane, std::string_view model) {
  auto wanted = parse_settings(text, k_file_name);
  if (!wanted) return wanted.error();
  const auto root = read_toml(text, k_file_name);
  if (!root) return root.error();

  const Edit edit = LaneEdit(text, lane, model).plan(*root);
  std::string edited(text);
  edited.replace(edit.at, edit.length, edit.put);

  const auto read_again = read_toml(edited, k_file_name);
  if (!read_again) return by_hand(edit.line, lane, model, "the edited text is no TOML");
  const auto settings = parse_settings(edited, k_file_name);
  if (!settings) return settings.error();  // the lane or the model does not exist
  // Nothing but the one model may have changed.
  const auto now = settings->lanes.find(std::string(lane));
  if (now == settings->lanes.end()) return by_hand(edit.line, lane, model, "the lane would not be set");
  Lane& before = wanted->lanes.try_emplace(std::string(lane), now->second).first->second;
  before.model = model;
  if (to_toml(*wanted) != to_toml(*settings))
    return by_hand(edit.line, lane, model, "more than the model would change");
  return edited;
}

}  // namespace nemo::config
