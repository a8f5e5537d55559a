#include "daemon/gateway/relay.h"

#include <chrono>

#include "daemon/protocol/openai.h"
#include "shared/secret.h"

namespace nemo::gateway {
namespace {

using std::chrono::milliseconds;
using upstream::Wake;

// Events without content (a role, a comment) are held back this long in the hope of content, since nothing can fail
// over once they are out. Longer, and a client that waits for a head may give up.
constexpr milliseconds k_longest_hold{2'000};
// After [DONE] the body's end is due; an upstream that keeps the connection open is not waited for longer.
constexpr milliseconds k_ending_patience{250};

SteadyTime now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

Relay::Relay(std::unique_ptr<upstream::Exchange> exchange, RelayPlan plan, std::shared_ptr<Settlement> settlement)
    : m_exchange(std::move(exchange)),
      m_settlement(std::move(settlement)),
      m_tap(plan.reader ? std::move(plan.reader) : protocol::make_openai_chunk_reader(), plan.usage_frames),
      m_translator(std::move(plan.translator)),
      m_after_client(plan.after_client),
      m_stop_fd(plan.stop_fd),
      m_cost_wanted(plan.usage_frames == stream::UsageFrames::show),
      m_hold(plan.hold) {}

Relay::Opening Relay::open(int client_fd) {
  while (!m_committed && !m_failure) {
    std::optional<SteadyTime> until;
    if (m_first_event_at) until = *m_first_event_at + k_longest_hold;
    const Wake wake = m_exchange->wait_body(client_fd, until);
    if (wake == Wake::client_gone) {
      client_left();
      return Opening::client_gone;
    }
    if (wake == Wake::not_yet) break;
    if (wake == Wake::ready) {
      digest();
      continue;
    }
    end_of_upstream();
    if (!m_committed && !m_failure) {
      m_failure = fail(ErrorKind::upstream_error, "Upstream answered with an empty stream.");
    }
  }
  if (m_failure && !m_committed) return Opening::failed;
  m_committed = true;
  return Opening::committed;
}

Relay::Step Relay::next(std::string& out, int client_fd) {
  for (;;) {
    if (m_ended || !m_output.empty()) return hand_over(out, m_ended ? Step::end : Step::more);
    switch (m_exchange->wait_body(client_fd, deadline())) {
      case Wake::client_gone:
        if (!m_tap.saw_end_marker()) return Step::client_gone;
        end_of_upstream();  // the client had its whole answer and did not wait for upstream to end the body
        break;
      case Wake::ready:
        digest();
        break;
      case Wake::ended:
      case Wake::not_yet:
        end_of_upstream();
        break;
    }
  }
}

// Whoever has the last bytes takes the answer for complete, however long upstream keeps the body open: the money is
// settled by then.
Relay::Step Relay::hand_over(std::string& out, Step step) {
  if (m_ended || m_tap.saw_end_marker()) m_settlement->conclude();
  if (out.empty()) {
    out.swap(m_output);
  } else {
    out.append(m_output);
  }
  m_output.clear();
  return step;
}

std::optional<SteadyTime> Relay::deadline() const {
  if (!m_end_marker_at) return std::nullopt;
  return *m_end_marker_at + k_ending_patience;
}

void Relay::client_left() {
  if (m_after_client == AfterClient::drain && !m_ended) {
    std::string unread;
    while (next(unread, m_stop_fd) == Step::more) unread.clear();
  }
  account();
  m_exchange.reset();
}

void Relay::digest() {
  m_input.clear();
  // Once: taking lets upstream go on, and a client that reads slowly must hold it up.
  if (m_exchange->take(m_input)) {
    m_scanner.feed(m_input);
    while (const auto event = m_scanner.next()) pass(*event);
  }
  account();
  if (!m_committed || m_ended || m_failure) return;
  if (!m_tap.saw_end_marker() && m_exchange && !m_settlement->is_covered()) stop_at_ceiling();
}

// Upstream gave more than the budget buys, whatever it had been held to.
void Relay::stop_at_ceiling() {
  m_exchange.reset();
  m_ended = true;
  const Error error = fail(ErrorKind::budget_exceeded,
                           "Budget has been exceeded! The answer was stopped where the money ended; what came until "
                           "then is charged.");
  m_settlement->failed(error);
  if (m_translator) m_translator->finish(m_output);
  close_event();
  m_output.append(protocol::error_event(error));
}

void Relay::pass(const stream::SseEvent& event) {
  if (m_failure) return;  // the attempt has failed: what came along with the failure does not mend it
  const SteadyTime at = now();
  if (!m_first_event_at) m_first_event_at = at;
  const bool had_content = m_tap.saw_content();
  const stream::TapResult seen = m_tap.look(event, at);
  if (seen.is_error && !m_committed && !had_content) {
    m_failure = fail(ErrorKind::upstream_error, "Upstream answered with an error: " + redact(m_tap.error_message()));
    return;
  }
  if (m_tap.saw_malformed() && !m_committed && !had_content) {
    m_failure = fail(ErrorKind::upstream_error, "Upstream's stream is not what it should be: an event is not JSON.");
    return;
  }
  if (seen.is_error) m_settlement->failed(fail(ErrorKind::upstream_error, redact(m_tap.error_message())));
  if (seen.commits || (m_hold == Hold::none && !event.data.empty())) m_committed = true;
  if (m_tap.saw_end_marker() && !m_end_marker_at) m_end_marker_at = at;
  if (!seen.text.empty()) m_settlement->suggest(seen.text);
  if (seen.has_usage && m_tap.usage()) {
    m_settlement->state_usage(*m_tap.usage(),
                              seen.usage_is_final ? Settlement::Stated::finally : Settlement::Stated::so_far);
  }
  if (seen.is_error && m_translator) {
    m_translator->translate(event, m_output);  // which redacts it
  } else if (seen.is_error) {
    m_output.append(redact(event.raw));
  } else if (seen.forward) {
    append(event, seen.has_usage);
  }
}

void Relay::append(const stream::SseEvent& event, bool with_usage) {
  if (m_translator) {
    const std::size_t before = m_output.size();
    m_translator->translate(event, m_output);
    if (with_usage && m_cost_wanted) {
      const std::string translated = m_output.substr(before);
      m_output.resize(before);
      m_output.append(protocol::with_cost(translated, m_settlement->cost()));
    }
    return;
  }
  if (with_usage && m_cost_wanted) {
    m_output.append(protocol::with_cost(event.raw, m_settlement->cost()));
  } else {
    m_output.append(event.raw);
  }
  m_event_is_open = !m_output.ends_with("\n\n") && !m_output.ends_with("\r\n\r\n") && !m_output.ends_with("\r\r");
}

void Relay::account() {
  m_settlement->count_output(m_tap.content_bytes());
  if (!m_exchange) return;
  m_settlement->upstream_time(m_exchange->sent_at(), m_exchange->last_bytes_at());
}

// Upstream has said its last byte. The client must be able to tell a whole answer from a broken one.
void Relay::end_of_upstream() {
  digest();
  if (m_ended) return;  // at the budget's ceiling
  const std::optional<Error> broken = m_exchange->failure();
  pass_rest(broken.has_value());
  account();
  m_ended = true;
  m_exchange.reset();
  if (m_tap.saw_end_marker() || m_tap.finished()) {
    m_committed = true;
    complete_ending();
    return;
  }
  if (m_tap.saw_error()) return;
  const Error error =
      broken.value_or(fail(ErrorKind::upstream_error, "Upstream ended the stream before the answer was complete."));
  if (!m_committed) {
    m_failure = error;
    return;
  }
  m_settlement->failed(error);
  if (m_translator) m_translator->finish(m_output);
  close_event();
  m_output.append(protocol::error_event(error));
}

// What came after the last blank line is a whole event that lacks it, or half of one. Half an event is dropped: what is
// said after it would be read as its end.
void Relay::pass_rest(bool broken) {
  const auto rest = m_scanner.finish();
  if (!rest || (broken && rest->data != "[DONE]")) return;
  const std::size_t before = m_output.size();
  const bool was_malformed = m_tap.saw_malformed();
  pass(*rest);
  if (was_malformed || !m_tap.saw_malformed()) return;
  m_output.resize(before);
  m_event_is_open = false;
}

void Relay::close_event() {
  if (m_event_is_open) m_output.append("\n\n");
  m_event_is_open = false;
}

// Adds what a complete stream lacks: the last line's newline, and [DONE].
void Relay::complete_ending() {
  if (m_translator) m_translator->finish(m_output);
  close_event();
  if (!m_tap.saw_end_marker()) m_output.append("data: [DONE]\n\n");
}

}  // namespace nemo::gateway
