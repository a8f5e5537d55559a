#include "tests/bench/http_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace nemo::bench {
namespace {

constexpr std::size_t k_read_bytes = std::size_t{256} * 1024;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

[[noreturn]] void fail_errno(const char* what) {
  fail(std::string(what) + ": error " + std::to_string(errno));
}

struct Head {
  int status = 0;
  bool chunked = false;
  bool close = false;
  long content_length = -1;
};

Head parse_head(std::string head) {
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  Head parsed;
  if (head.size() < 12) fail("a response that is too short");
  parsed.status = std::atoi(head.c_str() + 9);
  parsed.chunked = head.find("\r\ntransfer-encoding: chunked") != std::string::npos;
  parsed.close = head.find("\r\nconnection: close") != std::string::npos;
  const auto length = head.find("\r\ncontent-length:");
  if (length != std::string::npos) parsed.content_length = std::atol(head.c_str() + length + 17);
  return parsed;
}

// How much more of a chunked body there is to come: walks the frames and remembers where it is.
class ChunkWalk {
 public:
  // True once the last chunk was seen.
  bool walk(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size() && !m_done;) {
      if (m_left > 0) {
        const std::size_t step = std::min(m_left, bytes.size() - i);
        m_left -= step;
        i += step;
        continue;
      }
      const char c = bytes[i++];
      if (c != '\n') {
        if (c != '\r') m_line += c;
        continue;
      }
      end_line();
    }
    return m_done;
  }

 private:
  void end_line() {
    const std::string line = std::exchange(m_line, {});
    if (m_last) {
      m_done = true;
      return;
    }
    if (line.empty()) return;  // the end of a chunk's data
    m_left = std::strtoul(line.c_str(), nullptr, 16);
    m_last = m_left == 0;
  }

  std::string m_line;
  std::size_t m_left = 0;
  bool m_last = false;
  bool m_done = false;
};

}  // namespace

double monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

HttpConnection::HttpConnection(HttpConnection&& other) noexcept
    : m_port(other.m_port), m_fd(std::exchange(other.m_fd, -1)), m_buffer(std::move(other.m_buffer)) {}

void HttpConnection::connect() {
  close();
  m_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (m_fd < 0) fail_errno("socket");
  const int on = 1;
  setsockopt(m_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(m_port);
  if (::connect(m_fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail_errno("connect");
}

void HttpConnection::close() {
  if (m_fd >= 0) ::close(m_fd);
  m_fd = -1;
  m_buffer.clear();
}

void HttpConnection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fail_errno("send");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string_view HttpConnection::receive(int timeout_ms) {
  pollfd waited{m_fd, POLLIN, 0};
  if (poll(&waited, 1, timeout_ms) <= 0) fail("no answer in time");
  m_buffer.resize(k_read_bytes);
  const ssize_t got = recv(m_fd, m_buffer.data(), m_buffer.size(), 0);
  if (got < 0) fail_errno("recv");
  if (got == 0) fail("the connection was closed");
  return std::string_view(m_buffer).substr(0, static_cast<std::size_t>(got));
}

int HttpConnection::read_response(const std::function<void(std::string_view)>& on_body) {
  std::string head;
  std::size_t head_end = std::string::npos;
  while (head_end == std::string::npos) {
    head += receive();
    head_end = head.find("\r\n\r\n");
  }
  const Head parsed = parse_head(head.substr(0, head_end));
  std::string_view body = std::string_view(head).substr(head_end + 4);
  ChunkWalk walk;
  long left = parsed.content_length;
  while (true) {
    if (on_body && !body.empty()) on_body(body);
    if (parsed.chunked ? walk.walk(body) : (left -= static_cast<long>(body.size())) <= 0) break;
    body = receive();
  }
  if (parsed.close) close();
  return parsed.status;
}

int HttpConnection::call(std::string_view request, const std::function<void(std::string_view)>& on_body) {
  if (m_fd < 0) connect();
  send(request);
  return read_response(on_body);
}

std::string post_request(std::string_view path, std::string_view headers, std::string_view body) {
  std::string request = "POST ";
  request += path;
  request += " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: */*\r\n";
  request += headers;
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  return request;
}

std::string get_body(std::uint16_t port, const std::string& path) {
  HttpConnection connection(port);
  std::string body;
  connection.call("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                  [&](std::string_view bytes) { body += bytes; });
  return body;
}

void post_json(std::uint16_t port, const std::string& path, const std::string& body) {
  HttpConnection connection(port);
  const int status = connection.call(post_request(path, "", body));
  if (status != 200) fail(path + " answered " + std::to_string(status));
}

}  // namespace nemo::bench
