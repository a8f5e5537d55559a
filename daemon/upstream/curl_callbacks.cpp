// What libcurl calls back while the loop turns: sockets to watch, timers, heads and bodies.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <string_view>

#include "daemon/upstream/curl_loop.h"
#include "daemon/upstream/failure.h"

namespace nemo::upstream {

int CurlLoop::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  auto& loop = *static_cast<CurlLoop*>(self);
  std::uint32_t events = 0;
  if (what != CURL_POLL_REMOVE && (what & CURL_POLL_IN) != 0) events |= EPOLLIN;
  if (what != CURL_POLL_REMOVE && (what & CURL_POLL_OUT) != 0) events |= EPOLLOUT;
  loop.watch(socket, events);
  return 0;
}

curl_socket_t CurlLoop::on_open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& loop = *static_cast<CurlLoop*>(self);
  const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (socket < 0) return CURL_SOCKET_BAD;
  if (!loop.m_epoll.valid()) return socket;
  const auto at = static_cast<std::size_t>(socket);
  if (at >= loop.m_watched.size()) loop.m_watched.resize(at + 1);
  loop.m_watched[at] = {0, false, true};
  return socket;
}

int CurlLoop::on_close_socket(void* self, curl_socket_t socket) {
  auto& loop = *static_cast<CurlLoop*>(self);
  const auto at = static_cast<std::size_t>(socket);
  if (!loop.m_epoll.valid()) {
    loop.watch_polled(socket, 0);
  } else if (at < loop.m_watched.size()) {
    loop.m_watched[at] = {};  // closing takes it off the epoll
  }
  return ::close(socket);
}

void CurlLoop::watch_polled(curl_socket_t socket, std::uint32_t events) {
  const auto known =
      std::find_if(m_polled.begin(), m_polled.end(), [&](const pollfd& one) { return one.fd == socket; });
  if (events == 0) {
    if (known != m_polled.end()) m_polled.erase(known);
  } else if (known != m_polled.end()) {
    known->events = static_cast<short>(events);
  } else {
    m_polled.push_back({socket, static_cast<short>(events), 0});
  }
}

void CurlLoop::watch(curl_socket_t socket, std::uint32_t events) {
  if (!m_epoll.valid()) return watch_polled(socket, events);
  const auto at = static_cast<std::size_t>(socket);
  if (at >= m_watched.size()) m_watched.resize(at + 1);
  Watched& watched = m_watched[at];
  watched.wanted = events != 0;
  if (!watched.wanted && !watched.is_connection) {
    // The name resolver's own: curl closes it without a word, and its number may be a connection's next.
    if (watched.events != 0) epoll_ctl(m_epoll.get(), EPOLL_CTL_DEL, socket, nullptr);
    watched = {};
    return;
  }
  if (!watched.wanted || watched.events == events) return;
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  epoll_ctl(m_epoll.get(), watched.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event);
  watched.events = events;
}

void CurlLoop::heed(curl_socket_t socket, std::uint32_t events) {
  const auto at = static_cast<std::size_t>(socket);
  if (m_epoll.valid() && !m_watched[at].wanted) {
    // A resting connection that upstream has closed: curl finds out when it wants it again.
    epoll_ctl(m_epoll.get(), EPOLL_CTL_DEL, socket, nullptr);
    m_watched[at].events = 0;
    return;
  }
  int mask = 0;
  if ((events & (EPOLLIN | EPOLLRDHUP)) != 0) mask |= CURL_CSELECT_IN;
  if ((events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR;
  act(socket, mask);
}

int CurlLoop::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (timeout_ms < 0) {
    loop.m_timer.reset();
  } else {
    loop.m_timer = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  }
  return 0;
}

std::size_t CurlLoop::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  std::string_view line(bytes, size * count);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    transfer.next_head = {};
    transfer.multiplexed = line.starts_with("HTTP/2");
    if (transfer.multiplexed) transfer.loop->m_multiplexing.insert(host_of(transfer.request.url));
    const auto space = line.find(' ');
    if (space != std::string_view::npos) transfer.next_head.status = std::atoi(line.data() + space + 1);  // NOLINT
    return size * count;
  }
  if (!line.empty()) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return size * count;
    Header header;
    header.name.assign(line.substr(0, colon));
    std::transform(header.name.begin(), header.name.end(), header.name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto value = line.find_first_not_of(" \t", colon + 1);
    if (value != std::string_view::npos) header.value.assign(line.substr(value));
    transfer.next_head.headers.push_back(std::move(header));
    return size * count;
  }
  constexpr int k_final_status = 200;
  if (transfer.next_head.status < k_final_status) return size * count;  // 100 Continue and the like
  const std::lock_guard lock(transfer.mutex);
  if (transfer.head_ready) return size * count;  // trailers
  transfer.head = std::move(transfer.next_head);
  transfer.head_ready = true;
  transfer.last_bytes_at = std::chrono::steady_clock::now();
  transfer.loop->touch(transfer);
  return size * count;
}

std::size_t CurlLoop::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t length = size * count;
  const std::lock_guard lock(transfer.mutex);
  if (!transfer.multiplexed && transfer.pipe.size() >= k_pipe_high_water) {
    transfer.paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (transfer.pipe.size() + length > k_shared_pipe_limit) {
    transfer.overflowed = true;
    return 0;  // ends this transfer alone, with CURLE_WRITE_ERROR
  }
  transfer.pipe.append(bytes, length);
  transfer.last_bytes_at = std::chrono::steady_clock::now();
  transfer.loop->touch(transfer);
  return length;
}

}  // namespace nemo::upstream
