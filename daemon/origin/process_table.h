// Which of this user's processes has a socket, what it is called and where it works: proc(5), "/proc/pid/fd",
// "/proc/pid/comm" and "/proc/pid/cwd".
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace nemo::origin {

struct Process {
  std::string name;
  std::filesystem::path folder;  // that it works in; empty: nobody can say
};

// One thread.
class ProcessTable {
 public:
  explicit ProcessTable(std::filesystem::path proc = "/proc");

  // The processes that have sockets with these inodes. Those that had some before are looked at first, then the newest:
  // an editor calls again and again, and what calls once has just begun. May look at every descriptor of this user.
  std::unordered_map<std::uint64_t, pid_t> find_owners(std::unordered_set<std::uint64_t> inodes);

  // Absent: it has ended, or sees other files than this process (a container).
  std::optional<Process> find(pid_t pid) const;

 private:
  std::vector<pid_t> own_processes() const;
  bool is_own(pid_t pid) const;

  std::filesystem::path m_proc;
  std::string m_own_mounts;
  std::vector<pid_t> m_recent;  // that were found, the newest first
};

}  // namespace nemo::origin
