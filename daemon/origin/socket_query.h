// One socket by the two ends of its connection, asked of the kernel: sock_diag(7). Takes microseconds where the lists
// of /proc take milliseconds, since the kernel goes through all of its table to write those.
#pragma once

#include <cstdint>
#include <optional>

#include "daemon/origin/socket_list.h"
#include "shared/file_descriptor.h"

namespace nemo::origin {

struct FoundSocket {
  std::uint32_t user = 0;
  std::uint64_t inode = 0;
};

// One thread.
class SocketQuery {
 public:
  SocketQuery();

  // The peer's socket. Absent: there is none any more, or this kernel cannot be asked.
  std::optional<FoundSocket> find(const Ends& ends) const;

 private:
  FileDescriptor m_socket;
};

}  // namespace nemo::origin
