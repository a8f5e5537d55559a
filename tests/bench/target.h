// What is measured: something that answers OpenAI chat calls on a loopback port.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace nemo::bench {

enum class TargetKind { plain, stream };  // behind it: the fixed answer, or the fake upstream's paced words

struct Target {
  std::string name;
  std::uint16_t port = 0;
  std::string path;
  pid_t pid = 0;        // 0: no process of its own
  std::string headers;  // each line ends with CRLF
};

// Lines of: name, plain|stream, port, path, pid, headers separated by '|'; all separated by tabs.
// Throws std::runtime_error when the file cannot be read.
std::vector<Target> read_targets(const std::string& file, TargetKind kind);

// Resident memory of a process and its children, in KiB.
std::int64_t resident_kib(pid_t pid);

}  // namespace nemo::bench
