#include "daemon/http/connection_pool.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "shared/log.h"
#include "shared/thread_name.h"

namespace nemo::http {
namespace {

// One worker a running call: enough for every seat of a large team, and a bound on memory (each costs some 30 kB).
constexpr std::size_t k_most_workers = 4096;
constexpr std::size_t k_spare_workers = 4;
constexpr std::size_t k_most_connections = 16384;
constexpr std::chrono::seconds k_sweep_interval{1};
constexpr int k_idle_wait_ms = 5000;
constexpr int k_no_memory_wait_ms = 50;

}  // namespace

ConnectionPool::ConnectionPool(FileDescriptor listener, Serve serve, Refuse refuse, const Clock& clock)
    : m_listener(std::move(listener)),
      m_epoll(epoll_create1(EPOLL_CLOEXEC)),
      m_quit(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      m_serve(std::move(serve)),
      m_refuse(std::move(refuse)),
      m_clock(clock) {
  if (!m_epoll.valid() || !m_quit.valid()) {
    throw std::system_error(errno, std::generic_category(), "no event descriptors for connections");
  }
}

ConnectionPool::~ConnectionPool() { stop(); }

void ConnectionPool::watch(int fd, int change) {
  epoll_event event{};
  // One worker at a time per descriptor; the quit mark stays readable for all.
  event.events = fd == m_quit.get() ? EPOLLIN : EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
  event.data.fd = fd;
  if (epoll_ctl(m_epoll.get(), change, fd, &event) != 0 && errno != ENOENT && errno != EBADF) {
    throw std::system_error(errno, std::generic_category(), "epoll refused a connection");
  }
}

void ConnectionPool::start() {
  watch(m_quit.get(), EPOLL_CTL_ADD);
  watch(m_listener.get(), EPOLL_CTL_ADD);
  const std::lock_guard lock(m_mutex);
  m_next_sweep = m_clock.steady() + k_sweep_interval;
  for (std::size_t i = 0; i < k_spare_workers; ++i) add_worker();
}

// With m_mutex held.
void ConnectionPool::add_worker() {
  for (std::thread& one : m_retired) one.join();
  m_retired.clear();
  m_workers.emplace_back([this] { work(); });
}

// A worker that has waited in vain asks whether it may go. With m_mutex held.
bool ConnectionPool::retire() {
  if (m_stopping) return true;
  if (m_waiting < k_spare_workers) return false;
  const auto self = std::find_if(m_workers.begin(), m_workers.end(),
                                 [](const std::thread& one) { return one.get_id() == std::this_thread::get_id(); });
  m_retired.splice(m_retired.end(), m_workers, self);
  return true;
}

void ConnectionPool::work() {
  name_this_thread("nemo-worker");
  for (;;) {
    {
      const std::lock_guard lock(m_mutex);
      if (m_stopping) return;
      ++m_waiting;
    }
    epoll_event event{};
    const int count = epoll_wait(m_epoll.get(), &event, 1, k_idle_wait_ms);
    bool sweep_is_due = false;
    {
      const std::lock_guard lock(m_mutex);
      --m_waiting;
      if (m_stopping) return;
      if (count <= 0 && retire()) return;
      if (count > 0 && m_waiting == 0 && m_workers.size() < k_most_workers) add_worker();
      sweep_is_due = m_clock.steady() >= m_next_sweep;
    }
    if (sweep_is_due) sweep();
    if (count <= 0 || event.data.fd == m_quit.get()) continue;
    if (event.data.fd == m_listener.get()) {
      accept_all();
      continue;
    }
    Connection* connection = nullptr;
    {
      const std::lock_guard lock(m_mutex);
      const auto found = m_connections.find(event.data.fd);
      if (found == m_connections.end()) continue;
      connection = found->second.get();
      connection->busy = true;
    }
    attend(*connection);
  }
}

void ConnectionPool::accept_all() {
  for (;;) {
    FileDescriptor fd(::accept4(m_listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        log::warn("no descriptor left for a new connection: raise the open-files limit (ulimit -n)");
        std::this_thread::sleep_for(std::chrono::milliseconds(k_no_memory_wait_ms));
      }
      break;
    }
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int number = fd.get();
    {
      const std::lock_guard lock(m_mutex);
      if (m_connections.size() >= k_most_connections) continue;  // closes it
      auto connection = std::make_unique<Connection>(std::move(fd));
      connection->deadline = m_clock.steady() + k_head_patience;
      m_connections.emplace(number, std::move(connection));
    }
    watch(number, EPOLL_CTL_ADD);
  }
  if (!draining()) watch(m_listener.get(), EPOLL_CTL_MOD);
}

void ConnectionPool::attend(Connection& connection) {
  bool late = false;
  {
    const std::lock_guard lock(m_mutex);
    late = connection.late;
  }
  const auto filled = connection.socket.fill();
  if (late && !connection.socket.has_head()) {
    if (connection.socket.unread() > 0) m_refuse(connection.socket, true);
    drop(connection);
    return;
  }
  if (serve_all(connection) == After::close || filled == ClientSocket::Filled::closed) {
    drop(connection);
    return;
  }
  rearm(connection);
}

After ConnectionPool::serve_all(Connection& connection) {
  ClientSocket& socket = connection.socket;
  while (socket.has_head()) {
    ++m_busy;
    const After after = m_serve(socket);
    --m_busy;
    if (draining()) m_changed.notify_all();
    if (after == After::close || draining()) return After::close;
  }
  if (socket.head_too_large()) {
    m_refuse(socket, false);
    return After::close;
  }
  return After::keep;
}

void ConnectionPool::rearm(Connection& connection) {
  const int fd = connection.socket.fd();
  {
    const std::lock_guard lock(m_mutex);
    connection.busy = false;
    // A head that has begun keeps the deadline it began with; a slow sender cannot push it on byte by byte.
    const bool between_requests = connection.socket.unread() == 0;
    const SteadyTime now = m_clock.steady();
    if (between_requests) {
      connection.deadline = now + k_idle_patience;
    } else if (connection.deadline > now + k_head_patience) {
      connection.deadline = now + k_head_patience;
    }
    // Under the lock, so that the sweep never shuts a descriptor that another connection has got meanwhile.
    watch(fd, EPOLL_CTL_MOD);
  }
}

void ConnectionPool::drop(Connection& connection) {
  const std::lock_guard lock(m_mutex);
  m_connections.erase(connection.socket.fd());
  m_changed.notify_all();
}

// Idle connections whose time is up are shut; the worker that this wakes closes them.
void ConnectionPool::sweep() {
  const std::lock_guard lock(m_mutex);
  const SteadyTime now = m_clock.steady();
  if (now < m_next_sweep) return;
  m_next_sweep = now + k_sweep_interval;
  for (const auto& [fd, connection] : m_connections) {
    if (connection->busy || connection->deadline > now) continue;
    connection->late = true;
    ::shutdown(fd, SHUT_RD);
  }
}

bool ConnectionPool::drain(std::chrono::milliseconds patience) {
  m_draining = true;
  epoll_ctl(m_epoll.get(), EPOLL_CTL_DEL, m_listener.get(), nullptr);
  ::shutdown(m_listener.get(), SHUT_RDWR);
  std::unique_lock lock(m_mutex);
  for (const auto& [fd, connection] : m_connections) {
    if (!connection->busy) ::shutdown(fd, SHUT_RD);
  }
  return m_changed.wait_for(lock, patience, [this] { return m_connections.empty(); });
}

void ConnectionPool::stop() {
  {
    const std::lock_guard lock(m_mutex);
    if (m_stopping) return;
    m_stopping = true;
    for (const auto& [fd, connection] : m_connections) ::shutdown(fd, SHUT_RDWR);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(m_quit.get(), &one, sizeof one);
  std::list<std::thread> all;
  {
    const std::lock_guard lock(m_mutex);
    all.splice(all.end(), m_workers);
    all.splice(all.end(), m_retired);
  }
  for (std::thread& one_thread : all) one_thread.join();
}

std::size_t ConnectionPool::open_connections() const {
  const std::lock_guard lock(m_mutex);
  return m_connections.size();
}

}  // namespace nemo::http
