// What a TOML text means, read by the TOML library.
#pragma once

#include <string_view>

#include "shared/admin/json.h"
#include "shared/result.h"

namespace nemo::cli::editors {

// Tables as objects, sorted by name; dates as their text. invalid_config names the line. The text has passed
// read_toml_lines before, which bounds how deep it is nested.
Result<admin::Json> read_toml_values(std::string_view text);

}  // namespace nemo::cli::editors
