// A book with a clock that stands still and a database in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/budget/book.h"
#include "fake_clock.h"
#include "memory_lease_store.h"

namespace nemo::test {

inline NanoUsd usd(const char* text) {
  return parse_dollars(text).value();
}

// "2026-11-22T13:45:00" as UTC.
inline WallTime utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const std::chrono::sys_days date = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return WallTime(date) + std::chrono::hours(hour) + std::chrono::minutes(minute);
}

inline budget::Calendar calendar_of(const std::string& zone) {
  return budget::Calendar(lib::TimeZone::find(zone).value());
}

inline const call::Scope k_key{call::ScopeKind::key, "key_ab12"};
inline const call::Scope k_seat{call::ScopeKind::seat, "alex"};
inline const call::Scope k_team{call::ScopeKind::team, "core"};
inline const call::Scopes k_three{k_key, k_seat, k_team};

using Limits = std::map<call::Scope, std::vector<call::BudgetLimit>>;

struct CountingHouse {
  explicit CountingHouse(Limits limits = {}, const std::string& zone = "UTC", WallTime now = utc(2026, 11, 18, 12)) {
    clock.set_wall(now);  // by default noon of a Wednesday
    book.configure(calendar_of(zone), std::move(limits));
  }

  // The row of a call that is about to be settled.
  static call::CallRecord row_of(const budget::Reservation& reservation, NanoUsd cost, WallTime at) {
    call::CallRecord row;
    row.at = at;
    row.key = k_key.name;
    row.seat = k_seat.name;
    row.team = k_team.name;
    row.cost = cost;
    row.reserved = reservation.amount();
    row.lease_day = reservation.day();
    row.drawn_from = reservation.drawn_from();
    return row;
  }

  // A whole call: no money is left over.
  Status spend(const call::Scopes& scopes, const char* dollars) {
    auto reservation = book.reserve(scopes, usd(dollars), usd(dollars));
    if (!reservation) return reservation.error();
    reservation->settle(usd(dollars));
    return Done{};
  }

  budget::Standing standing(const call::Scope& scope, call::Window window = call::Window::day) const {
    for (const budget::Standing& one : book.standings()) {
      if (one.scope == scope && one.window == window) return one;
    }
    return {};
  }

  FakeClock clock;
  MemoryLeaseStore store;
  budget::Book book{store, clock, std::chrono::milliseconds(0)};  // who would have to wait is told so at once
};

}  // namespace nemo::test
