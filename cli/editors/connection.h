// What was written for a client, so that it can be taken back: one small file each in Nemo's data folder, for its owner
// only, because it holds what stood there before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/editors/setting.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo::cli::editors {

struct WrittenSetting {
  Path path;
  std::optional<std::string> before;  // as it was written; nothing: it was not there
  std::size_t kept = 0;               // how many names of the path were there
};

struct Connection {
  std::string client;
  std::string key_id;
  std::string key_hint;
  std::string file;       // behind symlinks; empty: nothing was written to one
  bool created = false;   // the file was not there before
  std::string backup;     // of the file as it was; empty: none
  bool is_whole = true;   // the backup and our settings make the file: nobody else changed it since
  std::string text_mark;  // of the text as we left it
  std::vector<WrittenSetting> settings;
};

// A short mark of a text, to see whether it is still the same. No protection against forgers, and none is needed.
std::string mark_of(std::string_view text);

// Nothing: the client was not connected. storage: the record cannot be read or makes no sense.
Result<std::optional<Connection>> load_connection(const Environment& env, std::string_view client);
Status save_connection(const Environment& env, const Connection& connection);
Status forget_connection(const Environment& env, std::string_view client);

}  // namespace nemo::cli::editors
