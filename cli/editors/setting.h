// What an editor's configuration file is made of, as far as a connection needs it: a place and the value there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::cli::editors {

enum class Format : std::uint8_t { jsonc, toml, yaml, dotenv };

// Names from the top of the file to the value. YAML: the last of two names is the `name` of an item of a list. dotenv:
// one name.
using Path = std::vector<std::string>;

// A file that is larger is not a person's settings.
constexpr std::size_t k_largest_file = std::size_t{4} << 20U;

}  // namespace nemo::cli::editors
