#include "daemon/gateway/purse.h"

#include <algorithm>
#include <limits>

#include "daemon/budget/cost.h"
#include "daemon/protocol/prompt_size.h"

namespace nemo::gateway {
namespace {

constexpr std::int64_t k_unbounded = std::numeric_limits<std::int64_t>::max();
// A model that states no limit of its own: as much as the longest answers of today.
constexpr std::int64_t k_longest_answer_tokens = 131'072;
// A stream that needs more than was set aside gets this much at a time, and at least the smaller number.
constexpr std::int64_t k_more_tokens = 2'048;
constexpr std::int64_t k_least_more_tokens = 64;

// Input may be billed as a write to the provider's cache, which costs more; that none of it is cached is the worst
// case.
void make_dear(catalog::Price& price) {
  price.input = std::max(price.input, price.cache_write.value_or(NanoUsd{}));
  price.cached_input.reset();
}

}  // namespace

Purse::Purse(Payer payer, const call::CallSpec& spec, std::int64_t least_tokens)
    : m_payer(std::move(payer)),
      m_surface(spec.surface),
      m_asked_tokens(spec.max_tokens),
      m_answers(spec.answers),
      m_least_tokens(least_tokens) {}

std::int64_t Purse::most_output(const catalog::Model& model) const {
  if (call::hub_of(m_surface) == call::Hub::embeddings) return 0;
  if (m_asked_tokens) return *m_asked_tokens;
  if (model.max_output_tokens) return *model.max_output_tokens;
  return model.context_window > 0 ? model.context_window : k_longest_answer_tokens;
}

NanoUsd Purse::bound_alone(std::int64_t output_tokens) const {
  if (!m_model.pricing) return {};
  call::Usage usage;
  usage.input_tokens = m_input_bound;
  usage.output_tokens = output_tokens;
  return budget::cost_of(*m_model.pricing, usage);
}

// The largest number of tokens an answer whose bound is within the amount.
std::int64_t Purse::tokens_bought(NanoUsd amount, std::int64_t most) const {
  std::int64_t low = 0;
  std::int64_t high = most;
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (bound(middle * m_answers) <= amount) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

Status Purse::set_aside(NanoUsd least, NanoUsd most) {
  if (m_reserved) return m_reservation.resize(least, most);
  auto reserved = m_payer.book.reserve(m_payer.principal->scopes, least, most, m_payer.at);
  if (!reserved) return reserved.error();
  m_reservation = std::move(*reserved);
  m_reserved = true;
  return Done{};
}

void Purse::cover(std::int64_t output_tokens) {
  m_covered_bytes = output_tokens > k_unbounded / k_bytes_per_token ? k_unbounded : output_tokens * k_bytes_per_token;
}

Result<std::optional<std::int64_t>> Purse::afford(const catalog::Model& model, std::string_view body) {
  pay_for(model);
  m_beside = {};
  // A call that began without a budget has none to keep within; what it costs is counted all the same.
  const bool is_free = m_reserved ? !is_limited() : !m_payer.book.remaining(m_payer.principal->scopes).has_value();
  if (is_free) {
    cover(k_unbounded);
    if (auto counted = set_aside({}, {}); !counted) return counted.error();
    return std::optional<std::int64_t>();
  }
  if (!m_size) m_size = protocol::measure_prompt(body);
  m_input_bound = m_payer.density.input_tokens_bound(model, *m_size);
  const std::int64_t wanted = most_output(model);
  const std::int64_t least = std::min(wanted, m_least_tokens);
  const NanoUsd most = bound(wanted * m_answers);
  if (auto set = set_aside(bound(least * m_answers), most); !set) return set.error();
  if (!is_limited()) {  // the last budget has just been removed
    cover(k_unbounded);
    return std::optional<std::int64_t>();
  }
  if (m_reservation.amount() >= most) {
    cover(wanted * m_answers);
    return std::optional<std::int64_t>();
  }
  const std::int64_t bought = tokens_bought(m_reservation.amount(), wanted);
  cover(bought * m_answers);
  return std::optional<std::int64_t>(bought);
}

void Purse::pay_for(const catalog::Model& model) {
  m_model = model;
  if (!m_model.pricing) return;
  make_dear(m_model.pricing->base);
  if (m_model.pricing->above_200k) make_dear(*m_model.pricing->above_200k);
}

bool Purse::afford_also(const catalog::Model& second) {
  if (!is_limited()) return true;
  const catalog::Model first = m_model;
  const std::int64_t first_input = m_input_bound;
  const std::int64_t output = std::min(most_output(second), m_covered_bytes / k_bytes_per_token);
  pay_for(second);
  m_input_bound = std::max(first_input, m_payer.density.input_tokens_bound(second, *m_size));
  const NanoUsd both = m_reservation.amount() + bound_alone(output);
  const bool set = set_aside(both, both).ok();
  if (set) m_beside = bound_alone(output);
  m_model = first;
  if (!set) m_input_bound = first_input;
  return set;
}

bool Purse::covers(std::size_t content_bytes) {
  if (static_cast<std::int64_t>(content_bytes) <= m_covered_bytes) return true;
  if (!is_limited() || !m_model.pricing) return true;
  const std::int64_t needed = tokens_in(content_bytes);
  if (auto more = set_aside(bound(needed + k_least_more_tokens), bound(needed + k_more_tokens)); !more) return false;
  std::int64_t tokens = needed + k_more_tokens;
  while (tokens > needed && bound(tokens) > m_reservation.amount()) tokens -= k_least_more_tokens;
  cover(tokens);
  return true;
}

void Purse::settle(call::CallRecord& record) {
  if (!m_reserved) return;
  record.reserved = m_reservation.amount();
  record.estimated_tokens = m_input_bound;
  record.lease_day = m_reservation.day();
  record.drawn_from = m_reservation.drawn_from();
  m_reservation.settle(record.cost);
  m_reserved = false;
  const bool counted = record.usage.source == call::UsageSource::provider && record.usage.input_tokens > 0;
  if (counted && m_size) m_payer.density.observe(m_model, *m_size, record.usage.input_tokens);
}

}  // namespace nemo::gateway
