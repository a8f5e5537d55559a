// One store a data folder: a second one would take the first one's journal and leases for those of a crash.
#pragma once

#include <filesystem>
#include <utility>

#include "shared/file_descriptor.h"
#include "shared/result.h"

namespace nemo::store {

// Held until it goes, or the process does. The file nemo.lock (0600) stays; it says nothing by being there.
class FolderLock {
 public:
  // storage: another store has it, in this process or in another.
  static Result<FolderLock> take(const std::filesystem::path& folder);

 private:
  explicit FolderLock(FileDescriptor file) : m_file(std::move(file)) {}
  FileDescriptor m_file;
};

}  // namespace nemo::store
