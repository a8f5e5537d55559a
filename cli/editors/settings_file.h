// A configuration file on disk: read with what is needed to replace it safely. Symlinks are followed, so that a file
// kept elsewhere stays where it is.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::cli::editors {

struct SettingsFile {
  std::filesystem::path path;  // the file itself, behind symlinks
  bool exists = false;
  std::string text = {};
  mode_t mode = 0600;  // of a new file: it gets a key

  bool is_open_to_others() const { return exists && (mode & 0077U) != 0; }
};

// storage: it is no file, cannot be read, or is larger than settings are.
Result<SettingsFile> load_settings(const std::filesystem::path& path);
// storage, when replace() could not work: the file or its folder cannot be written, or says that it must not be.
Status check_writable(const SettingsFile& file);
// In one step: whoever reads sees the old text or the new one. The mode stays. conflict: the file is not what was
// loaded any more; nothing was changed.
Status replace(const SettingsFile& file, std::string_view text);
// conflict as above.
Status remove(const SettingsFile& file);
// Where a copy of the file lies that is what it is now: FILE.nemo-backup, or the next free name when that one holds an
// older text. Made if it is not there.
Result<std::filesystem::path> make_backup(const SettingsFile& file);

}  // namespace nemo::cli::editors
