// An upstream made of a listening socket: it shows a request's exact bytes and sends exactly what a test says, for the
// few things that the fake upstream cannot do. Every answer ends its connection.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "eventually.h"
#include "shared/file_descriptor.h"
#include "shared/guarded.h"

namespace nemo::test {

// A port of this machine at which nothing listens, for as long as this object lives.
class ClosedPort {
 public:
  ClosedPort() : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* where = reinterpret_cast<sockaddr*>(&address);
    if (::bind(m_fd.get(), where, size) != 0 || ::getsockname(m_fd.get(), where, &size) != 0) {
      throw std::runtime_error("no free port");
    }
    m_port = ntohs(address.sin_port);
  }
  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(m_port) + "/v1"; }
  int fd() const { return m_fd.get(); }

 private:
  FileDescriptor m_fd;
  int m_port = 0;
};

// One connection to a RawUpstream, in the hands of the test's answer function.
class RawCall {
 public:
  explicit RawCall(int fd) : m_fd(fd) {}
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void send_stream_head() const {
    send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
  }
  // Until the other side has closed; not for ever.
  void wait_for_close() const {
    constexpr int k_patience_ms = std::chrono::milliseconds(k_patience).count();
    pollfd one{m_fd, POLLIN, 0};
    ::poll(&one, 1, k_patience_ms);
  }

 private:
  int m_fd;
};

// Calls come one at a time. A request for the model list is refused, so that the daemon takes every model as served.
class RawUpstream {
 public:
  using Answer = std::function<void(const RawCall& call)>;

  explicit RawUpstream(Answer answer) : m_answer(std::move(answer)) {
    if (::listen(m_port.fd(), SOMAXCONN) != 0) throw std::runtime_error("no listening socket");
    m_thread = std::thread([this] { serve(); });
  }
  ~RawUpstream() {
    ::shutdown(m_port.fd(), SHUT_RDWR);
    m_thread.join();
  }
  RawUpstream(const RawUpstream&) = delete;
  RawUpstream& operator=(const RawUpstream&) = delete;

  std::string base_url() const { return m_port.base_url(); }
  // The calls as they came, heads and bodies.
  std::vector<std::string> requests() const {
    return m_requests.with([](const auto& requests) { return requests; });
  }

 private:
  void serve() {
    for (;;) {
      const FileDescriptor fd(::accept4(m_port.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid()) return;
      const std::string request = read_request(fd.get());
      const RawCall call(fd.get());
      if (request.starts_with("GET ")) {
        call.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        continue;
      }
      m_requests.with([&](auto& requests) { requests.push_back(request); });
      m_answer(call);
    }
  }

  static std::string read_request(int fd) {
    std::string all;
    std::array<char, 65536> piece{};
    for (;;) {
      const auto end = all.find("\r\n\r\n");
      if (end != std::string::npos && all.size() >= end + 4 + content_length(all.substr(0, end))) return all;
      const ssize_t got = ::recv(fd, piece.data(), piece.size(), 0);
      if (got <= 0) return all;
      all.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

  static std::size_t content_length(const std::string& head) {
    constexpr std::string_view k_name = "Content-Length: ";
    const auto at = head.find(k_name);
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + k_name.size()));
  }

  ClosedPort m_port;
  Answer m_answer;
  Guarded<std::vector<std::string>> m_requests;
  std::thread m_thread;
};

}  // namespace nemo::test
