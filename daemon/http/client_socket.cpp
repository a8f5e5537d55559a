#include "daemon/http/client_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace nemo::http {
namespace {

constexpr std::size_t k_read_size = std::size_t{16} << 10U;
// Pieces thrown away before other connections get their turn.
constexpr int k_most_discards = 64;
// A held head grows only while headers are written; beyond this it is sent as it stands.
constexpr std::size_t k_most_held = std::size_t{64} << 10U;

enum class Waited : std::uint8_t { ready, timeout, broken };

Waited wait_for(int fd, short what, std::chrono::milliseconds patience) {
  pollfd one{fd, what, 0};
  for (;;) {
    const int count = ::poll(&one, 1, static_cast<int>(patience.count()));
    if (count > 0) return (one.revents & (POLLERR | POLLNVAL)) != 0 ? Waited::broken : Waited::ready;
    if (count == 0) return Waited::timeout;
    if (errno != EINTR) return Waited::broken;
  }
}

}  // namespace

ClientSocket::ClientSocket(FileDescriptor fd, const Patience& patience) : m_fd(std::move(fd)), m_patience(patience) {}

ClientSocket::Filled ClientSocket::fill() {
  std::array<char, k_read_size> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): recv fills what is used
  const ssize_t got = ::recv(m_fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got == 0) return Filled::closed;
  if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Filled::nothing : Filled::closed;
  m_in.append(bytes.data(), static_cast<std::size_t>(got));
  find_head();
  return Filled::some;
}

ClientSocket::Filled ClientSocket::discard() {
  std::array<char, k_read_size> bytes;  // NOLINT(cppcoreguidelines-pro-type-member-init): nobody reads it
  for (int i = 0; i < k_most_discards; ++i) {
    const ssize_t got = ::recv(m_fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got == 0) return Filled::closed;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? Filled::nothing : Filled::closed;
  }
  return Filled::some;
}

void ClientSocket::find_head() {
  if (has_head()) return;
  const std::size_t from = std::max(m_at, m_searched > 3 ? m_searched - 3 : 0);
  const auto end = m_in.find("\r\n\r\n", from);
  m_searched = m_in.size();
  if (end != std::string::npos) m_head_end = end + 4;
}

ssize_t ClientSocket::read(char* into, std::size_t most) {
  if (m_at == m_in.size()) {
    if (!flush()) return -1;
    const ssize_t got = ::recv(m_fd.get(), into, most, MSG_DONTWAIT);
    if (got >= 0) return got;
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return -1;
    const bool too_long = std::chrono::steady_clock::now() - m_request_began > m_patience.whole_body;
    const Waited waited = too_long ? Waited::timeout : wait_for(m_fd.get(), POLLIN, m_patience.body);
    if (waited != Waited::ready) {
      m_timed_out = waited == Waited::timeout;
      return -1;
    }
    return std::max<ssize_t>(::recv(m_fd.get(), into, most, MSG_DONTWAIT), -1);
  }
  const std::size_t count = std::min(most, m_in.size() - m_at);
  std::memcpy(into, m_in.data() + m_at, count);
  m_at += count;
  return static_cast<ssize_t>(count);
}

bool ClientSocket::read_exactly(char* into, std::size_t size) {
  while (size > 0) {
    const ssize_t got = read(into, size);
    if (got <= 0) return false;
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool ClientSocket::write(std::string_view bytes) {
  if (m_holding && m_held.size() + bytes.size() <= k_most_held && m_held.empty()) {
    m_held.assign(bytes);
    return true;
  }
  m_holding = false;
  const bool sent = send_all(m_held, bytes);
  m_held.clear();
  return sent;
}

bool ClientSocket::flush() {
  if (m_held.empty()) return true;
  const bool sent = send_all(m_held, {});
  m_held.clear();
  return sent;
}

bool ClientSocket::send_all(std::string_view first, std::string_view second) {
  while (!first.empty() || !second.empty()) {
    std::array<iovec, 2> parts{
        {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(m_fd.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
      if (wait_for(m_fd.get(), POLLOUT, m_patience.send) != Waited::ready) return false;
      continue;
    }
    const auto count = static_cast<std::size_t>(sent);
    const std::size_t of_first = std::min(count, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(count - of_first);
  }
  return true;
}

void ClientSocket::begin_request() {
  m_head_end = std::string::npos;
  m_holding = true;
  m_timed_out = false;
  m_request_began = std::chrono::steady_clock::now();
}

void ClientSocket::end_request() {
  flush();
  m_in.erase(0, m_at);
  m_at = 0;
  // Memory that one large body needed is not kept for a connection's life.
  if (m_in.capacity() > (std::size_t{1} << 20U)) m_in.shrink_to_fit();
  m_searched = 0;
  m_head_end = std::string::npos;
  find_head();
}

}  // namespace nemo::http
