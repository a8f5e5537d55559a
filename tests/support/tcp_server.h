// A TCP server that says exactly what a test tells it to, each connection on a thread of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "shared/file_descriptor.h"

namespace nemo::test {

// The descriptors that a server may have to shut from outside.
struct OpenPeers {
  std::mutex mutex;
  std::vector<int> fds;
};

// One connection, as the server's side sees it.
class Peer {
 public:
  Peer(FileDescriptor fd, OpenPeers& open) : m_fd(std::move(fd)), m_open(open) {}

  // The next request with its body (by Content-Length); empty: the client has closed.
  std::string read_request() {
    for (;;) {
      const auto end = m_in.find("\r\n\r\n");
      if (end != std::string::npos) {
        const std::size_t size = end + 4 + body_size(m_in.substr(0, end));
        if (m_in.size() >= size) {
          std::string request = m_in.substr(0, size);
          m_in.erase(0, size);
          return request;
        }
      }
      if (!read_some()) return {};
    }
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(m_fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // 200 with a length, and the connection stays.
  bool answer(std::string_view body) {
    return send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }
  void wait_for_close() {
    while (read_some()) {
    }
  }
  void close() {
    const std::lock_guard lock(m_open.mutex);
    std::erase(m_open.fds, m_fd.get());
    m_fd.reset();
  }
  void reset() {
    const linger hard{1, 0};
    ::setsockopt(m_fd.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }

 private:
  static std::size_t body_size(const std::string& head) {
    constexpr std::string_view k_name = "Content-Length: ";
    const auto at = head.find(k_name);
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + k_name.size()));
  }
  bool read_some() {
    std::array<char, 65536> bytes{};
    const ssize_t got = ::recv(m_fd.get(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    m_in.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
  }

  FileDescriptor m_fd;
  OpenPeers& m_open;
  std::string m_in;
};

class TcpServer {
 public:
  // `serve` runs for every connection, which is closed after it. `number` counts connections from 0.
  using Serve = std::function<void(Peer& peer, int number)>;

  explicit TcpServer(Serve serve)
      : m_serve(std::move(serve)), m_listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(m_listener.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(m_listener.get(), 128) != 0 ||
        ::getsockname(m_listener.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw std::runtime_error("no listening socket");
    }
    m_port = ntohs(address.sin_port);
    m_acceptor = std::thread([this] { accept_all(); });
  }
  ~TcpServer() {
    ::shutdown(m_listener.get(), SHUT_RDWR);
    m_acceptor.join();
    {
      const std::lock_guard lock(m_open.mutex);
      for (const int fd : m_open.fds) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& one : m_threads) one.join();
  }
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  int port() const { return m_port; }
  std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + std::to_string(m_port) + path; }
  int accepted() const { return m_accepted; }  // connections so far
  int closed() const { return m_closed; }      // of these, how many the script has left behind

 private:
  void accept_all() {
    for (;;) {
      FileDescriptor fd(::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!fd.valid()) return;
      const std::lock_guard lock(m_open.mutex);
      const int number = m_accepted++;
      m_open.fds.push_back(fd.get());
      m_threads.emplace_back([this, number, peer = Peer(std::move(fd), m_open)]() mutable {
        m_serve(peer, number);
        peer.close();
        ++m_closed;
      });
    }
  }

  Serve m_serve;
  FileDescriptor m_listener;
  int m_port = 0;
  std::atomic<int> m_accepted{0};
  std::atomic<int> m_closed{0};
  OpenPeers m_open;
  std::list<std::thread> m_threads;
  std::thread m_acceptor;
};

}  // namespace nemo::test
