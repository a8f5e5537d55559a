// The kernel's list of TCP sockets as text, and how it names the ends of a connection: proc(5), "/proc/net/tcp", and
// Documentation/networking/proc_net_tcp.rst of the Linux kernel.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nemo::origin {

// Of one connection, as this process sees it.
struct Ends {
  sockaddr_storage peer{};
  sockaddr_storage own{};
};

// Also as a socket of IPv6 writes it (RFC 4291, IPv4-mapped).
bool is_ipv4(const sockaddr_storage& address);

// Absent: no TCP connection, or one from another machine.
std::optional<Ends> loopback_ends_of(int fd);

// The peer's socket as the lists write it: its address, a space, ours. A socket of IPv6 may carry a connection of IPv4
// and is in the other list then.
struct Names {
  std::string in_tcp;  // empty: it can only be in the other
  std::string in_tcp6;
};
Names names_of(const Ends& ends);

struct ListedSocket {
  std::string_view name;  // "0100007F:8F3A 0100007F:18DE": its own end, and the other
  std::uint32_t user = 0;
  std::uint64_t inode = 0;
};

// One pass over a list. Passes over what is no socket, and over sockets that no process has any more.
class SocketList {
 public:
  explicit SocketList(std::string_view text) : m_rest(text) {}

  std::optional<ListedSocket> next();

 private:
  std::string_view m_rest;
};

}  // namespace nemo::origin
