// The text of nemo.toml -> Settings. Pure: reads no file. An error names the line and says what is expected.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "daemon/config/settings.h"
#include "shared/result.h"

namespace nemo::config {

// Whether there is a file of that path.
using FileExists = std::function<bool(const std::string& path)>;

// `file_name` is only used in messages: "nemo.toml:12: …". Unknown keys are refused, with the nearest known one; so is
// a credentials file that is not there, when `exists` is given to ask.
Result<Settings> parse_settings(std::string_view text, std::string_view file_name, const FileExists& exists = {});

// What `nemod --listen` gives: sets listen_host (without brackets) and listen_port. Refuses what is no HOST:PORT, and
// an address that other machines reach unless the settings allow that. Port 0 is any free port.
Status set_listen(Settings& settings, std::string_view text);

// The settings as TOML text with every default filled in (`nemo config show`). Holds no secret, only references.
std::string to_toml(const Settings& settings);

// "2s", "150ms", "5m", "1h"
Result<Millis> parse_duration(std::string_view text);

}  // namespace nemo::config
