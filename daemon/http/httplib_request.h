// One request on its way through httplib: its bytes, and what the hooks need to know of it. Included by
// editor_server.cpp and the two files that it leans on, request_facts and own_answers, alone.
#pragma once

#include <httplib.h>

#include <memory>
#include <string>

#include "daemon/gateway/live.h"
#include "daemon/http/client_socket.h"
#include "daemon/http/connection_pool.h"
#include "shared/clock.h"

namespace nemo::http {

// httplib refuses descriptors above FD_SETSIZE although nothing here selects on them; it only compares this number.
inline constexpr int k_descriptor_for_httplib = 0;

class StreamOverSocket final : public httplib::Stream {
 public:
  explicit StreamOverSocket(ClientSocket& socket) : m_socket(socket) {}
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* into, std::size_t most) override { return m_socket.read(into, most); }
  ssize_t write(const char* bytes, std::size_t size) override {
    if (m_answered) return static_cast<ssize_t>(size);
    return m_socket.write({bytes, size}) ? static_cast<ssize_t>(size) : -1;
  }
  // The answer has been written past httplib. What it writes now, thinking that it has to, goes nowhere.
  void answered() { m_answered = true; }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return k_descriptor_for_httplib; }

 private:
  ClientSocket& m_socket;
  bool m_answered = false;
};

// What the hooks of one request need to know of it.
struct RequestContext {
  ClientSocket& socket;
  StreamOverSocket& stream;
  const bool& closed;  // the connection ends with this request, as httplib has read it
  SteadyTime received_at;
  std::shared_ptr<const gateway::Snapshot> world;
  After after = After::keep;
  bool too_large = false;
  std::string allowed_origin;
  call::Surface voice = call::Surface::openai_chat;  // in whose shape errors are told
};

inline thread_local RequestContext* t_context = nullptr;

// Sets it for as long as a request is served, whatever ends that.
class CurrentContext {
 public:
  explicit CurrentContext(RequestContext& context) { t_context = &context; }
  ~CurrentContext() { t_context = nullptr; }
  CurrentContext(const CurrentContext&) = delete;
  CurrentContext& operator=(const CurrentContext&) = delete;
};

}  // namespace nemo::http
