#include "daemon/config/table_reader.h"

#include "daemon/config/parse_settings.h"
#include "daemon/config/written_forms.h"
#include "shared/resemblance.h"

namespace nemo::config {
std::string shown(std::string_view name) {
  constexpr std::size_t k_shown = 80;  // bytes: the rest would only hide the message
  std::size_t end = std::min(name.size(), k_shown);
  const auto inside_a_character = [&](std::size_t at) {
    return at < name.size() && (static_cast<unsigned char>(name[at]) & 0xC0U) == 0x80U;
  };
  while (end > 0 && inside_a_character(end)) --end;
  return toml_quoted(name.substr(0, end));
}

std::string did_you_mean(std::string_view given, const std::vector<std::string>& names) {
  int best = 0;
  const std::string* nearest = nullptr;
  for (const std::string& name : names) {
    const int score = resemblance(given, name);
    if (score > best) {
      best = score;
      nearest = &name;
    }
  }
  return nearest == nullptr ? "" : "; did you mean " + toml_quoted(*nearest) + "?";
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += toml_quoted(names[i]);
  }
  return text;
}

TableReader::TableReader(FirstProblem& problem, const TomlValue& table, std::string what,
                         std::initializer_list<std::string_view> known)
    : m_problem(problem), m_table(table), m_what(std::move(what)) {
  if (table.kind != TomlValue::Kind::table) {
    m_problem.report(table.begin, m_what + " must be a table, not " + std::string(to_string(table.kind)));
    return;
  }
  const std::vector<std::string> names(known.begin(), known.end());
  for (const TomlValue& member : table.children) {
    if (std::find(names.begin(), names.end(), member.key) != names.end()) continue;
    std::string hint = did_you_mean(member.key, names);
    if (hint.empty()) hint = "; known are " + listed(names);
    m_problem.report(member.key_at, "unknown key " + shown(member.key) + " in " + m_what + hint);
  }
}

Place TableReader::place_of(std::string_view key) const {
  const TomlValue* value = find(key);
  return value == nullptr ? m_table.begin : value->begin;
}

void TableReader::report(std::string_view key, std::string_view reason) const {
  m_problem.report(place_of(key), std::string(key) + " in " + m_what + ": " + std::string(reason));
}

void TableReader::require(std::string_view key, std::string_view example) const {
  if (find(key) != nullptr) return;
  m_problem.report(m_table.begin, m_what + " has no " + std::string(key) + "; write " + std::string(example));
}

const TomlValue* TableReader::expect(std::string_view key, TomlValue::Kind kind) const {
  const TomlValue* value = find(key);
  if (value == nullptr || value->kind == kind) return value;
  report(key, std::string(to_string(kind)) + " is expected, not " + std::string(to_string(value->kind)));
  return nullptr;
}

void TableReader::text(std::string_view key, std::string& target) const {
  const TomlValue* value = expect(key, TomlValue::Kind::text);
  if (value == nullptr) return;
  if (value->text.empty()) {
    report(key, "a text that is not empty is expected");
    return;
  }
  target = value->text;
}

void TableReader::truth(std::string_view key, bool& target) const {
  if (const TomlValue* value = expect(key, TomlValue::Kind::truth)) target = value->truth;
}

void TableReader::duration(std::string_view key, Millis least, Millis& target) const {
  Millis read = target;
  parsed(key, parse_duration, read);
  if (find(key) != nullptr && read < least) {
    report(key, "a duration of at least " + to_text(least) + " is expected");
    return;
  }
  target = read;
}

void TableReader::texts(std::string_view key, std::vector<std::string>& target) const {
  const TomlValue* value = expect(key, TomlValue::Kind::list);
  if (value == nullptr) return;
  std::vector<std::string> read;
  for (const TomlValue& item : value->children) {
    if (item.kind != TomlValue::Kind::text || item.text.empty()) {
      m_problem.report(item.begin, std::string(key) + " in " + m_what + ": a list of texts is expected, none empty");
      return;
    }
    read.push_back(item.text);
  }
  target = std::move(read);
}

void TableReader::word(std::string_view key, std::initializer_list<std::string_view> words, std::string& target) const {
  const TomlValue* value = expect(key, TomlValue::Kind::text);
  if (value == nullptr) return;
  if (std::find(words.begin(), words.end(), value->text) == words.end()) {
    report_choice(key, value->text, {words.begin(), words.end()});
    return;
  }
  target = value->text;
}

std::optional<std::int64_t> TableReader::bounded(std::string_view key, std::int64_t least, std::int64_t most) const {
  const TomlValue* value = expect(key, TomlValue::Kind::integer);
  if (value == nullptr) return std::nullopt;
  if (value->integer >= least && value->integer <= most) return value->integer;
  report(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most) + " is expected");
  return std::nullopt;
}

void TableReader::report_choice(std::string_view key, std::string_view given,
                                const std::vector<std::string>& words) const {
  report(key, shown(given) + " is not one of its values; write " + listed(words));
}

}  // namespace nemo::config
