#include "daemon/limits/minute.h"

#include <algorithm>

namespace nemo::limits {
namespace {

auto slot_of(SteadyTime time) {
  return time.time_since_epoch() / Minute::k_slot;
}

}  // namespace

void Minute::forget_before(SteadyTime now) {
  while (!m_entries.empty() && m_entries.front().time + k_minute <= now) {
    m_used.requests -= m_entries.front().amounts.requests;
    m_used.tokens -= m_entries.front().amounts.tokens;
    m_entries.pop_front();
  }
}

void Minute::open_slot(SteadyTime now) {
  if (m_entries.empty() || slot_of(m_entries.back().time) != slot_of(now)) {
    m_entries.push_back({now, {}});
  } else {
    m_entries.back().time = now;
  }
}

void Minute::add(SteadyTime at, Amounts change) {
  // Nearly always the newest, or one of the newest.
  const auto slot = slot_of(at);
  const auto found = std::lower_bound(m_entries.begin(), m_entries.end(), slot,
                                      [](const Entry& entry, auto wanted) { return slot_of(entry.time) < wanted; });
  if (found == m_entries.end() || slot_of(found->time) != slot) return;
  found->amounts.requests += change.requests;
  found->amounts.tokens += change.tokens;
  m_used.requests += change.requests;
  m_used.tokens += change.tokens;
}

SteadyTime Minute::when_at_most(Measure measure, std::int64_t left) const {
  std::int64_t used = m_used.*measure;
  for (const Entry& entry : m_entries) {
    used -= entry.amounts.*measure;
    if (used <= left) return entry.time + k_minute;
  }
  return m_entries.back().time + k_minute;
}

SteadyTime Minute::when_unused(Measure measure, SteadyTime now) const {
  const auto last = std::find_if(m_entries.rbegin(), m_entries.rend(),
                                 [measure](const Entry& entry) { return entry.amounts.*measure != 0; });
  return last == m_entries.rend() ? now : last->time + k_minute;
}

}  // namespace nemo::limits
