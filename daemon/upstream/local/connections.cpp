#include "daemon/upstream/local/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace nemo::upstream::local {
namespace {

// Room for a burst of calls to a few servers; more than that is closed after use.
constexpr std::size_t k_most_kept = 256;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address ipv4(const std::string& host, std::uint16_t port) {
  Address address;
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &in.sin_addr) != 1) return address;
  std::memcpy(&address.storage, &in, sizeof in);
  address.size = sizeof in;
  return address;
}

Address ipv6(std::uint16_t port) {
  Address address;
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  in.sin6_addr = in6addr_loopback;
  std::memcpy(&address.storage, &in, sizeof in);
  address.size = sizeof in;
  return address;
}

Address address_of(const Target& target, std::size_t which) {
  const bool is_name = target.host == "localhost";
  if (target.host == "::1" || (is_name && which == 1)) return ipv6(target.port);
  return ipv4(is_name ? "127.0.0.1" : std::string(target.host), target.port);
}

bool is_open(int socket) {
  char byte = 0;
  // Bytes that nobody asked for are as bad as its end.
  return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

std::size_t address_count(const Target& target) {
  return target.host == "localhost" ? 2 : 1;
}

FileDescriptor connect_to(const Target& target, std::size_t which) {
  const Address address = address_of(target, which);
  if (address.size == 0) {
    errno = EADDRNOTAVAIL;
    return {};
  }
  FileDescriptor connection(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!connection.valid()) return {};
  const int on = 1;
  ::setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int code = ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  if (code != 0 && errno != EINPROGRESS) {
    const int why = errno;
    connection.reset();
    errno = why;
  }
  return connection;
}

std::optional<FileDescriptor> Connections::take(std::string_view place) {
  for (;;) {
    FileDescriptor connection;
    {
      const std::lock_guard lock(m_mutex);
      const auto last =
          std::find_if(m_kept.rbegin(), m_kept.rend(), [&](const Kept& one) { return one.place == place; });
      if (last == m_kept.rend()) return std::nullopt;
      connection = std::move(last->connection);
      m_kept.erase(std::next(last).base());
    }
    if (is_open(connection.get())) return connection;
  }
}

void Connections::keep(std::string_view place, FileDescriptor connection) {
  FileDescriptor oldest;  // closed outside of the lock
  const std::lock_guard lock(m_mutex);
  if (m_kept.size() == k_most_kept) {
    oldest = std::move(m_kept.front().connection);
    m_kept.erase(m_kept.begin());
  }
  m_kept.push_back({std::string(place), std::move(connection)});
}

void Connections::forget() {
  std::vector<Kept> kept;
  const std::lock_guard lock(m_mutex);
  kept.swap(m_kept);
}

}  // namespace nemo::upstream::local
