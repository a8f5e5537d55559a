#include "daemon/origin/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "shared/file_descriptor.h"

namespace nemo::origin {

std::optional<std::string> read_small_file(const std::filesystem::path& path, std::size_t most_bytes) {
  constexpr std::size_t k_piece = std::size_t{64} << 10U;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat about {};
  if (!file.valid() || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return std::nullopt;
  std::string text;
  while (text.size() < most_bytes) {
    const std::size_t had = text.size();
    text.resize(had + std::min(k_piece, most_bytes - had));
    const ssize_t got = ::read(file.get(), text.data() + had, text.size() - had);
    text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
  }
  return text;
}

}  // namespace nemo::origin
