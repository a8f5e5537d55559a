// The rules of budgets, written so plainly that one can see that they are right: everything is a list, every sum is
// made anew.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "counting_house.h"

namespace nemo::test {

struct PlainModel {
  struct Call {
    std::int64_t id = 0;
    WallTime begun;
    budget::Day day = 0;
    NanoUsd amount;               // what it holds, or held
    std::vector<call::Scope> of;  // the scopes that it draws from
    NanoUsd cost{};               // once it was settled
  };

  explicit PlainModel(budget::Calendar used) : calendar(std::move(used)) {}

  bool has_budget(const call::Scope& scope) const { return limits.count(scope) != 0 && !limits.at(scope).empty(); }

  static bool draws(const Call& call, const call::Scope& scope) {
    return std::find(call.of.begin(), call.of.end(), scope) != call.of.end();
  }

  NanoUsd spent(const budget::Period& period) const {  // every call is paid by every scope
    NanoUsd sum;
    for (const Call& call : settled) sum += period.contains(call.begun) ? call.cost : NanoUsd{};
    return sum;
  }

  NanoUsd unsettled_in(const call::Scope& scope, call::Window window, WallTime at) const {
    const budget::Days days = budget::Calendar::days_of(window, calendar.day_of(at));
    NanoUsd sum;
    for (const budget::Unsettled& one : unsettled) {
      if (one.scope == scope && days.contains(one.day)) sum += one.amount;
    }
    return sum;
  }

  NanoUsd reserved(const call::Scope& scope) const {
    NanoUsd sum;
    for (const Call& call : running) sum += draws(call, scope) ? call.amount : NanoUsd{};
    return sum;
  }

  NanoUsd room(const call::Scope& scope, const call::BudgetLimit& limit, WallTime at) const {
    const budget::Period period = calendar.period_of(limit.window, at);
    return limit.amount - spent(period) - unsettled_in(scope, limit.window, at) - reserved(scope);
  }

  // The least that any of the scopes' budgets leaves at all those times; absent: none has one.
  std::optional<NanoUsd> tightest(const std::vector<call::Scope>& scopes, const std::vector<WallTime>& times) const {
    std::optional<NanoUsd> least;
    for (const call::Scope& scope : scopes) {
      if (!has_budget(scope)) continue;
      for (const call::BudgetLimit& limit : limits.at(scope)) {
        for (const WallTime at : times) {
          const NanoUsd left = room(scope, limit, at);
          if (!least || left < *least) least = left;
        }
      }
    }
    return least;
  }

  // What a call that holds `held` may hold at most then; absent: refused.
  static std::optional<NanoUsd> target(NanoUsd held, NanoUsd room, NanoUsd least, NanoUsd most) {
    const NanoUsd target = std::min(most, held + std::max(room, NanoUsd{0}));
    if (target < least) return std::nullopt;
    if (most.value > 0 && target.value == 0) return std::nullopt;
    return target;
  }

  // What must be in the database for calls of that day: what runs, and what is settled but not yet a row.
  NanoUsd at_risk(const call::Scope& scope, budget::Day day) const {
    NanoUsd sum;
    for (const Call& call : running) sum += draws(call, scope) && call.day == day ? call.amount : NanoUsd{};
    for (const Call& call : unwritten) {
      sum += draws(call, scope) && call.day == day ? std::min(call.cost, call.amount) : NanoUsd{};
    }
    return sum;
  }

  budget::Calendar calendar;
  Limits limits;
  std::vector<Call> running;
  std::vector<Call> settled;
  std::vector<Call> unwritten;  // settled, and not yet in the database
  std::vector<budget::Unsettled> unsettled;
};

}  // namespace nemo::test
