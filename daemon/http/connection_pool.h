// Owns: the clients' connections and the threads that serve them. Idle connections hold no thread: all workers wait on
// one epoll, and the one that the kernel wakes serves the request itself, so that no bytes change threads.
// Must not know: HTTP.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "daemon/http/client_socket.h"
#include "shared/clock.h"
#include "shared/file_descriptor.h"

namespace nemo::http {

// linger: the answer was given before the whole request was read. To close at once would reset the connection, and a
// client that is still sending would never read why.
enum class After : std::uint8_t { keep, close, linger };

class ConnectionPool {
 public:
  // Serves the one request whose head is complete in the socket's buffer. Worker threads.
  using Serve = std::function<After(ClientSocket& socket)>;
  // Answers a client whose head is too large (or too slow, when `late`); the connection is closed afterwards.
  using Refuse = std::function<void(ClientSocket& socket, bool late)>;

  ConnectionPool(FileDescriptor listener, Serve serve, Refuse refuse, const Clock& clock, const Patience& patience);
  ~ConnectionPool();  // as stop()

  void start();
  // No new connections; idle ones close now, busy ones after their request. Waits for them at most `patience`.
  bool drain(std::chrono::milliseconds patience);
  void stop();  // ends every connection and joins every worker

  // Its other end is closed by stop(): what goes on without a client watches this in the client's place.
  int stop_fd() const { return m_near.get(); }

  std::size_t open_connections() const;
  std::size_t busy() const { return m_busy.load(std::memory_order_relaxed); }
  bool draining() const { return m_draining.load(); }

 private:
  // A worker owns it from the event that woke it until it is armed again; one-shot events see to that. The sweep only
  // looks at `deadline` and shuts the socket, so that its owner closes it.
  struct Connection {
    Connection(FileDescriptor fd, const Patience& patience) : socket(std::move(fd), patience) {}
    ClientSocket socket;
    std::atomic<SteadyTime> deadline{k_never};
    std::atomic<bool> late{false};
    std::atomic<bool> being_armed{false};  // its last worker has not yet let go of it
    bool lingering = false;
  };
  static constexpr SteadyTime k_never = SteadyTime::max();  // a worker has it

  void work();
  void attend_to(void* what);
  void add_worker();
  bool retire();
  void leave_a_waiter();
  void complain(const char* what);
  void accept_all();
  void add_connection(FileDescriptor fd);
  void attend(Connection& connection);
  After serve_all(Connection& connection);
  void rearm(Connection& connection, SteadyTime deadline);
  void wait_until(Connection& connection, SteadyTime deadline);
  void linger(Connection& connection);
  void drop(Connection& connection);
  void sweep();
  void watch(int fd, int change, std::uint32_t events, void* what);

  FileDescriptor m_listener;
  FileDescriptor m_epoll;
  FileDescriptor m_quit;  // readable once stop() was called
  FileDescriptor m_sweep_timer;
  FileDescriptor m_near;  // a pair; the far end is closed by stop()
  FileDescriptor m_far;
  Serve m_serve;
  Refuse m_refuse;
  const Clock& m_clock;
  Patience m_patience;

  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::unordered_map<int, std::unique_ptr<Connection>> m_connections;  // by descriptor
  std::list<std::thread> m_workers;
  std::list<std::thread> m_retired;
  std::atomic<bool> m_stopping{false};
  std::atomic<std::size_t> m_waiting{0};
  std::atomic<SteadyTime> m_next_complaint{SteadyTime{}};  // one a while: what is short stays short for long
  std::atomic<std::size_t> m_busy{0};
  std::atomic<bool> m_draining{false};
};

}  // namespace nemo::http
