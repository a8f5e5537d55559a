// How deep a TOML text is nested, found without recursion: the parser behind read_toml recurses, so what it is given
// must be shallow.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace nemo::config {

// The first line with more than 16 open brackets or more than 16 dots in one key; nothing: the text is shallow.
std::optional<std::size_t> line_nested_too_deep(std::string_view text);

}  // namespace nemo::config
