// A blocking HTTP/1.1 client that adds as little as can be to what it measures: one connection, one call at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace nemo::bench {

double monotonic_ms();

// Throws std::runtime_error on whatever goes wrong, with what it was.
class HttpConnection {
 public:
  explicit HttpConnection(std::uint16_t port) : m_port(port) {}
  ~HttpConnection() { close(); }
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;
  HttpConnection(HttpConnection&& other) noexcept;
  HttpConnection& operator=(HttpConnection&&) = delete;

  void connect();
  void close();
  int fd() const { return m_fd; }
  void send(std::string_view bytes);
  // One read of what has arrived; waits for the first byte, at most `timeout_ms`.
  std::string_view receive(int timeout_ms = 30'000);
  // Reads one whole response. `on_body` gets body bytes as they arrive, still with their chunk framing.
  int read_response(const std::function<void(std::string_view)>& on_body = {});
  // Sends on the kept connection, or on a new one when it was closed meanwhile, and reads the answer to its end.
  int call(std::string_view request, const std::function<void(std::string_view)>& on_body = {});

 private:
  std::uint16_t m_port;
  int m_fd = -1;
  std::string m_buffer;
};

std::string post_request(std::string_view path, std::string_view headers, std::string_view body);

// The body of an answer to a GET, for the fake upstream's journal.
std::string get_body(std::uint16_t port, const std::string& path);
void post_json(std::uint16_t port, const std::string& path, const std::string& body);

}  // namespace nemo::bench
