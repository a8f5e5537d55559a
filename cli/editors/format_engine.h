// Owns: changing one value of a configuration file and nothing else of it. Must not know: editors, files on disk.
//
// Every engine works on positions in the text: comments, order, indentation and line ends stay. A text that is not
// understood is refused, and each result has been read again before it is given out.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "cli/editors/setting.h"
#include "shared/result.h"

namespace nemo::cli::editors {

// All functions: invalid_config when the text is malformed or has a shape that cannot be edited; the message names the
// line. Any thread.
struct FormatEngine {
  // What is written at the place, byte for byte. Nothing: there is no such place.
  Result<std::optional<std::string>> (*find)(std::string_view text, const Path& path);
  // How many names of the path, from the first, are in the file.
  Result<std::size_t> (*depth)(std::string_view text, const Path& path);
  // The text with the value there. The same text when it is there already.
  Result<std::string> (*put)(std::string_view text, const Path& path, const admin::Json& value);
  // The text with what find() once gave in place of what is there now.
  Result<std::string> (*put_back)(std::string_view text, const Path& path, std::string_view written);
  // The text without that value, and without what is left empty around it below the first `kept` names.
  Result<std::string> (*take_out)(std::string_view text, const Path& path, std::size_t kept);
};

const FormatEngine& engine_of(Format format);

}  // namespace nemo::cli::editors
