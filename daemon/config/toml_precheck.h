// What is looked at before a text is given to the TOML library, which recurses into what is nested. Found without
// recursion.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace nemo::config {

struct TomlFlaw {
  std::size_t line = 0;
  std::string_view reason;
};

// The first line with more than 16 open brackets or more than 16 dots in one key. Nothing: the text may be parsed.
std::optional<TomlFlaw> find_flaw(std::string_view text);

}  // namespace nemo::config
