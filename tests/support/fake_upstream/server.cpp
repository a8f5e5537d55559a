#include "tests/support/fake_upstream/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace nemo::fake_upstream {
namespace {

constexpr int k_backlog = 4096;
constexpr int k_events_at_once = 256;

void watch(int epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll, operation, fd, &event);
}

int stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

}  // namespace

Server::~Server() {
  m_connections.clear();
  for (const int fd : {m_listener, m_epoll, m_clock, m_signals}) {
    if (fd >= 0) close(fd);
  }
}

int Server::listen(std::uint16_t port) {
  m_listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (m_listener < 0) return -1;
  const int on = 1;
  setsockopt(m_listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(m_listener, generic, size) != 0 || ::listen(m_listener, k_backlog) != 0) return -1;
  if (getsockname(m_listener, generic, &size) != 0) return -1;
  return ntohs(address.sin_port);
}

void Server::run() {
  m_epoll = epoll_create1(EPOLL_CLOEXEC);
  m_clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  m_signals = stop_signals();
  for (const int fd : {m_listener, m_clock, m_signals}) watch(m_epoll, EPOLL_CTL_ADD, fd, EPOLLIN);
  std::array<epoll_event, k_events_at_once> events{};
  while (true) {
    const int count = epoll_wait(m_epoll, events.data(), k_events_at_once, -1);
    if (count < 0 && errno != EINTR) return;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == m_signals) return;
      if (event.data.fd == m_listener) {
        accept_all();
      } else if (event.data.fd == m_clock) {
        std::uint64_t expirations = 0;
        if (read(m_clock, &expirations, sizeof expirations) < 0 && errno != EAGAIN) return;
      } else {
        on_event(event.data.fd, event.events);
      }
    }
    fire_timers();
    wake_released();
    check_waits();
    arm_clock();
  }
}

void Server::accept_all() {
  while (true) {
    const int fd = accept4(m_listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    auto connection = std::make_unique<Connection>(fd, m_next_serial++, m_endpoints);
    watch(m_epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP);
    m_connections[fd] = std::move(connection);
  }
}

void Server::on_event(int fd, std::uint32_t events) {
  const auto found = m_connections.find(fd);
  if (found == m_connections.end()) return;
  Connection& connection = *found->second;
  const bool hung_up = (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
  // A request that came with the close is read and its answer then counts as cancelled.
  if ((events & EPOLLIN) != 0) connection.on_readable();
  if ((events & EPOLLOUT) != 0 && !hung_up) connection.on_writable();
  if (hung_up && !connection.is_over()) connection.on_hang_up();
  settle(connection);
}

// Tells epoll and the timers what the connection waits for now.
void Server::settle(Connection& connection) {
  if (connection.is_over()) {
    drop(connection.fd());
    return;
  }
  if (connection.wants_write() != connection.armed_for_write) {
    connection.armed_for_write = connection.wants_write();
    const std::uint32_t events = EPOLLIN | EPOLLRDHUP | (connection.armed_for_write ? EPOLLOUT : 0U);
    watch(m_epoll, EPOLL_CTL_MOD, connection.fd(), events);
  }
  if (connection.wait() && std::find(m_waiting.begin(), m_waiting.end(), connection.fd()) == m_waiting.end()) {
    m_waiting.push_back(connection.fd());
  }
  const auto due = connection.due_ms();
  if (due && *due != connection.armed_for_ms) {
    connection.armed_for_ms = *due;
    m_timers.push({*due, connection.fd(), connection.serial()});
  }
}

void Server::fire_timers() {
  const double now = monotonic_ms();
  // What becomes due while this runs waits for the next round, so that events are looked at in between.
  while (!m_timers.empty() && m_timers.top().due_ms <= now) {
    const Timer timer = m_timers.top();
    m_timers.pop();
    const auto found = m_connections.find(timer.fd);
    if (found == m_connections.end() || found->second->serial() != timer.serial) continue;
    Connection& connection = *found->second;
    if (connection.armed_for_ms == timer.due_ms) connection.armed_for_ms = 0;
    if (connection.due_ms() == timer.due_ms) connection.on_due();
    settle(connection);
  }
}

void Server::wake_released() {
  if (m_endpoints.gate().released() == m_released) return;
  m_released = m_endpoints.gate().released();
  std::vector<int> held;
  for (const auto& [fd, connection] : m_connections) {
    if (connection->is_held()) held.push_back(fd);
  }
  for (const int fd : held) {
    Connection& connection = *m_connections.at(fd);
    connection.on_due();
    settle(connection);
  }
}

void Server::check_waits() {
  const Journal& journal = m_endpoints.journal();
  for (std::size_t i = 0; i < m_waiting.size();) {
    const int fd = m_waiting[i];
    const auto found = m_connections.find(fd);
    const bool waits = found != m_connections.end() && found->second->wait();
    const bool reached = waits && journal.started() >= found->second->wait()->started &&
                         journal.ended() >= found->second->wait()->ended &&
                         journal.cancelled() >= found->second->wait()->cancelled;
    if (waits && !reached) {
      ++i;
      continue;
    }
    m_waiting.erase(m_waiting.begin() + static_cast<std::ptrdiff_t>(i));
    if (!reached) continue;
    found->second->end_wait(true);
    settle(*found->second);
  }
}

void Server::arm_clock() {
  itimerspec next{};
  if (!m_timers.empty()) {
    const double due = std::max(m_timers.top().due_ms, 0.001);
    next.it_value.tv_sec = static_cast<time_t>(due / 1e3);
    next.it_value.tv_nsec = static_cast<long>(std::fmod(due, 1e3) * 1e6);
  }
  timerfd_settime(m_clock, TFD_TIMER_ABSTIME, &next, nullptr);
}

void Server::drop(int fd) {
  watch(m_epoll, EPOLL_CTL_DEL, fd, 0);
  m_connections.erase(fd);
}

}  // namespace nemo::fake_upstream
