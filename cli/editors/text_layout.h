// How a text is laid out: line ends, lines, small replacements. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nemo::cli::editors {

// What some editors on Windows begin a file with (UTF-8).
inline constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

// The line end of the text's first line; "\n" when it has none.
std::string newline_of(std::string_view text);
// Counted from 1.
std::size_t line_at(std::string_view text, std::size_t position);
// Where the line that holds `position` begins.
std::size_t line_begin(std::string_view text, std::size_t position);
// Where the next line begins, or the text's end.
std::size_t line_end(std::string_view text, std::size_t position);
// The blanks that the line of `position` begins with.
std::string_view indentation_at(std::string_view text, std::size_t position);
// Every "\n" as the given line end.
std::string with_newlines(std::string_view text, std::string_view newline);
// With `line` as a last line of its own. Without a line end after it when the text has none at its end either.
std::string with_last_line(std::string_view text, std::string_view line);
// Without the whole lines from `begin` to `end`. When they reach a text's end that has no line end, the one before them
// goes.
std::string without_lines(std::string_view text, std::size_t begin, std::size_t end);

// A replacement of text[begin, end).
struct Splice {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text = {};
};
// The splices do not overlap and are in order.
std::string spliced(std::string_view text, const std::vector<Splice>& splices);

}  // namespace nemo::cli::editors
