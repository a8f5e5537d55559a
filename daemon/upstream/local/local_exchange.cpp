#include "daemon/upstream/local/local_exchange.h"

#include <poll.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/upstream/failure.h"
#include "daemon/upstream/request_lines.h"

namespace nemo::upstream::local {
namespace {

constexpr std::size_t k_read_at_once = 16384;

bool has_header(const std::vector<std::string>& lines, std::string_view name) {
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return line.size() > name.size() && line[name.size()] == ':' &&
           strncasecmp(line.data(), name.data(), name.size()) == 0;
  });
}

void add_header(std::string& head, std::string_view name, std::string_view value) {
  head.append(name).append(": ").append(value).append("\r\n");
}

std::string head_of(const Request& request, const Target& target) {
  constexpr std::size_t k_usual_head = 512;
  std::string head;
  head.reserve(k_usual_head);
  head.append(request.method).append(" ").append(target.path.empty() ? "/" : target.path).append(" HTTP/1.1\r\n");
  add_header(head, "Host", target.authority);
  if (!has_header(request.headers, "User-Agent")) add_header(head, "User-Agent", user_agent());
  if (!has_header(request.headers, "Accept")) add_header(head, "Accept", "*/*");
  add_header(head, "Accept-Encoding", "identity");  // a compressed answer that nobody asked for is still read
  if (!request.bearer.empty() && request.key_header.empty()) {
    head.append("Authorization: Bearer ").append(request.bearer.expose()).append("\r\n");
  } else if (!request.bearer.empty()) {
    add_header(head, request.key_header, request.bearer.expose());
  }
  for (const std::string& line : request.headers) {
    if (is_one_line(line)) head.append(line).append("\r\n");
  }
  if (request.method == "POST") add_header(head, "Content-Length", std::to_string(request.body.size()));
  return head.append("\r\n");
}

std::string_view advice_for(Flaw flaw) {
  switch (flaw) {
    case Flaw::no_http:
      return "what answers there does not speak HTTP";
    case Flaw::unreadable_coding:
      return "its answer is compressed, but not readable";
    case Flaw::bad_chunk:
      return "the chunks of its answer cannot be read";
    case Flaw::head_too_long:
      return "the head of its answer does not end";
    case Flaw::cut_short:
    case Flaw::none:
      break;
  }
  return "its answer ended too early";
}

bool says(short events, int what) {
  return (events & what) != 0;
}

}  // namespace

// Shut down, the socket wakes a worker that waits for it, and tells upstream at once.
class LocalExchange::LineCanceller final : public Canceller {
 public:
  explicit LineCanceller(std::shared_ptr<Line> line) : m_line(std::move(line)) {}
  void cancel(const Error& why) override {
    const std::lock_guard lock(m_line->mutex);
    if (m_line->ended || m_line->cancelled) return;
    m_line->cancelled = why;
    if (m_line->socket >= 0) ::shutdown(m_line->socket, SHUT_RDWR);
  }

 private:
  std::shared_ptr<Line> m_line;
};

LocalExchange::LocalExchange(std::shared_ptr<Connections> connections, Request request)
    : m_connections(std::move(connections)),
      m_request(std::move(request)),
      m_target(read_target(m_request.url).value()),
      m_request_head(head_of(m_request, m_target)),
      m_patience(m_request),
      m_connect_by(std::chrono::steady_clock::now() + m_request.connect_timeout) {
  if (auto kept = m_connections->take(m_target.authority)) {
    m_is_reused = true;
    attach(std::move(*kept));
    begin();
  } else {
    connect_next();
  }
}

LocalExchange::~LocalExchange() {
  if (!m_ended) end(std::nullopt);
  ::explicit_bzero(m_request_head.data(), m_request_head.size());  // it holds the key
}

std::shared_ptr<Canceller> LocalExchange::canceller() {
  return std::make_shared<LineCanceller>(m_line);
}

void LocalExchange::attach(FileDescriptor connection) {
  const std::lock_guard lock(m_line->mutex);
  m_line->socket = connection.get();
  m_connection = std::move(connection);  // closes the one before
}

void LocalExchange::begin() {
  m_sent = 0;
  m_may_send = true;
  m_sent_at = std::chrono::steady_clock::now();
  send_some();
}

// To the next address that does not refuse at once.
void LocalExchange::connect_next() {
  m_is_reused = false;
  FileDescriptor connection = connect_to(m_target, m_next_address++);
  if (!connection.valid()) return could_not_send(errno);
  attach(std::move(connection));
  begin();
}

void LocalExchange::send_some() {
  while (!m_ended && m_may_send && !is_sent()) {
    const std::size_t of_head = std::min(m_sent, m_request_head.size());
    const std::size_t of_body = m_sent - of_head;
    std::array<iovec, 2> parts{{{m_request_head.data() + of_head, m_request_head.size() - of_head},
                                {m_request.body.data() + of_body, m_request.body.size() - of_body}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(m_connection.get(), &message, MSG_NOSIGNAL);
    if (sent >= 0) {
      m_sent += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR) {
      return could_not_send(errno);
    }
  }
}

void LocalExchange::could_not_send(int why) {
  if (is_connected()) {
    m_may_send = false;  // what it has said before, or its end, is there to be read
    return;
  }
  if (m_first_refusal == 0) m_first_refusal = why;  // of a name's addresses the first is the usual one
  if (m_next_address < address_count(m_target)) return connect_next();
  const std::string detail = std::generic_category().message(m_first_refusal);
  end(m_first_refusal == ECONNREFUSED ? could_not_answer(m_request.url, "it refused the connection: is it running?")
                                      : could_not_answer(m_request.url, "the call failed", detail));
}

void LocalExchange::read_some() {
  std::array<char, k_read_at_once> bytes;  // NOLINT: not cleared, since it is written first
  const ssize_t got = ::recv(m_connection.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) lost(errno);
    return;
  }
  if (got == 0) {
    if (!m_reader.has_begun()) return lost(0);
    return heed(m_reader.close());
  }
  m_last_bytes_at = std::chrono::steady_clock::now();
  heed(m_reader.read({bytes.data(), static_cast<std::size_t>(got)}, m_pipe));
}

void LocalExchange::heed(Flaw flaw) {
  if (m_reader.has_head() && !m_has_head) {
    m_has_head = true;
    m_head = std::move(m_reader.head());
  }
  if (flaw != Flaw::none) {
    end(could_not_answer(m_request.url, advice_for(flaw)));
  } else if (m_reader.is_whole()) {
    finish();
  }
}

// The connection is gone without a whole answer. A kept one may have been closed as the request was on its way: nobody
// has read that.
void LocalExchange::lost(int why) {
  if (m_is_reused && !m_reader.has_begun()) {
    check_cancelled();
    if (!m_ended) connect_next();
    return;
  }
  if (!is_connected()) return could_not_send(why);
  end(could_not_answer(m_request.url,
                       why == 0 ? "it closed the connection without an answer" : "the connection was reset"));
}

void LocalExchange::finish() {
  FileDescriptor connection;
  {
    const std::lock_guard lock(m_line->mutex);
    const bool is_usable = m_reader.keeps_connection() && is_sent() && !m_line->cancelled;
    if (is_usable) {
      m_line->socket = -1;
      connection = std::move(m_connection);
    }
  }
  if (connection.valid()) m_connections->keep(m_target.authority, std::move(connection));
  end(std::nullopt);
}

// With what it was cancelled with, if it was.
void LocalExchange::end(std::optional<Error> failure) {
  const std::lock_guard lock(m_line->mutex);
  m_failure = m_line->cancelled ? m_line->cancelled : std::move(failure);
  m_line->socket = -1;
  m_line->ended = true;
  m_connection.reset();
  m_ended = true;
}

void LocalExchange::check_cancelled() {
  bool is_cancelled = false;
  {
    const std::lock_guard lock(m_line->mutex);
    is_cancelled = m_line->cancelled.has_value();
  }
  if (is_cancelled) end(std::nullopt);
}

Wake LocalExchange::wait_head(int client_fd) {
  return wait(client_fd, {}, [this] { return m_has_head; });
}

Wake LocalExchange::wait_body(int client_fd, std::optional<SteadyTime> until) {
  return wait(client_fd, until, [this] { return !m_pipe.empty(); });
}

template <typename There>
Wake LocalExchange::wait(int client_fd, std::optional<SteadyTime> until, There there) {
  const SteadyTime last = m_patience.end();
  for (;;) {
    if (there()) return Wake::ready;
    if (!m_ended) check_cancelled();
    if (m_ended) return Wake::ended;
    SteadyTime next = until ? std::min(*until, last) : last;
    if (!is_connected()) next = std::min(next, m_connect_by);
    short events = 0;
    switch (poll_until(client_fd, next, events)) {
      case Polled::client:
        return Wake::client_gone;
      case Polled::nothing: {
        const SteadyTime now = std::chrono::steady_clock::now();
        if (until && *until <= now && *until < last) return Wake::not_yet;
        if (now >= last) {
          end(m_patience.run_out());
        } else if (!is_connected() && now >= m_connect_by) {
          end(could_not_answer(m_request.url, "it did not accept a connection in time", {},
                               ErrorKind::upstream_timeout));
        }
        break;
      }
      case Polled::socket:
        if (says(events, POLLOUT | POLLERR | POLLHUP)) send_some();
        if (!m_ended && says(events, POLLIN | POLLERR | POLLHUP)) read_some();
        break;
    }
  }
}

LocalExchange::Polled LocalExchange::poll_until(int client_fd, SteadyTime until, short& events) const {
  const bool must_send = m_may_send && !is_sent();
  std::array<pollfd, 2> fds{{{m_connection.get(), static_cast<short>(must_send ? POLLIN | POLLOUT : POLLIN), 0},
                             {client_fd, POLLRDHUP, 0}}};  // poll passes over -1
  if (::poll(fds.data(), fds.size(), static_cast<int>(left_until(until).count())) <= 0) return Polled::nothing;
  if (says(fds[1].revents, POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) return Polled::client;
  events = fds[0].revents;
  return Polled::socket;
}

bool LocalExchange::take(std::string& into) {
  if (m_pipe.empty()) return false;
  if (into.empty()) {
    into.swap(m_pipe);
  } else {
    into.append(m_pipe);
  }
  m_pipe.clear();
  m_patience.bytes_were_taken();
  return true;
}

}  // namespace nemo::upstream::local
