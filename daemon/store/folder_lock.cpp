#include "daemon/store/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "shared/log.h"

namespace nemo::store {

Result<FolderLock> FolderLock::take(const std::filesystem::path& folder) {
  const auto path = folder / "nemo.lock";
  FileDescriptor file(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, k_private_file));
  if (!file.valid())
    return fail(ErrorKind::storage, "cannot open " + path.string() + ": " +
                                        std::error_code(errno, std::generic_category()).message() +
                                        ". Check that the user of nemod owns it and may write there.");
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return FolderLock(std::move(file));
  if (errno == EWOULDBLOCK)
    return fail(ErrorKind::storage,
                "another nemod uses " + folder.string() + ". Stop it first, or name another folder (--data-dir).");
  log::warn("cannot lock " + path.string() + ": " + std::error_code(errno, std::generic_category()).message() +
            ". Make sure that only one nemod uses the folder.");
  return FolderLock(std::move(file));
}

}  // namespace nemo::store
