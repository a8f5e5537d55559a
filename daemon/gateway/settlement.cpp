#include "daemon/gateway/settlement.h"

#include <algorithm>
#include <utility>

#include "daemon/budget/cost.h"
#include "daemon/protocol/json_text.h"

namespace nemo::gateway {
namespace {

constexpr int k_client_closed_request = 499;
constexpr std::size_t k_longest_suggestion = 4'096;  // more than is judged of it

}  // namespace

Settlement::Settlement(ledger::RequestLog& log, const Clock& clock, SteadyTime received_at)
    : m_log(log), m_clock(clock), m_received_at(received_at) {}

Settlement::~Settlement() {
  if (m_finished) return;
  if (!m_failed) failed(fail(ErrorKind::internal, "the call was dropped"));
  finish(Delivery::complete);
}

void Settlement::sent_upstream(std::size_t prompt_bytes) {
  m_reached_upstream = true;
  m_prompt_bytes = prompt_bytes;
  // What an earlier attempt said and gave is not this one's; the time it took is upstream's all the same.
  m_stated.reset();
  m_content_bytes = 0;
  m_earlier_upstream_time += std::exchange(m_upstream_time, Micros{0});
}

void Settlement::state_usage(const call::Usage& usage, Stated when) {
  m_stated = usage;
  m_stated_finally = when == Stated::finally;
}

void Settlement::failed(const Error& error) {
  m_failed = true;
  record.outcome = call::Outcome::error;
  record.error_code = error.code();
  record.http_status = error.status();
}

void Settlement::refused(const Error& error) {
  failed(error);
  record.outcome = call::Outcome::refused;
  // What was refused before anything was sent has consumed nothing.
  if (!m_reached_upstream) m_admission.withdraw();
}

void Settlement::called_off(const Error& error) {
  m_called_off = true;
  record.outcome = call::Outcome::cancelled;
  record.error_code = error.code();
}

call::Usage Settlement::final_usage(Delivery delivery) const {
  if (m_stated && m_stated_finally) return *m_stated;
  call::Usage usage;
  // An upstream that refused or broke before any content charges nothing.
  if (!m_reached_upstream || (m_failed && m_content_bytes == 0)) return usage;
  if (m_stated)
    usage = *m_stated;  // before its end: the input is known, the output is not
  else
    usage.input_tokens = tokens_in(m_prompt_bytes);
  usage.output_tokens = std::max(usage.output_tokens, tokens_in(m_content_bytes));
  const bool cut_short = delivery == Delivery::client_gone || m_failed || m_called_off;
  usage.source = cut_short ? call::UsageSource::partial : call::UsageSource::estimated;
  return usage;
}

NanoUsd Settlement::cost() const {
  if (!m_pricing) return m_lost;
  return m_lost + budget::cost_of(*m_pricing, final_usage(Delivery::complete));
}

NanoUsd Settlement::lose(const std::optional<catalog::Pricing>& pricing, std::size_t prompt_bytes) {
  if (!pricing) return {};
  call::Usage read;
  read.input_tokens = tokens_in(prompt_bytes);
  const NanoUsd cost = budget::cost_of(*pricing, read);
  m_lost = m_lost + cost;
  return cost;
}

void Settlement::suggest(std::string_view raw_text) {
  if (!m_is_watched || m_suggestion.size() >= k_longest_suggestion) return;
  m_suggestion.append(raw_text.substr(0, k_longest_suggestion - m_suggestion.size()));
}

void Settlement::show(std::string_view text) {
  if (!m_is_watched || m_shown.size() >= k_longest_suggestion) return;
  m_shown.append(text.substr(0, k_longest_suggestion - m_shown.size()));
}

std::string Settlement::suggestion() const {
  return m_shown.empty() ? protocol::unescape(m_suggestion) : m_shown;
}

void Settlement::upstream_time(SteadyTime sent_at, SteadyTime last_bytes_at) {
  if (sent_at == SteadyTime{}) return;  // it never was
  if (last_bytes_at > sent_at) m_upstream_time = std::chrono::duration_cast<Micros>(last_bytes_at - sent_at);
}

Micros Settlement::added_by_daemon(SteadyTime now) const {
  const auto all = std::chrono::duration_cast<Micros>(now - m_received_at);
  return std::max(all - m_earlier_upstream_time - m_upstream_time, Micros{0});
}

void Settlement::first_content_sent(SteadyTime now) {
  if (record.ttft) return;
  record.ttft = std::chrono::duration_cast<Micros>(now - m_received_at);
  m_overhead_at_first_content = added_by_daemon(now);
}

void Settlement::settle_money(Delivery delivery) {
  if (std::exchange(m_money_settled, true)) return;
  record.usage = final_usage(delivery);
  record.cost = m_lost;
  if (m_pricing) record.cost = record.cost + budget::cost_of(*m_pricing, record.usage);
  if (m_purse) m_purse->settle(record);
  m_admission.correct(record.usage.input_tokens + record.usage.output_tokens);
}

void Settlement::stamp() {
  const SteadyTime now = m_clock.steady();
  record.latency = std::chrono::duration_cast<Micros>(now - m_received_at);
  record.overhead = m_overhead_at_first_content.value_or(added_by_daemon(now));
  record.attempts = static_cast<int>(record.trace.attempts.size());
  if (m_origin) record.origin = m_origin->get();
}

void Settlement::conclude() {
  if (m_finished || m_money_settled) return;
  settle_money(Delivery::complete);
  stamp();
  m_log.secure(record);
}

// A client that left says nothing of the deployment.
void Settlement::learn(Delivery delivery) {
  const SteadyTime now = m_clock.steady();
  if (m_failed) {
    if (record.error_code == code_of(ErrorKind::upstream_timeout)) {
      m_in_flight.failed(routing::Trouble::timeout, record.error_code, {}, now);
    } else if (record.error_code == code_of(ErrorKind::upstream_error)) {
      m_in_flight.failed(routing::Trouble::broken_answer, record.error_code, {}, now);
    }
  } else if (delivery == Delivery::complete && !m_called_off) {
    m_in_flight.succeeded(record.usage.input_tokens + record.usage.output_tokens, now);
  }
}

void Settlement::finish(Delivery delivery) {
  if (m_finished) return;
  m_finished = true;
  settle_money(delivery);
  stamp();
  if (delivery == Delivery::client_gone && !m_failed && !m_called_off) {
    record.outcome = call::Outcome::cancelled;
    record.error_code = code_of(ErrorKind::client_gone);
    if (record.http_status == 0) record.http_status = k_client_closed_request;
  }
  learn(delivery);
  if (m_when_ended) m_when_ended(*this);
  m_log.append(std::move(record));
  m_admission = {};
  m_in_flight = {};
}

}  // namespace nemo::gateway
