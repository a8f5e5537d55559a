#include "cli/editors/settings_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "cli/editors/setting.h"
#include "shared/file_descriptor.h"

namespace nemo::cli::editors {
namespace {

namespace fs = std::filesystem;

constexpr int k_most_links = 16;
constexpr int k_most_backups = 20;

Error trouble(const std::string& what, const fs::path& path) {
  return fail(ErrorKind::storage, what + " " + path.string() + ": " + std::generic_category().message(errno));
}

// A link may lead to a file that is not there yet, so the system's own resolution does not do.
fs::path behind_links(fs::path path) {
  std::error_code error;
  for (int i = 0; i < k_most_links && fs::is_symlink(path, error); ++i) {
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return path;
}

// False: it could not all be read, errno says why.
bool read_all(int fd, std::string& into) {
  std::array<char, 65536> chunk{};
  while (into.size() <= k_largest_file) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    into.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return true;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Status write_new(const fs::path& path, std::string_view text, mode_t mode) {
  const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (fd.get() < 0) return trouble("cannot write", path);
  if (write_all(fd.get(), text) && ::fchmod(fd.get(), mode) == 0 && ::fsync(fd.get()) == 0) return Done{};
  const Error error = trouble("cannot write", path);
  ::unlink(path.c_str());
  return error;
}

Status check_unchanged(const SettingsFile& file) {
  const auto now = load_settings(file.path);
  if (!now) return now.error();
  if (now->exists == file.exists && now->text == file.text) return Done{};
  return fail(ErrorKind::conflict,
              file.path.string() + " was changed by another program meanwhile; nothing was written");
}

}  // namespace

Result<SettingsFile> load_settings(const fs::path& path) {
  SettingsFile file{behind_links(path)};
  const FileDescriptor fd(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) {
    if (errno == ENOENT) return file;
    return trouble("cannot read", file.path);
  }
  struct stat facts {};
  if (::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return fail(ErrorKind::storage, file.path.string() + " is not a file");
  }
  file.exists = true;
  file.mode = facts.st_mode & 07777U;
  if (!read_all(fd.get(), file.text)) return trouble("cannot read", file.path);
  if (file.text.size() > k_largest_file) {
    return fail(ErrorKind::storage, file.path.string() + " is larger than 4 MiB, which settings are not");
  }
  return file;
}

Status check_writable(const SettingsFile& file) {
  if (file.exists && ((file.mode & 0200U) == 0 || ::access(file.path.c_str(), W_OK) != 0)) {
    return fail(ErrorKind::storage, file.path.string() + " is read-only; nothing was written. To allow it: chmod u+w " +
                                        file.path.string());
  }
  fs::path folder = file.path.parent_path();
  std::error_code ignored;
  while (!folder.empty() && !fs::exists(folder, ignored) && folder != folder.parent_path())
    folder = folder.parent_path();
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return trouble("cannot write in", folder);
  return Done{};
}

Status replace(const SettingsFile& file, std::string_view text) {
  if (Status writable = check_writable(file); !writable) return writable;
  std::error_code error;
  fs::create_directories(file.path.parent_path(), error);
  if (error)
    return fail(ErrorKind::storage, "cannot make " + file.path.parent_path().string() + ": " + error.message());
  const fs::path fresh = file.path.string() + ".nemo-" + std::to_string(::getpid());
  if (Status written = write_new(fresh, text, file.mode); !written) return written;
  Status outcome = check_unchanged(file);
  if (outcome && ::rename(fresh.c_str(), file.path.c_str()) != 0) outcome = trouble("cannot replace", file.path);
  if (!outcome) ::unlink(fresh.c_str());
  return outcome;
}

Status remove(const SettingsFile& file) {
  if (Status unchanged = check_unchanged(file); !unchanged) return unchanged;
  if (file.exists && ::unlink(file.path.c_str()) != 0) return trouble("cannot remove", file.path);
  return Done{};
}

Result<fs::path> make_backup(const SettingsFile& file) {
  for (int i = 1; i <= k_most_backups; ++i) {
    const fs::path path = file.path.string() + ".nemo-backup" + (i == 1 ? "" : "-" + std::to_string(i));
    const auto there = load_settings(path);
    if (!there) return there.error();
    if (there->exists && there->text == file.text) return path;
    if (there->exists) continue;
    if (const auto made = write_new(path, file.text, file.mode); !made) return made.error();
    return path;
  }
  return fail(ErrorKind::storage, "there are too many backups beside " + file.path.string() + "; remove some");
}

}  // namespace nemo::cli::editors
