// A client's settings put into a text, and taken out of it again. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/editors/client.h"
#include "cli/editors/connection.h"
#include "shared/result.h"

namespace nemo::cli::editors {

struct EditedText {
  std::string text;
  std::vector<WrittenSetting> settings;  // what was there before, in the order in which they were put in
};

// What a new file begins with, when the text is empty. Errors name `edit.file`.
Result<EditedText> put_settings(std::string_view text, const FileEdit& edit);
// The last one first. A setting that is gone is left alone.
Result<std::string> take_settings_out(std::string_view text, Format format,
                                      const std::vector<WrittenSetting>& settings);
// The first key of Nemo in the places of the edit; empty: none, or the file cannot be read that far.
std::string find_key(std::string_view text, const FileEdit& edit);
// The first "sk-nemo-…" of a text.
std::string find_key_in(std::string_view text);

// Where a client points.
enum class Standing : std::uint8_t { here, nowhere, elsewhere, unknown };
std::string_view to_string(Standing standing);  // "yes", "no", "elsewhere", "unknown"

// invalid_config: the file is malformed.
Result<Standing> standing_of(std::string_view text, const FileEdit& edit, std::string_view daemon_url);
// A text that holds a URL somewhere.
Standing standing_of_url(std::string_view text, std::string_view daemon_url);
// For a client without a file to edit: by its variable and a person's own configuration.
Standing standing_by_sources(const Client& client, const Places& places, std::string_view daemon_url);

}  // namespace nemo::cli::editors
