#include "daemon/gateway/follow_stream.h"

#include <chrono>
#include <utility>

namespace nemo::gateway {

FollowStream::FollowStream(std::unique_ptr<completion::Following> following, std::string text,
                           const CompletionTeller::To& to, std::shared_ptr<Completing> completing,
                           std::shared_ptr<Settlement> settlement)
    : m_completing(std::move(completing)),
      m_following(std::move(following)),
      m_text(std::move(text)),
      m_teller(to),
      m_settlement(std::move(settlement)) {}

AnswerStream::Step FollowStream::next(std::string& out, int client_fd) {
  using Heard = completion::Following::Heard;
  if (!m_following) return Step::end;
  for (;;) {
    if (!m_text.empty()) {
      m_settlement->show(m_text);
      m_teller.say(std::exchange(m_text, {}), out);
      return Step::more;
    }
    const Heard heard = m_following->take(m_text);
    if (heard == Heard::more) {
      m_completing->place->look_again();
      continue;
    }
    if (heard == Heard::ended) {
      return end(m_following->ending() == completion::Ending::by_itself ? "stop" : "length", out);
    }
    if (m_completing->off->is_off()) {
      m_settlement->called_off(superseded());
      return end("stop", out);
    }
    if (heard != Heard::nothing) {
      const Error error = fail(ErrorKind::upstream_error,
                               "The call whose answer this one shared ended before the answer was complete.");
      m_settlement->failed(error);
      m_teller.break_off(error, out);
      m_following.reset();
      m_settlement->conclude();
      return Step::end;
    }
    const SteadyTime from = std::chrono::steady_clock::now();
    const auto rung = m_completing->off->bell.wait(client_fd);
    m_settlement->waited(std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now() - from));
    if (rung == EventBell::Rung::client_gone) return Step::client_gone;
  }
}

AnswerStream::Step FollowStream::end(std::string_view finish_reason, std::string& out) {
  m_teller.finish(finish_reason, out);
  m_following.reset();
  m_settlement->conclude();
  return Step::end;
}

void FollowStream::client_left() {
  m_following.reset();
}

}  // namespace nemo::gateway
