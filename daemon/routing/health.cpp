#include "daemon/routing/health.h"

#include <algorithm>

namespace nemo::routing {
namespace {

constexpr std::size_t k_enough_outcomes = 10;  // fewer say nothing about a rate
constexpr std::chrono::seconds k_outcome_counts_for{60};
constexpr std::chrono::seconds k_longest_wait{7 * 24 * 3600};  // what is asked for beyond it is a mistake

Micros left(SteadyTime until, SteadyTime now) {
  return until <= now ? Micros(0) : std::chrono::ceil<Micros>(until - now);
}

}  // namespace

Condition Health::condition(SteadyTime now) const {
  if (now < m_limited_until) return Condition::rate_limited;
  if (m_phase != Phase::open) return Condition::healthy;
  return now < m_cooling_until || m_probe_is_out ? Condition::cooling : Condition::half_open;
}

Micros Health::until_ready(SteadyTime now) const {
  if (now < m_limited_until) return left(m_limited_until, now);
  return m_phase == Phase::open ? left(m_cooling_until, now) : Micros(0);
}

Trial Health::begin(SteadyTime now) {
  const bool is_probe = m_phase == Phase::open && now >= m_cooling_until && !m_probe_is_out;
  if (is_probe) m_probe_is_out = true;
  return {now, is_probe};
}

void Health::give_back(const Trial& trial) {
  if (trial.is_probe && trial.begun >= m_opened_at) m_probe_is_out = false;
}

void Health::answers(const Trial& trial) {
  if (m_phase != Phase::open || trial.begun < m_opened_at) return;
  m_phase = Phase::on_trial;
  m_probe_is_out = false;
}

void Health::succeeded(const Trial& trial, SteadyTime now) {
  if (trial.begun < m_opened_at) return;
  m_phase = Phase::closed;
  m_probe_is_out = false;
  m_in_a_row = 0;
  note(false, now);
}

void Health::failed(const Trial& trial, Trouble trouble, std::optional<std::chrono::seconds> retry_after,
                    SteadyTime now) {
  if (trouble == Trouble::rate_limited && retry_after && retry_after->count() > 0) {
    m_limited_until = std::max(m_limited_until, now + std::min(*retry_after, k_longest_wait));
    give_back(trial);
    return;
  }
  if (trial.begun < m_opened_at) return;
  if (m_phase == Phase::on_trial) return reopen(now);
  if (m_phase == Phase::open) {
    // What is tried for want of anything better is known to be in trouble: only the probe makes the wait longer.
    if (trial.is_probe) reopen(now);
    return;
  }
  ++m_in_a_row;
  note(true, now);
  if (trouble == Trouble::unauthorized || m_in_a_row > m_rules.allowed_fails || mostly_fails(now)) {
    open(m_rules.cooldown, now);
  }
}

void Health::note(bool failed, SteadyTime now) {
  m_outcomes[m_noted % k_outcomes] = {now, failed};
  ++m_noted;
}

bool Health::mostly_fails(SteadyTime now) const {
  std::size_t recent = 0;
  std::size_t failures = 0;
  for (std::size_t i = 0; i < std::min(m_noted, k_outcomes); ++i) {
    if (now - m_outcomes[i].at > k_outcome_counts_for) continue;
    ++recent;
    if (m_outcomes[i].failed) ++failures;
  }
  return recent >= k_enough_outcomes && 2 * failures > recent;
}

void Health::open(std::chrono::milliseconds length, SteadyTime now) {
  m_phase = Phase::open;
  m_probe_is_out = false;
  m_in_a_row = 0;
  m_noted = 0;
  m_length = length;
  m_opened_at = now;
  m_cooling_until = now + length;
}

void Health::reopen(SteadyTime now) {
  open(std::min(m_length * 2, std::max(m_rules.longest, m_rules.cooldown)), now);
}

}  // namespace nemo::routing
