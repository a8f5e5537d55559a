// Settings in TOML, as Codex has them.
#pragma once

#include "cli/editors/format_engine.h"

namespace nemo::cli::editors {

extern const FormatEngine k_toml_engine;

}  // namespace nemo::cli::editors
