// What is looked at before a text is given to the TOML library, which recurses into what is nested and does not stand
// every character outside of ASCII. Found without recursion.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace nemo::config {

struct TomlFlaw {
  std::size_t line = 0;
  std::string_view reason;
};

// The first line with more than 16 open brackets, more than 16 dots in one key, or a character outside of ASCII that
// stands neither in a string nor in a comment (TOML 1.0 has none there) or behind a backslash and white space in
// """…""" (TOML 1.0 allows it, the library does not stand it). Nothing: the text may be parsed.
std::optional<TomlFlaw> find_flaw(std::string_view text);

}  // namespace nemo::config
