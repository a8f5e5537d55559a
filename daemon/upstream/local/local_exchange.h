// One exchange with a server on this machine, in clear HTTP/1.1: its worker itself writes and reads the socket, so that
// nothing stands between the two. Internal to upstream/.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "daemon/upstream/local/answer_reader.h"
#include "daemon/upstream/local/connections.h"
#include "daemon/upstream/local/target.h"
#include "daemon/upstream/patience.h"
#include "daemon/upstream/transport.h"

namespace nemo::upstream::local {

class LocalExchange final : public Exchange {
 public:
  // The request has a target that read_target() can read, and is sent at once as far as the socket takes it.
  LocalExchange(std::shared_ptr<Connections> connections, Request request);
  ~LocalExchange() override;
  LocalExchange(const LocalExchange&) = delete;
  LocalExchange& operator=(const LocalExchange&) = delete;

  Wake wait_head(int client_fd) override;
  Wake wait_body(int client_fd, std::optional<SteadyTime> until) override;

  const Head& head() const override { return m_head; }
  bool take(std::string& into) override;
  std::shared_ptr<Canceller> canceller() override;
  std::optional<Error> failure() const override { return m_failure; }
  SteadyTime sent_at() const override { return m_sent_at; }
  SteadyTime last_bytes_at() const override { return m_last_bytes_at; }

 private:
  // What a canceller reaches, from any thread.
  struct Line {
    std::mutex mutex;
    int socket = -1;  // while it is this exchange's own
    bool ended = false;
    std::optional<Error> cancelled;
  };
  class LineCanceller;

  template <typename There>
  Wake wait(int client_fd, std::optional<SteadyTime> until, There there);
  enum class Polled : std::uint8_t { socket, client, nothing };
  Polled poll_until(int client_fd, SteadyTime until, short& events) const;

  void begin();
  void attach(FileDescriptor connection);
  void connect_next();
  void send_some();
  void could_not_send(int why);
  void read_some();
  void lost(int why);
  void heed(Flaw flaw);
  void finish();
  void end(std::optional<Error> failure);
  void check_cancelled();
  bool is_sent() const { return m_sent == m_request_head.size() + m_request.body.size(); }
  bool is_connected() const { return m_is_reused || m_sent > 0; }

  std::shared_ptr<Connections> m_connections;
  Request m_request;
  Target m_target;  // of m_request.url
  std::string m_request_head;
  std::shared_ptr<Line> m_line = std::make_shared<Line>();
  Patience m_patience;
  SteadyTime m_connect_by;

  FileDescriptor m_connection;
  std::size_t m_next_address = 0;
  int m_first_refusal = 0;   // errno
  bool m_is_reused = false;  // the connection had an answer before: it may have ended just now
  bool m_may_send = true;
  std::size_t m_sent = 0;
  SteadyTime m_sent_at{};
  SteadyTime m_last_bytes_at{};

  AnswerReader m_reader;
  Head m_head;
  bool m_has_head = false;
  std::string m_pipe;
  bool m_ended = false;
  std::optional<Error> m_failure;
};

}  // namespace nemo::upstream::local
