#include "tests/support/fake_upstream/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace nemo::fake_upstream {
namespace {

constexpr std::size_t k_read_bytes = std::size_t{64} * 1024;
constexpr int k_steps_at_once = 64;  // then the others have their turn

void set_reset_on_close(int fd) {
  const linger option{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &option, sizeof option);
}

}  // namespace

Connection::Connection(int fd, std::uint64_t serial, Endpoints& endpoints)
    : m_fd(fd), m_serial(serial), m_endpoints(endpoints) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Connection::~Connection() {
  if (m_reply.call) end_answer(CallState::cancelled);
  close(m_fd);
}

std::optional<double> Connection::due_ms() const {
  if (m_wait) return m_wait_until_ms;
  if (m_step && !m_sending && !m_step->held) return m_step_due_ms;
  return std::nullopt;
}

void Connection::on_readable() {
  std::array<char, k_read_bytes> buffer{};
  while (!m_over) {
    const ssize_t got = recv(m_fd, buffer.data(), buffer.size(), 0);
    if (got > 0) {
      m_parser.append(buffer.data(), static_cast<std::size_t>(got));
      if (static_cast<std::size_t>(got) < buffer.size()) break;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    on_hang_up();
    return;
  }
  take_requests();
}

void Connection::take_requests() {
  while (!m_over && !m_reply.playback && !m_wait) {
    Request request;
    const auto outcome = m_parser.parse(request);
    if (outcome == RequestParser::Outcome::incomplete) {
      constexpr std::string_view k_continue = "HTTP/1.1 100 Continue\r\n\r\n";
      if (m_parser.take_wants_continue() && send(m_fd, k_continue.data(), k_continue.size(), MSG_NOSIGNAL) < 0)
        on_hang_up();
      return;
    }
    if (outcome == RequestParser::Outcome::complete) {
      begin(m_endpoints.answer(request), request.keep_alive);
    } else {
      begin(m_endpoints.bad_request(outcome == RequestParser::Outcome::too_large ? 413 : 400), false);
    }
  }
}

void Connection::begin(Reply reply, bool keep_alive) {
  m_reply = std::move(reply);
  m_keep_alive = keep_alive;
  m_ticket = m_endpoints.gate().ticket();
  m_step_due_ms = monotonic_ms();
  if (m_reply.wait) {
    m_wait = m_reply.wait;
    m_wait_until_ms = m_step_due_ms + m_wait->timeout_ms;
    return;
  }
  play();
}

void Connection::end_wait(bool reached) {
  m_wait.reset();
  begin(m_endpoints.waited(reached), m_keep_alive);
  take_requests();
}

void Connection::on_due() {
  if (m_wait) {
    end_wait(false);
    return;
  }
  play();
  take_requests();
}

void Connection::on_writable() {
  play();
  take_requests();
}

void Connection::on_hang_up() {
  if (m_reply.call) end_answer(CallState::cancelled);
  m_over = true;
}

// Plays all that is due. Leaves m_step set when there is a reason to come back.
void Connection::play() {
  int steps = 0;
  while (m_reply.playback && !m_over && !m_stalled) {
    if (!m_step) {
      m_step = m_reply.playback->next();
      m_step_due_ms += m_step->wait_ms;
    }
    if (m_step->held) {
      if (!m_endpoints.gate().is_open_for(m_ticket)) return;
      m_step->held = false;
      m_step_due_ms = monotonic_ms() + m_step->wait_ms;
    }
    if (!m_sending) {
      const bool out_of_turn = m_step->wait_ms == 0 && ++steps > k_steps_at_once;
      if (out_of_turn || (m_step->wait_ms > 0 && m_step_due_ms > monotonic_ms())) return;
      m_output = std::move(m_step->bytes);
      m_sent = 0;
      m_sending = true;
    }
    if (!flush()) return;
    finish_step();
  }
}

bool Connection::flush() {
  while (m_sent < m_output.size()) {
    const ssize_t sent = send(m_fd, m_output.data() + m_sent, m_output.size() - m_sent, MSG_NOSIGNAL);
    if (sent >= 0) {
      m_sent += static_cast<std::size_t>(sent);
    } else if (errno != EINTR) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) on_hang_up();
      return false;
    }
  }
  return true;
}

void Connection::finish_step() {
  if (m_reply.call) {
    Call& call = *m_reply.call;
    if (call.first_byte_ms == 0 && !m_output.empty()) call.first_byte_ms = monotonic_ms();
    call.chunks_sent += m_step->chunks;
    call.words_sent += m_step->words;
  }
  const Ending ending = m_step->ending;
  m_step.reset();
  m_output.clear();
  m_sent = 0;
  m_sending = false;
  if (ending == Ending::none) return;
  if (ending == Ending::stall) {
    m_stalled = true;
    return;
  }
  end_answer(m_reply.final_state);
  if (ending == Ending::reset) set_reset_on_close(m_fd);
  if (ending != Ending::keep_alive || !m_keep_alive) m_over = true;
}

void Connection::end_answer(CallState state) {
  if (m_reply.call) m_endpoints.journal().end(*m_reply.call, state, monotonic_ms());
  m_reply = {};
}

}  // namespace nemo::fake_upstream
