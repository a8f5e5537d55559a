#include "daemon/http/connection_pool.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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
constexpr long k_sweep_interval_ns = std::chrono::nanoseconds(k_sweep_interval).count();
constexpr std::uint32_t k_for_one_worker = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
constexpr int k_idle_wait_ms = 1000;
// A client that was refused in the middle of its request may go on sending for so long.
constexpr std::chrono::seconds k_linger{5};
constexpr int k_no_memory_wait_ms = 50;
constexpr std::chrono::seconds k_between_complaints{30};

class InFlight {
 public:
  explicit InFlight(std::atomic<std::size_t>& count) : m_count(count) { ++m_count; }
  ~InFlight() { --m_count; }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  std::atomic<std::size_t>& m_count;
};

}  // namespace

ConnectionPool::ConnectionPool(FileDescriptor listener, Serve serve, Refuse refuse, const Clock& clock,
                               const Patience& patience)
    : m_listener(std::move(listener)),
      m_epoll(epoll_create1(EPOLL_CLOEXEC)),
      m_quit(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      m_sweep_timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      m_serve(std::move(serve)),
      m_refuse(std::move(refuse)),
      m_clock(clock),
      m_patience(patience) {
  if (!m_epoll.valid() || !m_quit.valid() || !m_sweep_timer.valid()) {
    throw std::system_error(errno, std::generic_category(), "no event descriptors for connections");
  }
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    throw std::system_error(errno, std::generic_category(), "no descriptors for connections");
  }
  m_near = FileDescriptor(pair[0]);
  m_far = FileDescriptor(pair[1]);
}

ConnectionPool::~ConnectionPool() {
  stop();
}

void ConnectionPool::watch(int fd, int change, std::uint32_t events, void* what) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = what;
  if (epoll_ctl(m_epoll.get(), change, fd, &event) != 0 && errno != ENOENT && errno != EBADF) {
    throw std::system_error(errno, std::generic_category(), "epoll refused a connection");
  }
}

void ConnectionPool::start() {
  watch(m_quit.get(), EPOLL_CTL_ADD, EPOLLIN, &m_quit);  // stays readable, for all
  watch(m_sweep_timer.get(), EPOLL_CTL_ADD, EPOLLIN | EPOLLET, &m_sweep_timer);
  watch(m_listener.get(), EPOLL_CTL_ADD, k_for_one_worker, &m_listener);
  const itimerspec each{{0, k_sweep_interval_ns}, {0, k_sweep_interval_ns}};
  if (timerfd_settime(m_sweep_timer.get(), 0, &each, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "no timer for connections");
  }
  const std::lock_guard lock(m_mutex);
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
  if (m_waiting > 0 || m_stopping || m_workers.size() >= k_most_workers) return;
  try {
    add_worker();
  } catch (const std::system_error&) {
    complain("no thread left for a new call: it waits for a running one to end (ulimit -u, or the service's TasksMax)");
  }
}

void ConnectionPool::complain(const char* what) {
  const SteadyTime now = m_clock.steady();
  SteadyTime due = m_next_complaint.load();
  if (now >= due && m_next_complaint.compare_exchange_strong(due, now + k_between_complaints)) log::warn(what);
}

void ConnectionPool::work() {
  name_this_thread("nemo-worker");
  while (!m_stopping) {
    epoll_event event{};
    // Who waited last is woken first, and its stack and heap are warm. The few that stay therefore wait without end:
    // one that came back in vain, only to wait again, would take that place cold.
    const bool stays = m_waiting.fetch_add(1) < k_spare_workers;
    const int count = epoll_wait(m_epoll.get(), &event, 1, stays ? -1 : k_idle_wait_ms);
    --m_waiting;
    if (count <= 0) {
      if (retire()) return;
      continue;
    }
    if (event.data.ptr == &m_sweep_timer) {
      sweep();
    } else if (event.data.ptr != &m_quit) {
      leave_a_waiter();
      attend_to(event.data.ptr);
    }
  }
}

// A bug in one call ends its connection, not the daemon.
void ConnectionPool::attend_to(void* what) {
  try {
    if (what != &m_listener) return attend(*static_cast<Connection*>(what));
    accept_all();
    if (!draining()) watch(m_listener.get(), EPOLL_CTL_MOD, k_for_one_worker, &m_listener);
  } catch (const std::exception& bug) {
    log::error(std::string("a connection ended by a bug: ") + bug.what());
    if (what != &m_listener) drop(*static_cast<Connection*>(what));
  }
}

void ConnectionPool::accept_all() {
  for (;;) {
    FileDescriptor fd(::accept4(m_listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
        complain("no descriptor left for a new connection: raise the open-files limit (ulimit -n)");
        std::this_thread::sleep_for(std::chrono::milliseconds(k_no_memory_wait_ms));
      }
      return;
    }
    try {
      add_connection(std::move(fd));
    } catch (const std::exception& refused) {
      log::error(std::string("a new connection was closed: ") + refused.what());
    }
  }
}

void ConnectionPool::add_connection(FileDescriptor fd) {
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int number = fd.get();
  auto connection = std::make_unique<Connection>(std::move(fd), m_patience);
  connection->deadline = m_clock.steady() + m_patience.head;
  const std::lock_guard lock(m_mutex);
  if (m_connections.size() >= k_most_connections || draining()) return;  // closes it
  Connection& added = *m_connections.emplace(number, std::move(connection)).first->second;
  try {
    watch(number, EPOLL_CTL_ADD, k_for_one_worker, &added);
  } catch (const std::system_error&) {
    m_connections.erase(number);
    throw;
  }
}

void ConnectionPool::attend(Connection& connection) {
  // The worker that armed it may not be back from the kernel; it touches the connection once more, then never again.
  while (connection.being_armed.load(std::memory_order_acquire)) std::this_thread::yield();
  const SteadyTime deadline = connection.deadline.exchange(k_never);
  if (connection.lingering) {
    const bool over = connection.late || draining() || connection.socket.discard() == ClientSocket::Filled::closed;
    return over ? drop(connection) : wait_until(connection, deadline);
  }
  const bool had_begun = connection.socket.unread() > 0;
  const auto filled = connection.socket.fill();
  const bool goes_on = had_begun && !connection.socket.has_head();
  if (connection.late && !connection.socket.has_head()) {
    if (connection.socket.unread() > 0) m_refuse(connection.socket, true);
    drop(connection);
    return;
  }
  const After after = serve_all(connection);
  if (after == After::close || filled == ClientSocket::Filled::closed) return drop(connection);
  if (after == After::linger) return linger(connection);
  rearm(connection, goes_on ? deadline : k_never);
}

After ConnectionPool::serve_all(Connection& connection) {
  ClientSocket& socket = connection.socket;
  while (socket.has_head() && !socket.head_too_large()) {
    After after = After::close;
    {
      const InFlight busy(m_busy);
      after = m_serve(socket);
    }
    if (draining()) m_changed.notify_all();
    if (draining()) return After::close;
    if (after != After::keep) return after;
  }
  if (!socket.head_too_large()) return After::keep;
  m_refuse(socket, false);
  return After::linger;
}

void ConnectionPool::rearm(Connection& connection, SteadyTime deadline) {
  const SteadyTime now = m_clock.steady();
  // A head that has begun keeps the deadline it began with; a slow sender cannot push it on byte by byte.
  const bool between_requests = connection.socket.unread() == 0;
  wait_until(connection, between_requests ? now + m_patience.idle : std::min(deadline, now + m_patience.head));
}

void ConnectionPool::wait_until(Connection& connection, SteadyTime deadline) {
  connection.deadline = deadline;
  // drain() passes over connections that a worker has; this one may have been such a one.
  if (draining()) ::shutdown(connection.socket.fd(), SHUT_RD);
  connection.being_armed.store(true, std::memory_order_relaxed);
  // From here on another worker may be woken for it.
  watch(connection.socket.fd(), EPOLL_CTL_MOD, k_for_one_worker, &connection);
  connection.being_armed.store(false, std::memory_order_release);
}

void ConnectionPool::linger(Connection& connection) {
  ::shutdown(connection.socket.fd(), SHUT_WR);
  connection.lingering = true;
  wait_until(connection, m_clock.steady() + k_linger);
}

void ConnectionPool::drop(Connection& connection) {
  const std::lock_guard lock(m_mutex);
  m_connections.erase(connection.socket.fd());
  m_changed.notify_all();
}

// Idle connections whose time is up are shut; the worker that this wakes closes them. The lock keeps their descriptors
// from being closed, and given to others, meanwhile.
void ConnectionPool::sweep() {
  std::uint64_t times = 0;
  [[maybe_unused]] const auto got = ::read(m_sweep_timer.get(), &times, sizeof times);  // else it does not go on
  const std::lock_guard lock(m_mutex);
  const SteadyTime now = m_clock.steady();
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
  m_far.reset();
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
