// Servers on this machine: model servers such as Ollama and llama.cpp, and other gateways.
#pragma once

#include <memory>

#include "daemon/upstream/local/connections.h"
#include "daemon/upstream/transport.h"

namespace nemo::upstream::local {

// Serves what goes to this machine in clear HTTP/1.1 itself, with the least that it takes, and leaves everything else
// to another transport. Any thread; `others` outlives it.
class LocalTransport final : public Transport {
 public:
  explicit LocalTransport(Transport& others) : m_others(others) {}

  std::unique_ptr<Exchange> start(Request request) override;
  Race wait_first(Exchange& first, Exchange& second, int client_fd, std::optional<SteadyTime> until) override {
    return m_others.wait_first(first, second, client_fd, until);
  }
  bool pause(int client_fd, Millis time) override { return m_others.pause(client_fd, time); }
  void forget_connections() override;

 private:
  Transport& m_others;
  std::shared_ptr<Connections> m_connections = std::make_shared<Connections>();
};

}  // namespace nemo::upstream::local
