// Settings in JSON with comments.
#pragma once

#include "cli/editors/format_engine.h"

namespace nemo::cli::editors {

extern const FormatEngine k_jsonc_engine;

}  // namespace nemo::cli::editors
