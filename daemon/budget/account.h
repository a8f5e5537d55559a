// One scope's money: its limits, what it spent, what running calls hold, and its leases. One thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "daemon/budget/book.h"
#include "daemon/budget/calendar.h"
#include "daemon/budget/leases.h"
#include "daemon/budget/spend_history.h"
#include "daemon/call/scope.h"
#include "daemon/call/terms.h"

namespace nemo::budget {

// One window as it is at some time.
struct Span {
  Period period;
  Days days;
};
using Spans = std::array<Span, 4>;  // in the order of call::Window
Spans spans_at(const Calendar& calendar, WallTime time);

// The windows of now; `generation` counts how often they changed, from 1.
struct Present {
  std::uint64_t generation = 0;
  Spans spans{};
  lib::Day day = 0;
};

// What the tightest of a scope's budgets leaves; negative after an overrun.
struct Room {
  NanoUsd amount;
  call::BudgetLimit limit;
  Period period;
};

class Account {
 public:
  explicit Account(call::Scope scope) : m_scope(std::move(scope)) {}

  const call::Scope& scope() const { return m_scope; }
  bool has_budget() const { return !m_budgets.empty(); }
  void set_limits(const std::vector<call::BudgetLimit>& limits);

  void add_spend(Slot slot, NanoUsd cost);  // of an earlier process
  void add_unsettled(Unsettled unsettled);
  void forget_unsettled(std::int64_t id);

  // Absent: no budget.
  std::optional<Room> room(const Present& now);
  std::optional<Room> room_in(const Spans& spans) const;  // of another time than now

  void hold(NanoUsd amount) { m_reserved += amount; }
  void let_go(NanoUsd amount) { m_reserved = m_reserved - amount; }
  void spend(Slot slot, NanoUsd cost, const Present& now);
  Leases& leases() { return m_leases; }

  // Appends the thresholds that were passed and not yet told in this period.
  void notice_crossings(const Present& now, std::vector<Crossing>& crossings);
  void append_standings(const Present& now, std::vector<Standing>& standings);

 private:
  struct Budget {
    call::BudgetLimit limit;
    Period period;  // of the last refresh, as are the following
    NanoUsd spent;
    NanoUsd unsettled;
    std::size_t noticed = 0;  // how many thresholds
  };

  void refresh(const Present& now);
  void remember_noticed(const Budget& budget);
  NanoUsd unsettled_in(const Days& days) const;
  NanoUsd left_of(const call::BudgetLimit& limit, NanoUsd spent, NanoUsd unsettled) const;

  call::Scope m_scope;
  std::vector<Budget> m_budgets;
  std::uint64_t m_generation = 0;  // of the Present that m_budgets were summed up for; 0: must be done again
  SpendHistory m_history;
  std::vector<Unsettled> m_unsettled;
  NanoUsd m_reserved;
  Leases m_leases;
  std::map<std::pair<call::Window, WallTime>, std::size_t> m_noticed;  // by period's start
};

}  // namespace nemo::budget
