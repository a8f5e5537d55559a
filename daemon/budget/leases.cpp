#include "daemon/budget/leases.h"

#include <algorithm>

namespace nemo::budget {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds k_idle{2'000};
// A lease that lasts no longer than this is too small for the traffic: the next covers twice as many calls.
constexpr milliseconds k_short_lived{250};
constexpr std::int64_t k_fewest_ahead = 4;
constexpr std::int64_t k_most_ahead = 4'096;
// What calls to come may hold of the room: a crash strands no more, until people release it.
constexpr std::int64_t k_share_ahead = 8;

NanoUsd times(NanoUsd amount, std::int64_t count, NanoUsd most) {
  return amount.value > most.value / count ? most : NanoUsd{amount.value * count};
}

}  // namespace

NanoUsd Leases::free_on(lib::Day day) const {
  const auto found = m_by_day.find(day);
  return found == m_by_day.end() ? NanoUsd{} : found->second.free;
}

NanoUsd Leases::free_together() const {
  NanoUsd sum;
  for (const auto& [day, lease] : m_by_day) sum += lease.free;
  return sum;
}

NanoUsd Leases::drawn_together() const {
  NanoUsd sum;
  for (const auto& [day, lease] : m_by_day) sum += lease.drawn;
  return sum;
}

void Leases::draw(lib::Day day, NanoUsd amount, SteadyTime now) {
  m_drawn_at = now;
  if (amount.value == 0) return;
  Lease& lease = m_by_day[day];
  lease.free = lease.free - amount;
  lease.drawn += amount;
  m_usual = amount > m_usual ? amount : m_usual - NanoUsd{(m_usual - amount).value / 8};
}

void Leases::put_back(lib::Day day, NanoUsd amount) {
  settle(day, amount, {});
}

void Leases::settle(lib::Day day, NanoUsd amount, NanoUsd cost) {
  if (amount.value == 0) return;
  Lease& lease = m_by_day[day];
  lease.drawn = lease.drawn - amount;
  lease.free += amount - cost;
}

void Leases::granted(const Change& change) {
  m_by_day[change.day].free += change.by;
}

NanoUsd Leases::ahead(NanoUsd room) const {
  return times(m_usual, m_calls_ahead, {std::max<std::int64_t>(room.value, 0) / k_share_ahead});
}

void Leases::quicken(SteadyTime now) {
  const auto lasted = now - m_planned_at;
  if (lasted < k_short_lived) m_calls_ahead = std::min(m_calls_ahead * 2, k_most_ahead);
  if (lasted > k_idle) m_calls_ahead = std::max(m_calls_ahead / 2, k_fewest_ahead);
  m_planned_at = now;
}

NanoUsd Leases::take_free(Lease& lease, lib::Day day, NanoUsd most, Changes& changes) {
  const NanoUsd taken = std::min(lease.free, most);
  if (taken.value <= 0) return {};
  lease.free = lease.free - taken;
  changes.push_back({day, NanoUsd{} - taken});
  return taken;
}

Leases::Changes Leases::plan_for(lib::Day day, NanoUsd amount, NanoUsd room, SteadyTime now) {
  quicken(now);
  Changes changes;
  const NanoUsd free = free_on(day);
  const NanoUsd missing = amount - free;
  const NanoUsd headroom = std::max(room - free_together(), NanoUsd{});
  NanoUsd by = std::min(std::max(amount, m_expected) + ahead(room) - free, headroom);
  for (auto& [other, lease] : m_by_day) {
    if (other != day && by < missing) by += take_free(lease, other, missing - by, changes);
  }
  if (by.value > 0) changes.push_back({day, by});
  return changes;
}

Leases::Changes Leases::plan_ahead(lib::Day day, NanoUsd room, SteadyTime now) {
  const NanoUsd wanted = ahead(room);
  const NanoUsd free = free_on(day);
  if (free.value >= wanted.value / 2) return {};
  const NanoUsd by = std::min(wanted - free, room - free_together());
  if (by < m_usual || by.value <= 0) return {};  // too little for even one call: what it needs is asked for in time
  quicken(now);
  return {{day, by}};
}

Leases::Changes Leases::plan_return(lib::Day today, NanoUsd room, SteadyTime now) {
  Changes changes;
  const bool idle = drawn_together().value == 0 && now - std::max(m_drawn_at, m_planned_at) >= k_idle;
  NanoUsd excess = free_together() - room;
  for (auto at = m_by_day.begin(); at != m_by_day.end();) {
    auto& [day, lease] = *at;
    const bool unused = idle || (day != today && lease.drawn.value == 0);
    excess = excess - take_free(lease, day, unused ? lease.free : excess, changes);
    at = lease.free.value == 0 && lease.drawn.value == 0 ? m_by_day.erase(at) : std::next(at);
  }
  return changes;
}

Leases::Changes Leases::plan_return_of_all() {
  Changes changes;
  for (auto& [day, lease] : m_by_day) take_free(lease, day, lease.free, changes);
  return changes;
}

}  // namespace nemo::budget
