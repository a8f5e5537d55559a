// Files of NAME=value lines, as Gemini CLI and Qwen Code read them (the dotenv package's format): `export` and quotes
// are allowed, the last line with a name counts.
#pragma once

#include "cli/editors/format_engine.h"

namespace nemo::cli::editors {

extern const FormatEngine k_dotenv_engine;

}  // namespace nemo::cli::editors
