// Text on a terminal: how wide it is, how it is cut, and that it cannot give the terminal orders.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace nemo::cli::output {

// What the daemon passes on may come from strangers (a model's name, a user agent): control characters, escape
// sequences among them, become "·", and bytes that are not UTF-8 become "�".
std::string printable(std::string_view text);

// Columns that printable text takes; wide characters count as two, combining ones as none.
std::size_t width_of(std::string_view text);

std::string join(const std::vector<std::string>& words, std::string_view separator);

// At most `width` columns; what was cut is shown by an ending "…".
std::string cut_to(std::string_view text, std::size_t width);

enum class Align { left, right };
// Filled with spaces to `width` columns; longer text stays as it is.
std::string pad_to(std::string_view text, std::size_t width, Align align);

}  // namespace nemo::cli::output
