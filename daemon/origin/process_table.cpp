#include "daemon/origin/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <functional>
#include <memory>
#include <string_view>

#include "daemon/origin/small_file.h"

namespace nemo::origin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_most_recent = 16;  // editors and assistants that work at the same time

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

// Empty: it is no link, or may not be read.
std::string target_of(int folder, const char* name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(folder, name, target.data(), target.size());
  return size < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

std::optional<std::uint64_t> socket_inode(std::string_view target) {
  constexpr std::string_view k_prefix = "socket:[";
  if (!target.starts_with(k_prefix)) return std::nullopt;
  target.remove_prefix(k_prefix.size());
  std::uint64_t inode = 0;
  const auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), inode);
  if (error != std::errc() || end + 1 != target.data() + target.size() || *end != ']') return std::nullopt;
  return inode;
}

// Calls `use` with the inode of every socket of the process, until it says that it is enough.
void each_socket(const fs::path& process, const std::function<bool(std::uint64_t)>& use) {
  const Folder folder(::opendir((process / "fd").c_str()));
  if (!folder) return;
  const int fd = ::dirfd(folder.get());
  while (const dirent* entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe): the folder is ours alone
    const auto inode = socket_inode(target_of(fd, entry->d_name));
    if (inode && use(*inode)) return;
  }
}

}  // namespace

ProcessTable::ProcessTable(fs::path proc)
    : m_proc(std::move(proc)), m_own_mounts(target_of(AT_FDCWD, (m_proc / "self" / "ns" / "mnt").c_str())) {}

bool ProcessTable::is_own(pid_t pid) const {
  struct stat about {};
  return ::stat((m_proc / std::to_string(pid)).c_str(), &about) == 0 && about.st_uid == ::geteuid();
}

// The newest first.
std::vector<pid_t> ProcessTable::own_processes() const {
  std::vector<pid_t> found;
  const Folder folder(::opendir(m_proc.c_str()));
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe): the folder is ours alone
    const std::string_view name = entry->d_name;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error == std::errc() && end == name.data() + name.size()) found.push_back(pid);
  }
  std::sort(found.begin(), found.end(), std::greater<>());
  return found;
}

std::unordered_map<std::uint64_t, pid_t> ProcessTable::find_owners(std::unordered_set<std::uint64_t> inodes) {
  std::unordered_map<std::uint64_t, pid_t> owners;
  const auto look_at = [&](pid_t pid) {
    if (inodes.empty() || pid == ::getpid() || !is_own(pid)) return;
    each_socket(m_proc / std::to_string(pid), [&](std::uint64_t inode) {
      if (inodes.erase(inode) > 0) owners.emplace(inode, pid);
      return inodes.empty();
    });
  };
  for (const pid_t pid : m_recent) look_at(pid);
  if (!inodes.empty()) {
    for (const pid_t pid : own_processes()) look_at(pid);
  }
  for (const auto& [inode, pid] : owners) {
    std::erase(m_recent, pid);
    m_recent.insert(m_recent.begin(), pid);
  }
  if (m_recent.size() > k_most_recent) m_recent.resize(k_most_recent);
  return owners;
}

std::optional<Process> ProcessTable::find(pid_t pid) const {
  const fs::path process = m_proc / std::to_string(pid);
  const std::string mounts = target_of(AT_FDCWD, (process / "ns" / "mnt").c_str());
  if (mounts.empty() || mounts != m_own_mounts) return std::nullopt;
  Process found;
  if (const auto name = read_small_file(process / "comm")) found.name = name->substr(0, name->find('\n'));
  found.folder = target_of(AT_FDCWD, (process / "cwd").c_str());
  if (found.name.empty() && found.folder.empty()) return std::nullopt;
  return found;
}

}  // namespace nemo::origin
