// An upstream in words: what each exchange says, piece by piece, and how it ends. No sockets, no threads, no time.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "daemon/upstream/transport.h"

namespace nemo::test {

enum class Ending : std::uint8_t {
  complete,       // the body ended as its framing promised
  broken,         // `failure` says how
  client_leaves,  // the client goes before upstream says more; without a client to watch, the answer completes
  silent,         // nothing more comes: only a wait with a limit returns
};

// One exchange. A piece that is empty stands for time that passes with nothing said: a wait with a limit comes back,
// and the piece is used up. In a race of two (wait_first) an exchange whose next piece is empty, or that has only
// Ending::silent left, is not ready. The first of those that are ready wins, and the other keeps its empty pieces. When
// neither is, time passes for both: each uses up an empty piece, and a wait with a limit comes back.
struct ScriptedAnswer {
  int status = 200;
  std::string content_type = "text/event-stream";
  std::vector<std::string> pieces;
  Ending ending = Ending::complete;
  Error failure = fail(ErrorKind::upstream_error, "the connection was reset");
  bool has_head = true;  // false: `ending` comes before the head
  bool is_sent = true;   // false: it waits for its turn to be sent as long as it lives
  std::vector<upstream::Header> headers;
  std::vector<std::string> after_client;  // client_leaves: what still comes for one who stays
};

inline ScriptedAnswer streams(std::vector<std::string> pieces, Ending ending = Ending::complete) {
  ScriptedAnswer answer;
  answer.pieces = std::move(pieces);
  answer.ending = ending;
  return answer;
}

inline ScriptedAnswer says(int status, std::string body) {
  ScriptedAnswer answer;
  answer.status = status;
  answer.content_type = "application/json";
  answer.pieces = {std::move(body)};
  return answer;
}

inline ScriptedAnswer fails(ErrorKind kind = ErrorKind::upstream_error) {
  ScriptedAnswer answer;
  answer.has_head = false;
  answer.ending = Ending::broken;
  answer.failure = fail(kind, "it refused the connection");
  return answer;
}

// What a test may ask about afterwards.
struct ScriptedTraffic {
  std::vector<upstream::Request> requests;
  int cancelled = 0;  // exchanges given up before they had ended
};

// An exchange sees that it was cancelled when it next waits.
class ScriptedCanceller final : public upstream::Canceller {
 public:
  void cancel(const Error& why) override {
    if (!m_why) m_why = why;
  }
  const std::optional<Error>& why() const { return m_why; }

 private:
  std::optional<Error> m_why;
};

class ScriptedExchange final : public upstream::Exchange {
 public:
  ScriptedExchange(ScriptedAnswer answer, std::shared_ptr<ScriptedTraffic> traffic)
      : m_answer(std::move(answer)), m_traffic(std::move(traffic)) {
    m_head.status = m_answer.status;
    m_head.headers = m_answer.headers;
    m_head.headers.push_back({"content-type", m_answer.content_type});
  }
  ~ScriptedExchange() override {
    if (!m_ended) ++m_traffic->cancelled;
  }

  std::shared_ptr<upstream::Canceller> canceller() override { return m_canceller; }

  upstream::Wake wait_head(int client_fd) override {
    if (m_canceller->why()) return upstream::Wake::ended;
    return m_answer.has_head ? upstream::Wake::ready : wait_for_ending(client_fd, false);
  }

  upstream::Wake wait_body(int client_fd, std::optional<SteadyTime> until) override {
    if (!m_pipe.empty()) return upstream::Wake::ready;
    if (m_canceller->why()) return upstream::Wake::ended;
    while (m_next < m_answer.pieces.size()) {
      m_pipe = m_answer.pieces[m_next++];
      if (!m_pipe.empty()) return upstream::Wake::ready;
      if (until) return upstream::Wake::not_yet;
    }
    return wait_for_ending(client_fd, until.has_value());
  }

  const upstream::Head& head() const override { return m_head; }
  bool take(std::string& into) override {
    into.append(m_pipe);
    return !std::exchange(m_pipe, {}).empty();
  }
  // What a race sees of it.
  enum class Next : std::uint8_t { ready, quiet, client_leaves };
  Next next(int client_fd) const {
    if (!m_pipe.empty() || m_ended) return Next::ready;
    if (m_next < m_answer.pieces.size()) return m_answer.pieces[m_next].empty() ? Next::quiet : Next::ready;
    if (m_answer.ending == Ending::silent) return Next::quiet;
    return m_answer.ending == Ending::client_leaves && client_fd >= 0 ? Next::client_leaves : Next::ready;
  }
  // Uses up one empty piece; false: there is none.
  bool let_time_pass() {
    if (!m_pipe.empty() || m_next == m_answer.pieces.size() || !m_answer.pieces[m_next].empty()) return false;
    ++m_next;
    return true;
  }
  std::optional<Error> failure() const override {
    if (m_canceller->why()) return m_canceller->why();
    if (m_ended && m_answer.ending == Ending::broken) return m_answer.failure;
    return std::nullopt;
  }
  SteadyTime sent_at() const override { return m_answer.is_sent ? SteadyTime(Micros(1)) : SteadyTime{}; }
  SteadyTime last_bytes_at() const override { return sent_at(); }

 private:
  upstream::Wake wait_for_ending(int client_fd, bool has_limit) {
    if (m_answer.ending == Ending::client_leaves) {
      if (client_fd >= 0) return upstream::Wake::client_gone;
      for (; m_after < m_answer.after_client.size();) {
        m_pipe = m_answer.after_client[m_after++];
        return upstream::Wake::ready;
      }
    }
    if (m_answer.ending == Ending::silent) {
      if (has_limit) return upstream::Wake::not_yet;
      throw std::logic_error("waited without a limit for an upstream that says nothing more");
    }
    m_ended = true;
    return upstream::Wake::ended;
  }

  ScriptedAnswer m_answer;
  std::shared_ptr<ScriptedTraffic> m_traffic;
  std::shared_ptr<ScriptedCanceller> m_canceller = std::make_shared<ScriptedCanceller>();
  upstream::Head m_head;
  std::string m_pipe;
  std::size_t m_next = 0;
  std::size_t m_after = 0;
  bool m_ended = false;
};

// One thread. Answers are used up in order; a request too many is a failure of the test.
class ScriptedTransport final : public upstream::Transport {
 public:
  void expect(ScriptedAnswer answer) { m_answers.push_back(std::move(answer)); }

  std::unique_ptr<upstream::Exchange> start(upstream::Request request) override {
    m_traffic->requests.push_back(std::move(request));
    if (m_answers.empty()) throw std::logic_error("a request that the test did not expect");
    ScriptedAnswer answer = std::move(m_answers.front());
    m_answers.pop_front();
    return std::make_unique<ScriptedExchange>(std::move(answer), m_traffic);
  }

  Race wait_first(upstream::Exchange& first, upstream::Exchange& second, int client_fd,
                  std::optional<SteadyTime> until) override {
    using Next = ScriptedExchange::Next;
    auto& one = dynamic_cast<ScriptedExchange&>(first);
    auto& two = dynamic_cast<ScriptedExchange&>(second);
    for (;;) {
      const Next of_one = one.next(client_fd);
      const Next of_two = two.next(client_fd);
      if (of_one == Next::ready) return Race::first;
      if (of_two == Next::ready) return Race::second;
      if (of_one == Next::client_leaves || of_two == Next::client_leaves) return Race::client_gone;
      const bool one_moved = one.let_time_pass();
      const bool two_moved = two.let_time_pass();
      if (until) return Race::not_yet;
      if (!one_moved && !two_moved) throw std::logic_error("waited without a limit for two upstreams that say nothing");
    }
  }

  bool pause(int /*client_fd*/, upstream::Millis time) override {
    m_pauses.push_back(time);
    return true;
  }

  void forget_connections() override {}

  const std::vector<upstream::Millis>& pauses() const { return m_pauses; }
  const std::vector<upstream::Request>& requests() const { return m_traffic->requests; }
  int cancelled() const { return m_traffic->cancelled; }
  bool all_used() const { return m_answers.empty(); }

 private:
  std::deque<ScriptedAnswer> m_answers;
  std::vector<upstream::Millis> m_pauses;  // between attempts
  std::shared_ptr<ScriptedTraffic> m_traffic = std::make_shared<ScriptedTraffic>();
};

}  // namespace nemo::test
