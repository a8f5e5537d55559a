// The statements of a TOML text (https://toml.io/en/v1.0.0) and where they stand. It knows where a value ends, not what
// it means: that is the library's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/editors/setting.h"
#include "shared/result.h"

namespace nemo::cli::editors {

struct TomlStatement {
  enum class Kind : std::uint8_t { table, list_item, pair };  // [a], [[a]], a = 1
  Kind kind = Kind::pair;
  Path name;              // a pair's with its table's before it
  Path table;             // a pair's table
  std::size_t begin = 0;  // of its first line
  std::size_t end = 0;    // where the line after it begins
  std::size_t value_begin = 0;
  std::size_t value_end = 0;
};

// invalid_config with the line, also for keys of more than 16 names and values nested more than 16 deep: the library
// recurses into both.
Result<std::vector<TomlStatement>> read_toml_lines(std::string_view text);

}  // namespace nemo::cli::editors
