// Google's token endpoint as a test scripts it, with a gate before its answers.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "daemon/upstream/transport.h"
#include "google_key.h"
#include "scripted_transport.h"

namespace nemo::test {

// Answers wait behind it while it is closed; whoever waits also sees a client that leaves.
class Gate {
 public:
  Gate() { must(::pipe(m_pipe.data()) == 0); }
  ~Gate() {
    for (const int fd : m_pipe) ::close(fd);
  }
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  void open() { must(::write(m_pipe[1], "x", 1) == 1); }
  void close() {
    char byte = 0;
    must(::read(m_pipe[0], &byte, 1) == 1);
  }
  bool wait(int client_fd) const {  // false: the client left first
    std::array<pollfd, 2> fds{{{m_pipe[0], POLLIN, 0}, {client_fd, POLLIN, 0}}};
    while (::poll(fds.data(), fds.size(), -1) <= 0) {
    }
    return (fds[0].revents & POLLIN) != 0;
  }

 private:
  static void must(bool done) {
    if (!done) throw std::runtime_error("the gate does not move");
  }
  std::array<int, 2> m_pipe{};
};

class GatedExchange final : public upstream::Exchange {
 public:
  GatedExchange(std::unique_ptr<upstream::Exchange> inner, const Gate& gate)
      : m_inner(std::move(inner)), m_gate(gate) {}
  upstream::Wake wait_head(int client_fd) override {
    return m_gate.wait(client_fd) ? m_inner->wait_head(client_fd) : upstream::Wake::client_gone;
  }
  upstream::Wake wait_body(int client_fd, std::optional<SteadyTime> until) override {
    return m_inner->wait_body(client_fd, until);
  }
  const upstream::Head& head() const override { return m_inner->head(); }
  bool take(std::string& into) override { return m_inner->take(into); }
  std::shared_ptr<upstream::Canceller> canceller() override { return m_inner->canceller(); }
  std::optional<Error> failure() const override { return m_inner->failure(); }
  SteadyTime sent_at() const override { return {}; }
  SteadyTime last_bytes_at() const override { return {}; }

 private:
  std::unique_ptr<upstream::Exchange> m_inner;
  const Gate& m_gate;
};

// Google as a test scripts it; open from the start. Any thread.
class FakeGoogle final : public upstream::Transport {
 public:
  FakeGoogle() { gate.open(); }

  void gives(const std::string& token, int life = 3600) {
    expect(says(200, Json{{"access_token", token}, {"expires_in", life}, {"token_type", "Bearer"}}.dump()));
  }
  void refuses(const char* error, const char* description, const char* date = nullptr) {
    ScriptedAnswer answer = says(400, Json{{"error", error}, {"error_description", description}}.dump());
    if (date != nullptr) answer.headers = {{"date", date}};
    expect(std::move(answer));
  }
  void expect(ScriptedAnswer answer) {
    const std::lock_guard lock(m_mutex);
    m_script.expect(std::move(answer));
  }
  std::unique_ptr<upstream::Exchange> start(upstream::Request request) override {
    const std::lock_guard lock(m_mutex);
    ++m_asked;
    return std::make_unique<GatedExchange>(m_script.start(std::move(request)), gate);
  }
  Race wait_first(upstream::Exchange&, upstream::Exchange&, int, std::optional<SteadyTime>) override {
    return Race::not_yet;
  }
  bool pause(int, upstream::Millis) override { return true; }
  void forget_connections() override {}

  int asked() const { return m_asked; }
  upstream::Request request(std::size_t index) {
    const std::lock_guard lock(m_mutex);
    return m_script.requests().at(index);
  }
  std::int64_t issued_at(std::size_t index) {
    const std::string body = request(index).body;
    return read_jwt(body.substr(body.rfind('=') + 1)).claims["iat"].get<std::int64_t>();
  }

  Gate gate;

 private:
  std::mutex m_mutex;
  ScriptedTransport m_script;
  std::atomic<int> m_asked{0};
};

}  // namespace nemo::test
