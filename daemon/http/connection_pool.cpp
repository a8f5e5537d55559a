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
constexpr std::chrono::milliseconds k_sweep_interval{500};
constexpr int k_idle_wait_ms = 1000;
constexpr int k_no_memory_wait_ms = 50;

}  // namespace

ConnectionPool::ConnectionPool(FileDescriptor listener, Serve serve, Refuse refuse, const Clock& clock,
                               const Patience& patience)
    : m_listener(std::move(listener)),
      m_epoll(epoll_create1(EPOLL_CLOEXEC)),
      m_quit(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      m_serve(std::move(serve)),
      m_refuse(std::move(refuse)),
      m_clock(clock),
      m_patience(patience) {
  if (!m_epoll.valid() || !m_quit.valid()) {
    throw std::system_error(errno, std::generic_category(), "no event descriptors for connections");
  }
}

ConnectionPool::~ConnectionPool() { stop(); }

// `connection` is null for the listener and for the quit mark.
void ConnectionPool::watch(int fd, int change, Connection* connection) {
  epoll_event event{};
  // One worker at a time per descriptor; the quit mark stays readable for all.
  event.events = fd == m_quit.get() ? EPOLLIN : EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
  event.data.ptr = connection;
  if (connection == nullptr) event.data.ptr = fd == m_quit.get() ? static_cast<void*>(&m_quit) : &m_listener;
  if (epoll_ctl(m_epoll.get(), change, fd, &event) != 0 && errno != ENOENT && errno != EBADF) {
    throw std::system_error(errno, std::generic_category(), "epoll refused a connection");
  }
}

void ConnectionPool::start() {
  watch(m_quit.get(), EPOLL_CTL_ADD, nullptr);
  watch(m_listener.get(), EPOLL_CTL_ADD, nullptr);
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

// A worker that has waited in vain asks whether it may go.
bool ConnectionPool::retire() {
  const std::lock_guard lock(m_mutex);
  if (m_stopping || m_waiting < k_spare_workers) return m_stopping;
  const auto self = std::find_if(m_workers.begin(), m_workers.end(),
                                 [](const std::thread& one) { return one.get_id() == std::this_thread::get_id(); });
  m_retired.splice(m_retired.end(), m_workers, self);
  return true;
}

// Somebody must be left to wait for the next event while this worker is busy, perhaps for minutes.
void ConnectionPool::leave_a_waiter() {
  if (m_waiting > 0) return;
  const std::lock_guard lock(m_mutex);
  if (m_waiting == 0 && !m_stopping && m_workers.size() < k_most_workers) add_worker();
}

void ConnectionPool::work() {
  name_this_thread("nemo-worker");
  while (!m_stopping) {
    epoll_event event{};
    ++m_waiting;
    const int count = epoll_wait(m_epoll.get(), &event, 1, k_idle_wait_ms);
    --m_waiting;
    if (count <= 0) {
      if (retire()) return;
    } else {
      leave_a_waiter();
    }
    if (m_clock.steady() >= m_next_sweep.load(std::memory_order_relaxed)) sweep();
    if (count <= 0 || event.data.ptr == &m_quit) continue;
    if (event.data.ptr == &m_listener) {
      accept_all();
    } else {
      attend(*static_cast<Connection*>(event.data.ptr));
    }
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
    auto connection = std::make_unique<Connection>(std::move(fd), m_patience);
    connection->deadline = m_clock.steady() + m_patience.head;
    Connection* added = connection.get();
    {
      const std::lock_guard lock(m_mutex);
      if (m_connections.size() >= k_most_connections) continue;  // closes it
      m_connections.emplace(number, std::move(connection));
    }
    watch(number, EPOLL_CTL_ADD, added);
  }
  if (!draining()) watch(m_listener.get(), EPOLL_CTL_MOD, nullptr);
}

void ConnectionPool::attend(Connection& connection) {
  const SteadyTime deadline = connection.deadline.exchange(k_never);
  const auto filled = connection.socket.fill();
  if (connection.late && !connection.socket.has_head()) {
    if (connection.socket.unread() > 0) m_refuse(connection.socket, true);
    drop(connection);
    return;
  }
  if (serve_all(connection) == After::close || filled == ClientSocket::Filled::closed) {
    drop(connection);
    return;
  }
  rearm(connection, deadline);
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

void ConnectionPool::rearm(Connection& connection, SteadyTime deadline) {
  const SteadyTime now = m_clock.steady();
  // A head that has begun keeps the deadline it began with; a slow sender cannot push it on byte by byte.
  const bool between_requests = connection.socket.unread() == 0;
  connection.deadline = between_requests ? now + m_patience.idle : std::min(deadline, now + m_patience.head);
  watch(connection.socket.fd(), EPOLL_CTL_MOD, &connection);  // from here on another worker may have it
}

void ConnectionPool::drop(Connection& connection) {
  const std::lock_guard lock(m_mutex);
  m_connections.erase(connection.socket.fd());
  m_changed.notify_all();
}

// Idle connections whose time is up are shut; the worker that this wakes closes them. The lock keeps their descriptors
// from being closed, and given to others, meanwhile.
void ConnectionPool::sweep() {
  const std::lock_guard lock(m_mutex);
  const SteadyTime now = m_clock.steady();
  if (now < m_next_sweep.load()) return;
  m_next_sweep = now + k_sweep_interval;
  for (const auto& [fd, connection] : m_connections) {
    if (connection->deadline.load() > now) continue;
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
    if (connection->deadline.load() != k_never) ::shutdown(fd, SHUT_RD);
  }
  return m_changed.wait_for(lock, patience, [this] { return m_connections.empty(); });
}

void ConnectionPool::stop() {
  {
    const std::lock_guard lock(m_mutex);
    if (m_stopping.exchange(true)) return;
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
