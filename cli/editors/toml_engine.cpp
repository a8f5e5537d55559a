#include "cli/editors/toml_engine.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "cli/editors/text_layout.h"
#include "cli/editors/toml_lines.h"
#include "cli/editors/toml_values.h"

namespace nemo::cli::editors {
namespace {

using admin::Json;
using Kind = TomlStatement::Kind;

struct Document {
  std::vector<TomlStatement> statements;
  Json values;
};

Result<Document> read(std::string_view text) {
  auto statements = read_toml_lines(text);
  if (!statements) return statements.error();
  auto values = read_toml_values(text);
  if (!values) return values.error();
  return Document{std::move(statements).value(), std::move(values).value()};
}

const TomlStatement* find_pair(const Document& document, const Path& path) {
  for (const TomlStatement& each : document.statements) {
    if (each.kind == Kind::pair && each.name == path) return &each;
  }
  return nullptr;
}

const TomlStatement* find_table(const Document& document, const Path& table) {
  for (const TomlStatement& each : document.statements) {
    if (each.kind == Kind::table && each.name == table) return &each;
  }
  return nullptr;
}

std::size_t depth_of(const Json& values, const Path& path) {
  const Json* at = &values;
  std::size_t depth = 0;
  for (const std::string& name : path) {
    if (!at->is_object() || !at->contains(name)) break;
    at = &(*at)[name];
    ++depth;
  }
  return depth;
}

void set(Json& values, const Path& path, const Json& value) {
  Json* at = &values;
  for (const std::string& name : path) at = &(*at)[name];
  *at = value;
}

Error odd_shape(const Path& path) {
  std::string name;
  for (const std::string& each : path) name += (name.empty() ? "" : ".") + each;
  return fail(ErrorKind::invalid_config, name + " is written in a shape that cannot be edited safely");
}

std::string key_of(const std::string& name) {
  const bool is_bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
  return is_bare ? name : Json(name).dump();
}

std::string header_of(const Path& table) {
  std::string header;
  for (const std::string& name : table) header += (header.empty() ? "" : ".") + key_of(name);
  return "[" + header + "]";
}

Result<std::optional<std::string>> find(std::string_view text, const Path& path) {
  const auto document = read(text);
  if (!document) return document.error();
  if (depth_of(document->values, path) < path.size()) return std::optional<std::string>();
  const TomlStatement* pair = find_pair(*document, path);
  if (pair == nullptr) return odd_shape(path);
  return std::optional<std::string>(text.substr(pair->value_begin, pair->value_end - pair->value_begin));
}

Result<std::size_t> depth(std::string_view text, const Path& path) {
  const auto document = read(text);
  if (!document) return document.error();
  return depth_of(document->values, path);
}

// A line for the pair, among those of its table or with a table of its own at the end.
std::string insert(std::string_view text, const Document& document, const Path& path, const std::string& value) {
  const std::string newline = newline_of(text);
  const Path table(path.begin(), path.end() - 1);
  const std::string line = key_of(path.back()) + " = " + value;
  const TomlStatement* header = table.empty() ? nullptr : find_table(document, table);
  if (header == nullptr && !table.empty()) {
    std::string out(text);
    if (!out.empty() && out.back() != '\n') out += newline;
    if (!out.empty()) out += newline;
    return out.append(header_of(table)).append(newline).append(line).append(newline);
  }
  const TomlStatement* last = header;
  const std::size_t from = header == nullptr ? 0 : static_cast<std::size_t>(header - document.statements.data()) + 1;
  for (std::size_t i = from; i < document.statements.size(); ++i) {
    if (document.statements[i].kind != Kind::pair) break;
    last = &document.statements[i];
  }
  if (last == nullptr) {
    const std::size_t at = text.substr(0, 3) == k_byte_order_mark ? 3 : 0;
    return spliced(text, {{at, at, line + newline}});
  }
  if (last->end == text.size() && text.back() != '\n') return with_last_line(text, line);
  return spliced(text, {{last->end, last->end, std::string(indentation_at(text, last->begin)) + line + newline}});
}

// The edit is what was wanted, and nothing else means something else now.
Result<std::string> checked(std::string edited, const Path& path, Json values, const Json& value) {
  const auto again = read(edited);
  if (!again) return odd_shape(path);
  set(values, path, value);
  // As maps without an order: a new table may stand elsewhere among the others.
  if (nlohmann::json(again->values) != nlohmann::json(values)) return odd_shape(path);
  return edited;
}

Result<std::string> put(std::string_view text, const Path& path, const Json& value) {
  const auto document = read(text);
  if (!document) return document.error();
  const std::size_t known = depth_of(document->values, path);
  const std::string written = value.dump();  // JSON's texts, numbers and truths are TOML's
  if (known < path.size()) {
    const Json* at = &document->values;
    for (std::size_t i = 0; i < known; ++i) at = &(*at)[path[i]];
    if (!at->is_object()) return odd_shape(path);
    return checked(insert(text, *document, path, written), path, document->values, value);
  }
  const TomlStatement* pair = find_pair(*document, path);
  if (pair == nullptr) return odd_shape(path);
  const Json* there = &document->values;
  for (const std::string& name : path) there = &(*there)[name];
  if (*there == value) return std::string(text);
  return checked(spliced(text, {{pair->value_begin, pair->value_end, written}}), path, document->values, value);
}

Result<std::string> put_back(std::string_view text, const Path& path, std::string_view written) {
  const auto document = read(text);
  if (!document) return document.error();
  const TomlStatement* pair = find_pair(*document, path);
  if (pair == nullptr) return fail(ErrorKind::not_found, "the setting is not there any more");
  std::string edited = spliced(text, {{pair->value_begin, pair->value_end, std::string(written)}});
  if (const auto again = read(edited); !again) return again.error();
  return edited;
}

// The table's header too, when the pair was its last line and the table was made for it.
Result<std::string> take_out(std::string_view text, const Path& path, std::size_t kept) {
  const auto document = read(text);
  if (!document) return document.error();
  const TomlStatement* pair = find_pair(*document, path);
  if (pair == nullptr) return std::string(text);
  std::size_t begin = pair->begin;
  const std::size_t index = static_cast<std::size_t>(pair - document->statements.data());
  const bool ends_table =
      index + 1 == document->statements.size() || document->statements[index + 1].kind != Kind::pair;
  if (kept < pair->table.size() && index > 0 && ends_table) {
    const TomlStatement& before = document->statements[index - 1];
    const bool is_alone = before.kind == Kind::table && before.name == pair->table && before.end == pair->begin;
    if (is_alone) {
      begin = before.begin;
      const std::size_t blank = begin == 0 ? 0 : line_begin(text, begin - 1);
      const std::string_view line = text.substr(blank, begin - blank);
      if (!line.empty() && line.find_first_not_of(" \t\r\n") == std::string_view::npos) begin = blank;
    }
  }
  std::string edited = without_lines(text, begin, pair->end);
  if (const auto again = read(edited); !again) return again.error();
  return edited;
}

}  // namespace

const FormatEngine k_toml_engine{find, depth, put, put_back, take_out};

}  // namespace nemo::cli::editors
