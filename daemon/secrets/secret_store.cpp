#include "daemon/secrets/secret_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace nemo::secrets {
namespace {

namespace fs = std::filesystem;

constexpr mode_t k_private_folder = 0700;
constexpr mode_t k_private_file = 0600;
constexpr std::size_t k_longest_name = 64;
// A key has some hundred bytes, a service account's JSON some thousand; more is a path that means something else.
constexpr std::size_t k_largest_secret = std::size_t{64} * 1024;

class File {
 public:
  explicit File(int descriptor) : m_descriptor(descriptor) {}
  ~File() {
    if (m_descriptor >= 0) ::close(m_descriptor);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool open() const { return m_descriptor >= 0; }
  int descriptor() const { return m_descriptor; }

 private:
  int m_descriptor;
};

Error system_error(const std::string& doing, int code) {
  return fail(ErrorKind::storage, "cannot " + doing + ": " + std::generic_category().message(code));
}

Status check_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  const bool good = !name.empty() && name.size() <= k_longest_name && name != "." && name != ".." &&
                    std::all_of(name.begin(), name.end(), allowed);
  if (good) return Done{};
  return fail(ErrorKind::invalid_request,
              "\"" + name + "\" is not a name for a secret: 1 to 64 of a-z, 0-9, dot, dash and underscore");
}

Status create_folder(const fs::path& folder) {
  std::error_code reason;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), reason);
  if (reason) return system_error("create " + folder.parent_path().string(), reason.value());
  if (::mkdir(folder.c_str(), k_private_folder) != 0 && errno != EEXIST)
    return system_error("create " + folder.string(), errno);
  if (!fs::is_directory(folder, reason)) return system_error("use " + folder.string() + " as a folder", ENOTDIR);
  // The umask may have taken too much away, and a folder that was there may be open to others.
  if (::chmod(folder.c_str(), k_private_folder) != 0) return system_error("protect " + folder.string(), errno);
  return Done{};
}

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Best effort: without it a crash of the machine may bring the old name back, never half a file.
void sync_folder(const fs::path& folder) {
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.open()) ::fsync(file.descriptor());
}

Result<Secret> read_secret(const fs::path& path, int descriptor) {
  std::string buffer(k_largest_secret + 1, '\0');
  std::size_t size = 0;
  while (size < buffer.size()) {
    const ssize_t got = ::read(descriptor, buffer.data() + size, buffer.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read " + path.string(), errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  const Secret wiped_at_the_end(std::move(buffer));
  if (size > k_largest_secret)
    return fail(ErrorKind::storage, path.string() + " is larger than 64 KiB: that is no secret");
  return Secret(std::string(wiped_at_the_end.expose().substr(0, size)));
}

Status write_secret(const fs::path& folder, const std::string& name, const Secret& secret) {
  // "~" is in no name of a secret, so the two cannot meet.
  std::string temporary = (folder / ("~" + name + ".XXXXXX")).string();
  const File file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.open()) return system_error("create a file in " + folder.string(), errno);
  const fs::path target = folder / name;
  if (::fchmod(file.descriptor(), k_private_file) == 0 && write_all(file.descriptor(), secret.expose()) &&
      ::fsync(file.descriptor()) == 0 && ::rename(temporary.c_str(), target.c_str()) == 0) {
    sync_folder(folder);
    return Done{};
  }
  const int code = errno;
  ::unlink(temporary.c_str());
  return system_error("write " + target.string(), code);
}

}  // namespace

SecretStore::SecretStore(fs::path folder)
    : m_folder(folder.has_filename() || !folder.has_parent_path() ? std::move(folder) : folder.parent_path()) {}

Result<std::optional<Secret>> SecretStore::load(const std::string& name) const {
  if (Status good = check_name(name); !good.ok()) return good.error();
  const fs::path path = m_folder / name;
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open() && errno == ENOENT) return std::optional<Secret>();
  if (!file.open()) return system_error("open " + path.string(), errno);
  Result<Secret> secret = read_secret(path, file.descriptor());
  if (!secret.ok()) return secret.error();
  return std::optional<Secret>(std::move(*secret));
}

Status SecretStore::save(const std::string& name, const Secret& secret) {
  if (Status good = check_name(name); !good.ok()) return good;
  if (secret.expose().size() > k_largest_secret) return fail(ErrorKind::invalid_request, "a secret has at most 64 KiB");
  if (Status created = create_folder(m_folder); !created.ok()) return created;
  return write_secret(m_folder, name, secret);
}

Status SecretStore::remove(const std::string& name) {
  if (Status good = check_name(name); !good.ok()) return good;
  const fs::path path = m_folder / name;
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error("remove " + path.string(), errno);
  sync_folder(m_folder);
  return Done{};
}

Result<Secret> load_secret_file(const fs::path& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return system_error("open " + path.string(), errno);
  Result<Secret> whole = read_secret(path, file.descriptor());
  if (!whole.ok()) return whole;
  const std::string_view text = whole->expose();
  const auto last = text.find_last_not_of(" \t\r\n\v\f");
  if (last == std::string_view::npos) return fail(ErrorKind::storage, path.string() + " holds no secret: it is empty");
  return Secret(std::string(text.substr(0, last + 1)));
}

}  // namespace nemo::secrets
