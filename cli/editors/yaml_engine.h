// Settings in YAML, as Continue and aider have them: a scalar at the margin ({key}), or an item of a list ({key,
// name}).
#pragma once

#include "cli/editors/format_engine.h"

namespace nemo::cli::editors {

extern const FormatEngine k_yaml_engine;

}  // namespace nemo::cli::editors
