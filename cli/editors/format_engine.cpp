#include "cli/editors/format_engine.h"

#include "cli/editors/dotenv_engine.h"
#include "cli/editors/jsonc_engine.h"
#include "cli/editors/toml_engine.h"
#include "cli/editors/yaml_engine.h"

namespace nemo::cli::editors {

const FormatEngine& engine_of(Format format) {
  switch (format) {
    case Format::jsonc:
      return k_jsonc_engine;
    case Format::toml:
      return k_toml_engine;
    case Format::yaml:
      return k_yaml_engine;
    case Format::dotenv:
      break;
  }
  return k_dotenv_engine;
}

}  // namespace nemo::cli::editors
