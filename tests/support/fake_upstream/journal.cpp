#include "tests/support/fake_upstream/journal.h"

#include <time.h>

#include <algorithm>
#include <cmath>

namespace nemo::fake_upstream {
namespace {

constexpr std::size_t k_max_calls = 20'000;
constexpr std::size_t k_max_kept_bytes = std::size_t{1} << 20U;       // of one call
constexpr std::size_t k_max_all_body_bytes = std::size_t{64} << 20U;  // of all that are listed

const char* to_string(CallState state) {
  switch (state) {
    case CallState::open:
      return "open";
    case CallState::completed:
      return "completed";
    case CallState::cancelled:
      return "cancelled";
    case CallState::cut:
      return "cut";
    case CallState::refused:
      return "refused";
  }
  return "";
}

bool is_secret(std::string_view name) {
  return name == "authorization" || name == "x-api-key" || name == "x-goog-api-key" || name == "api-key" ||
         name == "cookie";
}

Json to_json(const BilledUsage& billed) {
  return {{"input_tokens", billed.input_tokens},
          {"cached_tokens", billed.cached_tokens},
          {"output_tokens", billed.output_tokens},
          {"reasoning_tokens", billed.reasoning_tokens}};
}

// Microseconds are what the clock can honestly give; zero means that it has not happened.
Json time_json(double ms) {
  return ms == 0 ? Json(nullptr) : Json(std::round(ms * 1000) / 1000);
}

Json to_json(const Call& call) {
  const bool cancelled = call.state == CallState::cancelled;
  Json headers = Json::object();
  for (const auto& [name, value] : call.headers) headers[name] = value;
  return {{"id", call.id},
          {"seq", call.seq},
          {"path", call.path},
          {"model", call.model},
          {"stream", call.stream},
          {"state", to_string(call.state)},
          {"status", call.status},
          {"authorization_seen", call.authorization_seen},
          {"headers", std::move(headers)},
          {"body", call.body},
          {"body_bytes", call.body_bytes},
          {"started_ms", time_json(call.started_ms)},
          {"first_byte_ms", time_json(call.first_byte_ms)},
          {"ended_ms", time_json(call.ended_ms)},
          {"cancelled", cancelled},
          {"cancelled_at_ms", cancelled ? time_json(call.ended_ms) : Json(nullptr)},
          {"chunks_sent", call.chunks_sent},
          {"billed", to_json(call.billed())}};
}

}  // namespace

double monotonic_ms() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

BilledUsage Call::billed() const {
  if (state == CallState::refused) return {};
  if (state == CallState::completed) return planned;
  BilledUsage sent = planned;
  const std::int64_t visible = std::min(words_sent, planned.output_tokens - planned.reasoning_tokens);
  // Reasoning comes before the first word, so a call with any word has had all of it.
  sent.reasoning_tokens = chunks_sent > 0 ? planned.reasoning_tokens : 0;
  sent.output_tokens = visible + sent.reasoning_tokens;
  return sent;
}

std::shared_ptr<Call> Journal::start(const Request& request) {
  auto call = std::make_shared<Call>();
  call->seq = m_next_seq++;
  call->id = "fake-" + std::to_string(call->seq);
  call->path = request.path;
  call->started_ms = monotonic_ms();
  for (const auto& [name, value] : request.headers) {
    if (is_secret(name)) call->authorization_seen = call->authorization_seen || (name != "cookie" && !value.empty());
    call->headers.emplace_back(name, is_secret(name) ? "[hidden]" : value);
  }
  call->body = request.body.substr(0, k_max_kept_bytes);
  call->body_bytes = request.body.size();
  m_body_bytes += call->body.size();
  m_calls.push_back(call);
  ++m_started;
  while (m_calls.size() > k_max_calls || (m_body_bytes > k_max_all_body_bytes && m_calls.size() > 1)) {
    m_body_bytes -= m_calls.front()->body.size();
    m_calls.pop_front();
  }
  return call;
}

void Journal::end(Call& call, CallState state, double now_ms) {
  if (call.state != CallState::open) return;
  call.state = state;
  call.ended_ms = now_ms;
  // A call from before the last reset stays out of the sums.
  if (call.seq <= m_generation) return;
  ++m_ended;
  if (state == CallState::cancelled) ++m_cancelled;
  const BilledUsage billed = call.billed();
  Totals& totals = m_totals[call.model][to_string(state)];
  ++totals.calls;
  totals.billed.input_tokens += billed.input_tokens;
  totals.billed.cached_tokens += billed.cached_tokens;
  totals.billed.output_tokens += billed.output_tokens;
  totals.billed.reasoning_tokens += billed.reasoning_tokens;
}

void Journal::reset() {
  m_calls.clear();
  m_totals.clear();
  m_body_bytes = 0;
  m_started = m_ended = m_cancelled = 0;
  m_generation = m_next_seq - 1;
}

Json Journal::list(std::size_t last) const {
  Json list = Json::array();
  const std::size_t skip = last < m_calls.size() ? m_calls.size() - last : 0;
  for (std::size_t i = skip; i < m_calls.size(); ++i) list.push_back(to_json(*m_calls[i]));
  return list;
}

Json Journal::summary() const {
  Json models = Json::object();
  for (const auto& [model, states] : m_totals) {
    for (const auto& [state, totals] : states) {
      Json entry = to_json(totals.billed);
      entry["calls"] = totals.calls;
      models[model][state] = std::move(entry);
    }
  }
  return {{"started", m_started},
          {"ended", m_ended},
          {"open", m_started - m_ended},
          {"cancelled", m_cancelled},
          {"models", std::move(models)}};
}

}  // namespace nemo::fake_upstream
