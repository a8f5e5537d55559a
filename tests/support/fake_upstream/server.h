// Owns: sockets, timers and the one thread that serves them all. A client that leaves is noticed at once, also while
// nothing is being sent to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

#include "tests/support/fake_upstream/connection.h"
#include "tests/support/fake_upstream/endpoints.h"

namespace nemo::fake_upstream {

class Server {
 public:
  explicit Server(Endpoints& endpoints) : m_endpoints(endpoints) {}
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens on 127.0.0.1; 0 picks a port. Returns the port, or -1 with errno set.
  int listen(std::uint16_t port);
  // Serves until SIGINT or SIGTERM.
  void run();

 private:
  struct Timer {
    double due_ms;
    int fd;
    std::uint64_t serial;
    bool operator>(const Timer& other) const { return due_ms > other.due_ms; }
  };

  void accept_all();
  void on_event(int fd, std::uint32_t events);
  void settle(Connection& connection);
  void fire_timers();
  void arm_clock();
  void wake_released();
  void check_waits();
  void drop(int fd);

  Endpoints& m_endpoints;
  int m_listener = -1, m_epoll = -1, m_clock = -1, m_signals = -1;
  std::uint64_t m_next_serial = 1;
  std::unordered_map<int, std::unique_ptr<Connection>> m_connections;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> m_timers;
  std::vector<int> m_waiting;    // connections with a Wait
  std::uint64_t m_released = 0;  // of the gate, when it was looked at last
};

}  // namespace nemo::fake_upstream
