#include "daemon/gateway/attempt.h"

#include <utility>

#include "daemon/protocol/chained_translator.h"
#include "daemon/protocol/openai.h"
#include "daemon/upstream/retry_after.h"

namespace nemo::gateway {
namespace {

using upstream::Wake;

// An answer that is not streamed is held whole, because its cost goes into a header before it.
constexpr std::size_t k_largest_answer = std::size_t{64} << 20U;
constexpr std::size_t k_largest_refusal = std::size_t{256} << 10U;

// Another deployment may do better after these; after other 4xx the request itself is at fault.
bool is_passing_trouble(int status) {
  return status == 408 || status == 409 || status == 429 || status >= 500;
}

std::optional<routing::Trouble> trouble_of(int status) {
  switch (status) {
    case 401:
    case 403:
      return routing::Trouble::unauthorized;
    case 408:
      return routing::Trouble::timeout;
    case 429:
      return routing::Trouble::rate_limited;
    default:
      if (status >= 500) return routing::Trouble::server_error;
      return std::nullopt;
  }
}

routing::Trouble trouble_of(const Error& error) {
  return error.kind == ErrorKind::upstream_timeout ? routing::Trouble::timeout : routing::Trouble::connect;
}

Error rejection(int status, const upstream::Head& head, const std::string& body, WallTime now) {
  const protocol::UpstreamComplaint complaint = protocol::read_complaint(body);
  Error error;
  const bool is_client_error = status >= 400 && status < 500;
  error.kind = is_client_error ? ErrorKind::upstream_rejected : ErrorKind::upstream_error;
  error.message =
      complaint.message.empty() ? "Upstream answered with status " + std::to_string(status) + "." : complaint.message;
  if (is_client_error) {
    error.http_status = status;
    error.upstream_body = protocol::complaint_body(complaint);
  } else {
    error.message = "Upstream answered with status " + std::to_string(status) + ": " + error.message;
  }
  if (const auto after = upstream::retry_after(head, now)) error.retry_after_s = after->count();
  return error;
}

Outcome refused_here(Error error) {
  Outcome outcome;
  outcome.error = std::move(error);
  outcome.may_go_on = true;
  outcome.may_return = false;
  return outcome;
}

Outcome client_gone() {
  Outcome outcome;
  outcome.error = client_left();
  return outcome;
}

// Ended from this side: nothing that the deployment did, and nothing to try again.
bool is_called_off(const Error& error) {
  return error.kind == ErrorKind::superseded || error.kind == ErrorKind::client_gone;
}

Outcome called_off(Error error) {
  Outcome outcome;
  outcome.error = std::move(error);
  return outcome;
}

}  // namespace

Error client_left() {
  return fail(ErrorKind::client_gone, "the client closed the connection");
}

Attempt::Attempt(const Asked& asked, const routing::Decision::Choice& choice, Watch& watch,
                 std::shared_ptr<Settlement> settlement, const Clock& clock)
    : m_asked(asked),
      m_choice(choice),
      m_watch(watch),
      m_settlement(std::move(settlement)),
      m_clock(clock),
      m_started(clock.steady()) {}

Result<Secret> Attempt::token() const {
  const Endpoint& endpoint = m_asked.world.endpoints.at(m_choice.deployment->upstream);
  if (endpoint.tokens) return endpoint.tokens->token();
  return endpoint.key;
}

std::optional<Outcome> Attempt::start(upstream::Transport& transport, std::optional<std::int64_t> output_cap,
                                      Alone alone) {
  if (m_asked.completing && m_asked.completing->off->is_off()) return called_off(superseded());
  m_output_cap = output_cap;
  auto sending = prepare(m_asked, m_choice, output_cap);
  if (!sending) return refused_here(sending.error());
  if (!m_renewed) {
    auto found = token();
    if (!found) {
      begin_in_flight();  // and ended at once: the deployment is as good as down
      Outcome outcome = refused_here(found.error());
      outcome.trouble = routing::Trouble::unauthorized;
      return conclude(std::move(outcome));
    }
    m_token = std::move(*found);
  }
  m_conversation = std::move(sending->conversation);
  sending->request.bearer = m_token;
  sending->request.raced = alone == Alone::raced;
  begin_in_flight();
  m_exchange = transport.start(std::move(sending->request));
  if (m_asked.completing) m_asked.completing->off->watch(m_exchange->canceller());
  return std::nullopt;
}

void Attempt::begin_in_flight() {
  const auto answering = m_asked.spec.stream ? routing::Answering::streamed : routing::Answering::whole;
  m_in_flight = m_choice.deployment->gauge->begin(m_asked.decision.lane, answering, m_clock.steady());
}

// Whether upstream is read on although the client has left.
bool Attempt::goes_on_alone() {
  const bool for_others = m_asked.completing && m_asked.completing->stays_for_others(*m_exchange);
  return m_watch.goes_on_alone(drains() || for_others);
}

Outcome Attempt::read(upstream::Transport& transport, Hold hold) {
  m_settlement->sent_upstream(m_asked.spec.prompt_bytes);
  Wake wake = m_exchange->wait_head(m_watch.fd);
  if (wake == Wake::client_gone && goes_on_alone()) wake = m_exchange->wait_head(m_watch.fd);
  // In vain or not, it was upstream that was waited for.
  if (wake != Wake::ready) m_settlement->upstream_time(m_exchange->sent_at(), m_clock.steady());
  if (wake == Wake::client_gone) return client_gone();
  if (wake == Wake::ended) {
    Error error = m_exchange->failure().value_or(fail(ErrorKind::upstream_error, "Upstream gave no answer."));
    if (is_called_off(error)) return called_off(std::move(error));
    Outcome outcome;
    outcome.trouble = trouble_of(error);
    // A deployment that kept the call waiting to the end of its time is not asked a second time.
    outcome.may_return = error.kind != ErrorKind::upstream_timeout;
    outcome.may_go_on = true;
    outcome.error = std::move(error);
    return conclude(std::move(outcome));
  }
  const int status = m_exchange->head().status;
  if (status >= 300) return read_refusal(transport, status, hold);

  Answered answered;
  answered.status = status;
  const std::string* type = m_exchange->head().find("content-type");
  answered.content_type = type == nullptr ? "application/json" : *type;
  const config::Upstream& settings = m_asked.world.endpoints.at(m_choice.deployment->upstream).settings;
  if (settings.kind == config::UpstreamKind::nemo) {
    for (const upstream::Header& header : m_exchange->head().headers) {
      if (header.name.starts_with(settings.header_prefix)) answered.passed_headers.push_back(header);
    }
  }
  const bool is_stream = answered.content_type.find("text/event-stream") != std::string::npos;
  if (m_asked.spec.stream && is_stream) return read_stream(std::move(answered), hold);
  return read_whole(std::move(answered));
}

Outcome Attempt::read_refusal(upstream::Transport& transport, int status, Hold hold) {
  std::string body;
  while (body.size() < k_largest_refusal) {
    const Wake wake = m_exchange->wait_body(m_watch.fd);
    if (wake == Wake::client_gone) return client_gone();
    m_exchange->take(body);
    if (wake == Wake::ended) break;
  }
  m_settlement->upstream_time(m_exchange->sent_at(), m_exchange->last_bytes_at());
  const Endpoint& endpoint = m_asked.world.endpoints.at(m_choice.deployment->upstream);
  if (status == 401 && endpoint.tokens && !m_renewed) {
    if (auto token = endpoint.tokens->renew(m_token)) {
      m_token = std::move(*token);
      m_renewed = true;
      m_note = "token renewed";
      m_in_flight = {};
      if (auto failed = start(transport, m_output_cap, Alone::yes)) return std::move(*failed);
      return read(transport, hold);
    }
  }
  Outcome outcome;
  outcome.error = rejection(status, m_exchange->head(), body, m_clock.wall());
  outcome.may_go_on = is_passing_trouble(status);
  outcome.head_status = status;
  outcome.trouble = trouble_of(status);
  return conclude(std::move(outcome));
}

Outcome Attempt::broken(Error error) const {
  Outcome outcome;
  outcome.error = std::move(error);
  outcome.may_go_on = true;
  outcome.trouble = routing::Trouble::broken_answer;
  return outcome;
}

Outcome Attempt::read_stream(Answered answered, Hold hold) {
  RelayPlan plan;
  plan.hold = hold;
  plan.usage_frames = m_conversation->usage_frames();
  const call::CallSpec& spec = m_asked.completing ? m_asked.completing->spec : m_asked.spec;
  plan.cost = spec.wants_usage ? CostInUsage::show : CostInUsage::omit;
  plan.after_client = drains() ? AfterClient::drain : AfterClient::cancel;
  plan.stop_fd = m_asked.incoming.stop_fd;
  plan.reader = m_conversation->chunk_reader();
  plan.translator = m_conversation->stream_translator();
  if (const auto& completing = m_asked.completing) {
    if (completing->lead) completing->lead->answer()->answered_by(m_choice.model->id);
    plan.completing = completing;
    plan.translator = make_listening(std::move(plan.translator), completing);
    if (const auto& hub = completing->form.hub) {
      plan.translator = protocol::chain(
          std::move(plan.translator),
          hub->translator({completing->body, completing->spec, m_asked.incoming.at, m_choice.model->id}));
    }
  }
  const SteadyTime sent_at = m_exchange->sent_at();
  auto relay = std::make_unique<Relay>(std::move(m_exchange), std::move(plan), m_settlement);
  switch (relay->open(m_watch.fd)) {
    case Relay::Opening::client_gone:
      return client_gone();
    case Relay::Opening::failed: {
      if (is_called_off(*relay->failure())) return called_off(*relay->failure());
      Outcome outcome = broken(relay->failure().value());
      outcome.may_return = outcome.error->kind != ErrorKind::upstream_timeout;
      return conclude(std::move(outcome));
    }
    case Relay::Opening::committed:
      break;
  }
  const SteadyTime first_at = relay->first_content_at().value_or(m_clock.steady());
  m_in_flight.first_token(std::chrono::duration_cast<Micros>(first_at - sent_at), m_clock.steady());
  answered.relay = std::move(relay);
  Outcome outcome;
  outcome.answered = std::move(answered);
  return conclude(std::move(outcome));
}

std::optional<Error> Attempt::collect(std::string& body) {
  for (;;) {
    const Wake wake = m_exchange->wait_body(m_watch.fd);
    if (wake == Wake::client_gone) {
      if (!goes_on_alone()) return client_left();
      continue;
    }
    m_exchange->take(body);
    if (body.size() > k_largest_answer) {
      return fail(ErrorKind::upstream_error, "Upstream's answer is larger than 64 MiB; ask for a stream instead.");
    }
    if (wake == Wake::ended) return m_exchange->failure();
  }
}

Outcome Attempt::read_whole(Answered answered) {
  auto trouble = collect(answered.body);
  m_settlement->upstream_time(m_exchange->sent_at(), m_exchange->last_bytes_at());
  if (trouble && is_called_off(*trouble)) return called_off(std::move(*trouble));
  if (trouble) {
    Outcome outcome = broken(std::move(*trouble));
    outcome.may_return = outcome.error->kind != ErrorKind::upstream_timeout;
    if (outcome.error->kind == ErrorKind::upstream_timeout) outcome.trouble = routing::Trouble::timeout;
    return conclude(std::move(outcome));
  }
  const auto facts = m_conversation->facts(answered.body);
  if (!facts) {
    return conclude(broken(fail(ErrorKind::upstream_error, "Upstream's answer is not a JSON object.")));
  }
  if (facts->is_error) {
    return conclude(broken(fail(ErrorKind::upstream_error, "Upstream answered with an error: " +
                                                               protocol::read_complaint(answered.body).message)));
  }
  m_settlement->count_output(facts->content_bytes);
  if (facts->usage) m_settlement->state_usage(*facts->usage);
  m_settlement->suggest(facts->text);
  auto body = m_conversation->answer(std::move(answered.body));
  if (body && m_asked.completing) body = tell_whole(*body);
  if (!body) return conclude(broken(body.error()));
  answered.body = std::move(*body);
  const auto took = std::chrono::duration_cast<Micros>(m_exchange->last_bytes_at() - m_exchange->sent_at());
  m_in_flight.first_token(took, m_clock.steady());
  Outcome outcome;
  outcome.answered = std::move(answered);
  return conclude(std::move(outcome));
}

// An answer in OpenAI's form is heard, and told as the client's form has it.
Result<std::string> Attempt::tell_whole(const std::string& hub_answer) const {
  Completing& completing = *m_asked.completing;
  if (completing.lead) completing.lead->answer()->answered_by(m_choice.model->id);
  completing.hear_whole(hub_answer);
  if (!completing.form.hub) return hub_answer;
  return completing.form.hub->answer(hub_answer,
                                     {completing.body, completing.spec, m_asked.incoming.at, m_choice.model->id});
}

// What the deployment has shown is learned here, but for how a stream ends.
Outcome Attempt::conclude(Outcome outcome) {
  if (outcome.answered) {
    m_settlement->hold(std::move(m_in_flight));
  } else if (outcome.trouble) {
    std::optional<std::chrono::seconds> after;
    if (outcome.error->retry_after_s) after = std::chrono::seconds(*outcome.error->retry_after_s);
    m_in_flight.failed(*outcome.trouble, outcome.error->code(), after, m_clock.steady());
    m_in_flight = {};
  }
  return outcome;
}

call::Attempt Attempt::tell(const Outcome& outcome) const {
  call::Attempt attempt;
  attempt.deployment = m_choice.deployment->id;
  attempt.upstream = m_choice.deployment->upstream;
  attempt.started_us = std::chrono::duration_cast<Micros>(m_started - m_asked.incoming.received_at).count();
  attempt.took_us = std::chrono::duration_cast<Micros>(m_clock.steady() - m_started).count();
  attempt.http_status = outcome.answered ? outcome.answered->status : outcome.head_status;
  attempt.note = m_note;
  if (outcome.error) {
    attempt.error_code = outcome.error->code();
    attempt.error = outcome.error->message;
  }
  return attempt;
}

call::Attempt Attempt::lose() {
  const SteadyTime now = m_clock.steady();
  const SteadyTime sent_at = m_exchange->sent_at();
  const bool was_sent = sent_at != SteadyTime{};
  if (was_sent) m_in_flight.first_token(std::chrono::duration_cast<Micros>(now - sent_at), now);
  m_in_flight = {};
  m_exchange.reset();
  call::Attempt attempt = tell({});
  attempt.note = "lost the race";
  if (was_sent) attempt.cost = m_settlement->lose(m_choice.model->pricing, m_asked.spec.prompt_bytes);
  return attempt;
}

}  // namespace nemo::gateway
