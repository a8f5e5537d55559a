// The top of a YAML text as far as settings need it: names at the margin, each with the lines under it, and lists of
// mappings that have a `name`. Everything else is refused, not guessed. Format: https://yaml.org/spec/1.2.2
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace nemo::cli::editors {

struct YamlItem {
  std::string name;  // empty: it has none
  std::size_t begin = 0;
  std::size_t end = 0;          // behind its last line that is neither blank nor a comment
  std::size_t indentation = 0;  // of its dash
};

struct YamlBlock {
  std::string key;
  std::size_t begin = 0;
  std::size_t line_end = 0;     // of the key's own line
  std::size_t end = 0;          // behind its last line that is neither blank nor a comment
  std::size_t value_begin = 0;  // on the key's own line
  std::size_t value_end = 0;    // without a comment behind it
};

// invalid_config with the line when the text is more than one mapping at the margin.
Result<std::vector<YamlBlock>> read_yaml_blocks(std::string_view text);
// The items of a block's list. Nothing when it is no list of lines with dashes.
std::optional<std::vector<YamlItem>> read_yaml_items(std::string_view text, const YamlBlock& block);

// As YAML writes it in the middle of a line: plain when nobody can take it for something else, else in double quotes.
std::string yaml_scalar(std::string_view text);
// What a scalar in that form says; nothing when it is in another.
std::optional<std::string> read_yaml_scalar(std::string_view written);

}  // namespace nemo::cli::editors
