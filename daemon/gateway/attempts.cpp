#include "daemon/gateway/attempts.h"

#include <algorithm>
#include <charconv>

#include "daemon/gateway/dialect.h"
#include "daemon/protocol/openai.h"
#include "daemon/protocol/translate/completions_to_chat.h"

namespace nemo::gateway {
namespace {

using routing::Decision;
using upstream::Wake;

// An answer that is not streamed is held whole, because its cost goes into a header before it.
constexpr std::size_t k_largest_answer = std::size_t{64} << 20U;
constexpr std::size_t k_largest_refusal = std::size_t{256} << 10U;

Error gone() {
  return fail(ErrorKind::client_gone, "the client closed the connection");
}

// Another deployment may do better after these; after other 4xx the request itself is at fault.
bool is_passing_trouble(int status) {
  return status == 408 || status == 409 || status == 429 || status >= 500;
}

Error rejection(int status, const upstream::Head& head, const std::string& body) {
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
  if (const std::string* after = head.find("retry-after")) {
    std::int64_t seconds = 0;
    const auto [end, code] = std::from_chars(after->data(), after->data() + after->size(), seconds);
    if (code == std::errc() && seconds >= 0) error.retry_after_s = seconds;
  }
  return error;
}

// What fills a hole in code must not come in a block of Markdown.
protocol::Fences fences_for(const call::CallSpec& spec) {
  return spec.fill_in_middle ? protocol::Fences::strip : protocol::Fences::keep;
}

}  // namespace

Attempts::Attempts(upstream::Transport& transport, std::shared_ptr<Settlement> settlement, const Asked& asked)
    : m_transport(transport), m_settlement(std::move(settlement)), m_asked(asked), m_watched_fd(asked.client_fd) {}

Result<Answered> Attempts::run() {
  const auto& choices = m_asked.decision.choices;
  const auto most = std::min(choices.size(), static_cast<std::size_t>(m_asked.world.settings.routing.num_retries) + 1);
  std::optional<Error> last;
  for (std::size_t i = 0; i < most; ++i) {
    const SteadyTime started = std::chrono::steady_clock::now();
    const auto output_cap = m_asked.purse.afford(*choices[i].model, m_asked.body.bytes());
    if (!output_cap) return last ? std::move(*last) : output_cap.error();
    call::CallRecord& record = m_settlement->record;
    record.model = choices[i].model->id;
    record.upstream = choices[i].deployment->upstream;
    record.deployment = choices[i].deployment->id;
    m_settlement->use_pricing(choices[i].model->pricing);
    m_is_last = i + 1 == most;
    Outcome outcome = try_one(choices[i], *output_cap);
    call::Attempt attempt;
    attempt.deployment = record.deployment;
    attempt.upstream = record.upstream;
    attempt.started_us = std::chrono::duration_cast<Micros>(started - m_asked.received_at).count();
    attempt.took_us = std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now() - started).count();
    attempt.http_status = outcome.answered ? outcome.answered->status : outcome.head_status;
    if (outcome.error) {
      attempt.error_code = outcome.error->code();
      attempt.error = outcome.error->message;
    }
    record.trace.attempts.push_back(std::move(attempt));
    if (m_client_left) {
      if (outcome.answered && outcome.answered->relay) outcome.answered->relay->client_left();
      return gone();
    }
    if (outcome.answered) return std::move(*outcome.answered);
    last = std::move(outcome.error);
    if (!outcome.may_go_on) break;
  }
  return *last;
}

bool Attempts::goes_through_chat(const Decision::Choice& choice) const {
  if (m_asked.spec.surface != call::Surface::openai_completions) return false;
  const config::Upstream& upstream = m_asked.world.endpoints.at(choice.deployment->upstream).settings;
  if (upstream.completions == "native") return false;
  if (upstream.completions == "chat") return true;
  // Left to the catalog: a model that fills in the middle, or one that the catalog knows nothing of, is asked natively.
  const bool chat_only = choice.model->capabilities.chat && !choice.model->capabilities.fim;
  return chat_only && choice.model->publisher != "config";
}

Result<upstream::Request> Attempts::make_request(const Decision::Choice& choice, bool through_chat,
                                                 std::optional<std::int64_t> output_cap) const {
  const Endpoint& endpoint = m_asked.world.endpoints.at(choice.deployment->upstream);
  const config::Upstream& settings = endpoint.settings;
  upstream::Request request;
  const std::string_view path = through_chat ? "/chat/completions" : dialect_of(m_asked.spec.surface).upstream_path;
  request.url.reserve(settings.base_url.size() + path.size());
  request.url.append(settings.base_url).append(path);
  request.headers = {"Content-Type: application/json",
                     m_asked.spec.stream ? "Accept: text/event-stream" : "Accept: application/json"};
  request.bearer = endpoint.key;
  request.ca_file = settings.ca_file;
  request.connect_timeout = settings.connect_timeout;
  request.first_byte_timeout = settings.first_token_timeout;
  const auto lane = m_asked.world.settings.lanes.find(m_asked.decision.lane);
  if (lane != m_asked.world.settings.lanes.end() && lane->second.first_token_timeout) {
    request.first_byte_timeout = *lane->second.first_token_timeout;
  }
  request.idle_timeout = settings.idle_timeout;
  if (settings.http2) request.version = *settings.http2 ? upstream::HttpVersion::http2 : upstream::HttpVersion::http1;
  if (through_chat) {
    auto body = protocol::completions_request_to_chat(m_asked.body, m_asked.spec, choice.deployment->upstream_model,
                                                      output_cap);
    if (!body) return body.error();
    request.body = std::move(*body);
  } else {
    const auto extensions =
        settings.kind == config::UpstreamKind::nemo ? protocol::Extensions::keep : protocol::Extensions::strip;
    request.body =
        protocol::upstream_body(m_asked.body, m_asked.spec, choice.deployment->upstream_model, extensions, output_cap);
  }
  return request;
}

Attempts::Outcome Attempts::try_one(const Decision::Choice& choice, std::optional<std::int64_t> output_cap) {
  const bool through_chat = goes_through_chat(choice);
  auto request = make_request(choice, through_chat, output_cap);
  if (!request) return {{}, request.error(), false};
  m_settlement->sent_upstream(m_asked.spec.prompt_bytes);
  auto exchange = m_transport.start(std::move(*request));
  m_drains = choice.deployment->drain_on_disconnect;
  Wake wake = exchange->wait_head(m_watched_fd);
  if (wake == Wake::client_gone && goes_on_alone()) wake = exchange->wait_head(m_watched_fd);
  // In vain or not, it was upstream that was waited for.
  if (wake != Wake::ready) m_settlement->upstream_time(exchange->sent_at(), std::chrono::steady_clock::now());
  if (wake == Wake::client_gone) return {{}, gone(), false};
  if (wake == Wake::ended) {
    return {{}, exchange->failure().value_or(fail(ErrorKind::upstream_error, "Upstream gave no answer.")), true};
  }
  const int status = exchange->head().status;
  if (status >= 300) return read_refusal(std::move(exchange), status);
  return read_answer(std::move(exchange), choice, through_chat);
}

// Whether upstream is read on for its usage although the client has left. No other candidate is tried then.
bool Attempts::goes_on_alone() {
  if (!m_drains || m_client_left) return false;
  m_client_left = true;
  m_watched_fd = m_asked.stop_fd;
  return true;
}

Attempts::Outcome Attempts::read_refusal(std::unique_ptr<upstream::Exchange> exchange, int status) {
  std::string body;
  while (body.size() < k_largest_refusal) {
    const Wake wake = exchange->wait_body(m_watched_fd);
    if (wake == Wake::client_gone) return {{}, gone(), false};
    exchange->take(body);
    if (wake == Wake::ended) break;
  }
  m_settlement->upstream_time(exchange->sent_at(), exchange->last_bytes_at());
  Error error = rejection(status, exchange->head(), body);
  return {{}, std::move(error), is_passing_trouble(status), status};
}

Attempts::Outcome Attempts::read_answer(std::unique_ptr<upstream::Exchange> exchange, const Decision::Choice& choice,
                                        bool through_chat) {
  Answered answered;
  answered.status = exchange->head().status;
  const std::string* type = exchange->head().find("content-type");
  answered.content_type = type == nullptr ? "application/json" : *type;
  const config::Upstream& settings = m_asked.world.endpoints.at(choice.deployment->upstream).settings;
  if (settings.kind == config::UpstreamKind::nemo) {
    for (const upstream::Header& header : exchange->head().headers) {
      if (header.name.starts_with(settings.header_prefix)) answered.passed_headers.push_back(header);
    }
  }
  const bool is_stream = answered.content_type.find("text/event-stream") != std::string::npos;
  if (m_asked.spec.stream && is_stream) {
    return read_stream(std::move(exchange), std::move(answered), choice, through_chat);
  }
  return read_whole(std::move(exchange), std::move(answered), through_chat);
}

Attempts::Outcome Attempts::read_stream(std::unique_ptr<upstream::Exchange> exchange, Answered answered,
                                        const Decision::Choice& choice, bool through_chat) {
  RelayPlan plan;
  plan.hold = m_is_last ? Hold::none : Hold::until_content;
  plan.usage_frames = m_asked.spec.wants_usage ? stream::UsageFrames::show : stream::UsageFrames::hide;
  plan.after_client = choice.deployment->drain_on_disconnect ? AfterClient::drain : AfterClient::cancel;
  plan.stop_fd = m_asked.stop_fd;
  if (through_chat) plan.translator = protocol::make_chat_to_completions_translator(fences_for(m_asked.spec));
  auto relay = std::make_unique<Relay>(std::move(exchange), std::move(plan), m_settlement);
  switch (relay->open(m_watched_fd)) {
    case Relay::Opening::client_gone:
      return {{}, gone(), false};
    case Relay::Opening::failed:
      return {{}, relay->failure(), true};
    case Relay::Opening::committed:
      break;
  }
  answered.relay = std::move(relay);
  return {std::move(answered), {}, false};
}

std::optional<Error> Attempts::collect(upstream::Exchange& exchange, std::string& body) {
  for (;;) {
    const Wake wake = exchange.wait_body(m_watched_fd);
    if (wake == Wake::client_gone) {
      if (!goes_on_alone()) return gone();
      continue;
    }
    exchange.take(body);
    if (body.size() > k_largest_answer) {
      return fail(ErrorKind::upstream_error, "Upstream's answer is larger than 64 MiB; ask for a stream instead.");
    }
    if (wake == Wake::ended) return exchange.failure();
  }
}

Attempts::Outcome Attempts::read_whole(std::unique_ptr<upstream::Exchange> exchange, Answered answered,
                                       bool through_chat) {
  auto trouble = collect(*exchange, answered.body);
  m_settlement->upstream_time(exchange->sent_at(), exchange->last_bytes_at());
  if (trouble) return {{}, trouble, trouble->kind != ErrorKind::client_gone};
  const auto facts = protocol::read_answer_facts(answered.body);
  if (!facts) return {{}, fail(ErrorKind::upstream_error, "Upstream's answer is not a JSON object."), true};
  if (facts->is_error) {
    return {{},
            fail(ErrorKind::upstream_error,
                 "Upstream answered with an error: " + protocol::read_complaint(answered.body).message),
            true};
  }
  m_settlement->count_output(facts->content_bytes);
  if (facts->usage) m_settlement->state_usage(*facts->usage);
  if (through_chat) {
    auto legacy = protocol::chat_answer_to_completions(answered.body, fences_for(m_asked.spec));
    if (!legacy) return {{}, legacy.error(), true};
    answered.body = std::move(*legacy);
  }
  return {std::move(answered), {}, false};
}

}  // namespace nemo::gateway
