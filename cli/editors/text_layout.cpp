#include "cli/editors/text_layout.h"

#include <algorithm>

namespace nemo::cli::editors {

std::string newline_of(std::string_view text) {
  const std::size_t at = text.find('\n');
  return at != std::string_view::npos && at > 0 && text[at - 1] == '\r' ? "\r\n" : "\n";
}

std::size_t line_at(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, position);
  return static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) + 1;
}

std::size_t line_begin(std::string_view text, std::size_t position) {
  if (position == 0) return 0;
  const std::size_t at = text.rfind('\n', position - 1);
  return at == std::string_view::npos ? 0 : at + 1;
}

std::size_t line_end(std::string_view text, std::size_t position) {
  const std::size_t at = text.find('\n', position);
  return at == std::string_view::npos ? text.size() : at + 1;
}

std::string_view indentation_at(std::string_view text, std::size_t position) {
  const std::string_view line = text.substr(line_begin(text, position));
  return line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
}

std::string with_newlines(std::string_view text, std::string_view newline) {
  std::string out;
  for (const char c : text) c == '\n' ? out.append(newline) : out.append(1, c);
  return out;
}

std::string with_last_line(std::string_view text, std::string_view line) {
  const std::string newline = newline_of(text);
  const bool is_open = !text.empty() && text.back() != '\n';
  std::string out(text);
  if (is_open) out += newline;
  out += line;
  if (!is_open) out += newline;
  return out;
}

std::string without_lines(std::string_view text, std::size_t begin, std::size_t end) {
  const bool is_open = end == text.size() && end > 0 && text[end - 1] != '\n';
  if (is_open && begin > 0) {
    --begin;
    if (begin > 0 && text[begin - 1] == '\r') --begin;
  }
  return std::string(text.substr(0, begin)).append(text.substr(end));
}

std::string spliced(std::string_view text, const std::vector<Splice>& splices) {
  std::string out;
  std::size_t at = 0;
  for (const Splice& splice : splices) {
    out.append(text.substr(at, splice.begin - at)).append(splice.text);
    at = splice.end;
  }
  return out.append(text.substr(at));
}

}  // namespace nemo::cli::editors
