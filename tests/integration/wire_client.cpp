#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "harness.h"

namespace nemo::test {
namespace {

constexpr int k_receive_patience_ms = std::chrono::milliseconds(k_patience).count();

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

std::string Reply::header(std::string_view name) const {
  const std::string all = lower(head);
  const auto at = all.find("\r\n" + lower(name) + ":");
  if (at == std::string::npos) return {};
  auto from = at + name.size() + 3;
  while (from < head.size() && head[from] == ' ') ++from;
  return head.substr(from, head.find("\r\n", from) - from);
}

Json Reply::json() const {
  return Json::parse(body, nullptr, false);
}

Client::Client(int port) : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(m_fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("no connection to port " + std::to_string(port));
  }
}

bool takes_connections(int port) {
  try {
    const Client client(port);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

bool Client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(m_fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Client::half_close() {
  ::shutdown(m_fd.get(), SHUT_WR);
}

std::string Client::receive_some() {
  if (!m_buffer.empty()) return std::exchange(m_buffer, {});
  pollfd one{m_fd.get(), POLLIN, 0};
  if (::poll(&one, 1, k_receive_patience_ms) <= 0) throw std::runtime_error("the daemon says nothing");
  std::array<char, 65536> bytes{};
  const ssize_t got = ::recv(m_fd.get(), bytes.data(), bytes.size(), 0);
  return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

Reply Client::receive() {
  std::string all = std::exchange(m_buffer, {});
  const auto more = [&] {
    const std::string some = receive_some();
    all.append(some);
    return !some.empty();
  };
  Reply reply;
  std::size_t body_at = 0;
  for (;;) {
    const auto end = all.find("\r\n\r\n");
    if (end != std::string::npos) {
      reply.head = all.substr(0, end + 2);
      reply.status = std::stoi(reply.head.substr(9, 3));
      body_at = end + 4;
      if (reply.status >= 200) break;
      all.erase(0, body_at);  // 100 Continue
      continue;
    }
    if (!more()) return reply;
  }
  if (lower(reply.header("transfer-encoding")) == "chunked") {
    for (;;) {
      const auto line = all.find("\r\n", body_at);
      if (line == std::string::npos) {
        if (!more()) return reply;
        continue;
      }
      const std::size_t size = std::stoul(all.substr(body_at, line - body_at), nullptr, 16);
      while (all.size() < line + 2 + size + 2) {
        if (!more()) return reply;
      }
      reply.body.append(all, line + 2, size);
      body_at = line + 2 + size + 2;
      if (size == 0) break;
    }
  } else if (const std::string length = reply.header("content-length"); !length.empty()) {
    const std::size_t size = std::stoul(length);
    while (all.size() < body_at + size) {
      if (!more()) return reply;
    }
    reply.body = all.substr(body_at, size);
    body_at += size;
  } else {
    while (more()) {
    }
    reply.body = all.substr(body_at);
    body_at = all.size();
  }
  reply.whole = true;
  m_buffer = all.substr(body_at);
  return reply;
}

std::vector<std::string> stream_events(const std::string& body) {
  std::vector<std::string> events;
  std::size_t at = 0;
  while (at < body.size()) {
    auto end = body.find('\n', at);
    if (end == std::string::npos) end = body.size();
    std::string line = body.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.starts_with("data:")) events.push_back(line.substr(line.starts_with("data: ") ? 6 : 5));
    at = end + 1;
  }
  return events;
}

std::string stream_text(const std::string& body) {
  std::string text;
  for (const std::string& event : stream_events(body)) {
    const Json chunk = Json::parse(event, nullptr, false);
    if (!chunk.is_object() || !chunk.contains("choices") || chunk["choices"].empty()) continue;
    const Json& choice = chunk["choices"][0];
    if (choice.contains("text")) text += choice["text"].get<std::string>();
    if (!choice.contains("delta")) continue;
    const Json content = choice["delta"].value("content", Json());
    if (content.is_string()) text += content.get<std::string>();
  }
  return text;
}

}  // namespace nemo::test
