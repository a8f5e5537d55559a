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
      m_tap(std::move(plan.reader), plan.usage_frames),
      m_translator(std::move(plan.translator)),
      m_completing(std::move(plan.completing)),
      m_after_client(plan.after_client),
      m_stop_fd(plan.stop_fd),
      m_cost(plan.cost),
      m_usage_frames(plan.usage_frames),
      m_hold(plan.hold),
      m_input(std::move(plan.early)) {}

Relay::Opening Relay::open(int client_fd) {
  if (!m_input.empty()) read(m_input);
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
        if (!has_whole_answer()) return Step::client_gone;
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

// Not every dialect has a last event: where the one that finishes the answer states its usage, nothing is left to say.
bool Relay::has_whole_answer() const {
  return m_tap.saw_end_marker() || (m_tap.finished() && m_tap.usage());
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

// For its usage, or for others who read along.
bool Relay::goes_on_alone() {
  if (m_ended) return false;
  return m_after_client == AfterClient::drain || (m_completing && m_completing->stays_for_others(*m_exchange));
}

void Relay::client_left() {
  if (goes_on_alone()) {
    m_settlement->client_left();
    std::string unread;
    while (next(unread, m_stop_fd) == Step::more) unread.clear();
  }
  account();
  m_exchange.reset();
}

void Relay::digest() {
  m_input.clear();
  // Once: taking lets upstream go on, and a client that reads slowly must hold it up.
  if (m_exchange->take(m_input)) read(m_input);
}

void Relay::read(std::string_view bytes) {
  m_scanner.feed(bytes);
  while (const auto event = m_scanner.next()) pass(*event);
  account();
  if (!m_committed || m_ended || m_failure) return;
  if (is_satisfied()) {
    end_early();
  } else if (!m_tap.saw_end_marker() && !m_settlement->is_covered()) {
    stop_at_ceiling();
  }
}

// What upstream has finished by itself it is let say to the end: its usage is about to come.
bool Relay::is_satisfied() const {
  return m_translator->is_satisfied() && m_after_client == AfterClient::cancel && !m_tap.finished() && !m_complained;
}

// The client has all that it asked for, and more would only be paid for.
void Relay::end_early() {
  m_exchange.reset();
  m_ended = true;
  m_settlement->cut_short();
  const call::Usage usage = m_settlement->usage();
  std::string last;
  m_translator->end_early(m_usage_frames == stream::UsageFrames::show ? &usage : nullptr, last);
  m_output.append(m_cost == CostInUsage::show ? protocol::with_cost(last, m_settlement->cost()) : last);
}

// Upstream gave more than the budget buys, whatever it had been held to.
void Relay::stop_at_ceiling() {
  m_exchange.reset();
  m_ended = true;
  const Error error = fail(ErrorKind::budget_exceeded,
                           "Budget has been exceeded! The answer was stopped where the money ended; what came until "
                           "then is charged.");
  break_off(error);
}

void Relay::break_off(const Error& error) {
  m_settlement->failed(error);
  m_translator->break_off(error, m_output);
}

void Relay::pass(const stream::SseEvent& event, Whole whole) {
  // An attempt that has failed is not mended by what came along with the failure, and nothing is said after an error.
  if (m_failure || m_complained || m_ended || m_is_deaf) return;
  const SteadyTime at = now();
  if (!m_first_event_at) m_first_event_at = at;
  const bool had_content = m_tap.saw_content();
  const bool was_malformed = m_tap.saw_malformed();
  const stream::TapResult seen = m_tap.look(event, at);
  if (seen.is_error && !m_committed && !had_content) {
    m_failure = fail(ErrorKind::upstream_error, "Upstream answered with an error: " + redact(m_tap.error_message()));
    return;
  }
  if (m_tap.saw_malformed() && !m_committed && !had_content) {
    m_failure = fail(ErrorKind::upstream_error, "Upstream's stream is not what it should be: an event is not JSON.");
    return;
  }
  // What is said after half an event would be read as its end.
  if (whole == Whole::cut_off && !was_malformed && m_tap.saw_malformed()) return;
  if (!was_malformed && m_tap.saw_malformed()) {
    meet_unreadable();
    if (m_ended || m_is_deaf) return;
  }
  if (seen.commits || (m_hold == Hold::none && !event.data.empty())) m_committed = true;
  if (m_tap.saw_end_marker() && !m_end_marker_at) m_end_marker_at = at;
  if (!seen.text.empty()) m_settlement->suggest(seen.text);
  if (seen.has_usage && m_tap.usage()) {
    m_settlement->state_usage(*m_tap.usage(),
                              seen.usage_is_final ? Settlement::Stated::finally : Settlement::Stated::so_far);
  }
  if (seen.is_error) {
    const Error error = fail(ErrorKind::upstream_error, redact(m_tap.error_message()));
    m_settlement->failed(error);
    m_translator->complain(event, error, m_output);
    m_complained = true;
  } else if (seen.forward) {
    append(event, seen.has_usage);
  }
}

// An event in the midst of the answer that is not what the dialect says. Where bytes pass it goes on to the client, who
// may know better; in another dialect it cannot be told, and an answer with a hole in it must not end well.
void Relay::meet_unreadable() {
  if (m_completing) m_completing->lead.reset();  // nor is it remembered
  if (m_translator->passes_bytes()) return;
  if (m_tap.finished()) {
    m_is_deaf = true;
    return;
  }
  account();
  m_exchange.reset();
  m_ended = true;
  break_off(fail(ErrorKind::upstream_error, "Upstream's stream is not what it should be: an event is not JSON."));
}

// The client did not break anything: what it has is told as complete.
void Relay::end_called_off(const Error& error) {
  if (!m_committed) {
    m_failure = error;
    return;
  }
  m_settlement->called_off(error);
  m_translator->finish(m_output);
}

void Relay::append(const stream::SseEvent& event, bool with_usage) {
  if (!with_usage || m_cost == CostInUsage::omit) {
    m_translator->translate(event, m_output);
    return;
  }
  std::string translated;
  m_translator->translate(event, translated);
  m_output.append(protocol::with_cost(translated, m_settlement->cost()));
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
  // What came after the last blank line is a whole event that lacks it, or half of one.
  const auto rest = m_scanner.finish();
  if (rest && (!broken || rest->data == "[DONE]")) pass(*rest, Whole::cut_off);
  account();
  m_ended = true;
  m_exchange.reset();
  if (m_complained || m_failure) return;
  if (m_tap.saw_end_marker() || m_tap.finished()) {
    m_committed = true;
    m_translator->finish(m_output);
    return;
  }
  if (broken && (broken->kind == ErrorKind::superseded || broken->kind == ErrorKind::client_gone)) {
    return end_called_off(*broken);
  }
  const Error error =
      broken.value_or(fail(ErrorKind::upstream_error, "Upstream ended the stream before the answer was complete."));
  if (m_committed) {
    break_off(error);
  } else {
    m_failure = error;
  }
}

}  // namespace nemo::gateway
