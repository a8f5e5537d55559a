#include "cli/editors/dotenv_engine.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "cli/editors/text_layout.h"

namespace nemo::cli::editors {
namespace {

using admin::Json;

struct Assignment {
  std::string_view name;
  std::size_t value_begin = 0;
  std::size_t value_end = 0;
  std::size_t line = 0;      // where it begins
  std::size_t line_end = 0;  // where the next line begins; a quoted value may take several
};

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(" \t", at), text.size());
}

std::size_t end_of_value(std::string_view text, std::size_t begin) {
  constexpr std::string_view k_quotes = "\"'`";
  if (begin < text.size() && k_quotes.find(text[begin]) != std::string_view::npos) {
    std::size_t at = begin + 1;
    while (at < text.size() && text[at] != text[begin]) at += text[at] == '\\' ? 2 : 1;
    if (at < text.size()) return at + 1;
  }
  std::size_t end = std::min(text.find('\n', begin), text.size());
  for (std::size_t at = begin; at < end; ++at) {
    if (text[at] == '#' && (at == begin || text[at - 1] == ' ' || text[at - 1] == '\t')) end = at;
  }
  while (end > begin && std::isspace(static_cast<unsigned char>(text[end - 1])) != 0) --end;
  return end;
}

std::optional<Assignment> read_line(std::string_view text, std::size_t line) {
  constexpr std::string_view k_export = "export ";
  std::size_t at = skip_blanks(text, line);
  if (text.substr(at, k_export.size()) == k_export) at = skip_blanks(text, at + k_export.size());
  const std::size_t name = at;
  while (at < text.size() && is_name_char(text[at])) ++at;
  if (at == name) return std::nullopt;
  Assignment found{text.substr(name, at - name), 0, 0, line, 0};
  at = skip_blanks(text, at);
  if (at >= text.size() || text[at] != '=') return std::nullopt;
  found.value_begin = skip_blanks(text, at + 1);
  found.value_end = end_of_value(text, found.value_begin);
  found.line_end = line_end(text, found.value_end);
  return found;
}

std::optional<Assignment> find_last(std::string_view text, std::string_view name) {
  std::optional<Assignment> found;
  for (std::size_t line = 0; line < text.size();) {
    const auto assignment = read_line(text, line);
    if (assignment && assignment->name == name) found = assignment;
    line = assignment ? assignment->line_end : line_end(text, line);
  }
  return found;
}

Status check(std::string_view text, const Path& path) {
  if (text.size() > k_largest_file) return fail(ErrorKind::invalid_config, "the file is larger than 4 MiB");
  if (text.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::invalid_config, "the file is not a text of NAME=value lines");
  }
  if (path.size() != 1) return fail(ErrorKind::internal, "a variable has one name");
  return Done{};
}

// Plain when no reader can take it for something else.
std::string rendered(const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  constexpr std::string_view k_plain = "-_./:@%+=,";
  const bool is_plain = !text.empty() && std::all_of(text.begin(), text.end(), [k_plain](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || k_plain.find(c) != std::string_view::npos;
  });
  return is_plain ? text : Json(text).dump();
}

Result<std::optional<std::string>> find(std::string_view text, const Path& path) {
  if (const auto fit = check(text, path); !fit) return fit.error();
  const auto found = find_last(text, path.front());
  if (!found) return std::optional<std::string>();
  return std::optional<std::string>(text.substr(found->value_begin, found->value_end - found->value_begin));
}

Result<std::size_t> depth(std::string_view text, const Path& path) {
  const auto found = find(text, path);
  if (!found) return found.error();
  return std::size_t{*found ? 1U : 0U};
}

Result<std::string> put_back(std::string_view text, const Path& path, std::string_view written) {
  if (const auto fit = check(text, path); !fit) return fit.error();
  const auto found = find_last(text, path.front());
  if (!found) return fail(ErrorKind::not_found, "the variable is not there any more");
  return spliced(text, {{found->value_begin, found->value_end, std::string(written)}});
}

Result<std::string> put(std::string_view text, const Path& path, const Json& value) {
  if (const auto fit = check(text, path); !fit) return fit.error();
  const std::string wanted = rendered(value);
  std::string edited =
      find_last(text, path.front()) ? *put_back(text, path, wanted) : with_last_line(text, path.front() + "=" + wanted);
  const auto again = find(edited, path);
  if (again && *again && **again == wanted) return edited;
  return fail(ErrorKind::invalid_config, "a quote that does not end hides the lines behind it");
}

Result<std::string> take_out(std::string_view text, const Path& path, std::size_t /*kept*/) {
  if (const auto fit = check(text, path); !fit) return fit.error();
  const auto found = find_last(text, path.front());
  if (!found) return std::string(text);
  return without_lines(text, found->line, found->line_end);
}

}  // namespace

const FormatEngine k_dotenv_engine{find, depth, put, put_back, take_out};

}  // namespace nemo::cli::editors
