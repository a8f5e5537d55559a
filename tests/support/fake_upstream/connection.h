// Owns: one client's socket, its requests in order, and the answer that is being played to it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/fake_upstream/endpoints.h"
#include "tests/support/fake_upstream/http_message.h"

namespace nemo::fake_upstream {

class Connection {
 public:
  Connection(int fd, std::uint64_t serial, Endpoints& endpoints);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Each of these does what can be done now without blocking.
  void on_readable();
  void on_writable();
  void on_due();
  // The client closed or reset its side.
  void on_hang_up();
  void end_wait(bool reached);

  int fd() const { return m_fd; }
  std::uint64_t serial() const { return m_serial; }
  bool is_over() const { return m_over; }
  bool wants_write() const { return m_sent < m_output.size(); }
  const std::optional<Wait>& wait() const { return m_wait; }
  // Waits for the gate; on_due() once it may have opened.
  bool is_held() const { return m_step && m_step->held; }
  // When on_due() is to be called; nothing: not at all.
  std::optional<double> due_ms() const;
  // What the server has told epoll and the timers, kept here for it.
  bool armed_for_write = false;
  double armed_for_ms = 0;

 private:
  void take_requests();
  void begin(Reply reply, bool keep_alive);
  void play();
  bool flush();
  void finish_step();
  void end_answer(CallState state);

  int m_fd;
  std::uint64_t m_serial;
  Endpoints& m_endpoints;
  RequestParser m_parser;
  Reply m_reply;
  std::optional<Wait> m_wait;
  double m_wait_until_ms = 0;
  Gate::Ticket m_ticket = 0;
  std::optional<Step> m_step;  // the next one, or the one being sent
  double m_step_due_ms = 0;
  std::string m_output;  // of m_step
  std::size_t m_sent = 0;
  bool m_sending = false;
  bool m_stalled = false;
  bool m_keep_alive = true;
  bool m_over = false;
};

}  // namespace nemo::fake_upstream
