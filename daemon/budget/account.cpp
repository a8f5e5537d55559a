#include "daemon/budget/account.h"

#include <algorithm>
#include <utility>

namespace nemo::budget {
namespace {

// Per cent of a limit as large as 64 bits allow.
__extension__ using Exact = __int128;

constexpr std::array<int, 3> k_thresholds{50, 80, 100};

std::size_t index_of(call::Window window) {
  return static_cast<std::size_t>(window);
}

bool reaches(NanoUsd spent, NanoUsd limit, int percent) {
  return Exact{spent.value} * 100 >= Exact{limit.value} * percent;
}

}  // namespace

Spans spans_at(const Calendar& calendar, WallTime time) {
  Spans spans;
  const Day day = calendar.day_of(time);
  for (std::size_t i = 0; i < spans.size(); ++i) {
    const auto window = static_cast<call::Window>(i);
    spans[i] = {calendar.period_of(window, time), Calendar::days_of(window, day)};
  }
  return spans;
}

void Account::set_limits(const std::vector<call::BudgetLimit>& limits) {
  for (const Budget& budget : m_budgets) remember_noticed(budget);
  m_budgets.clear();
  for (const call::BudgetLimit& limit : limits) m_budgets.push_back({limit, {}, {}, {}, 0});
  m_generation = 0;
}

void Account::add_spend(Slot slot, NanoUsd cost) {
  m_history.add(slot, cost);
  m_generation = 0;
}

void Account::add_unsettled(Unsettled unsettled) {
  m_unsettled.push_back(std::move(unsettled));
  m_generation = 0;
}

void Account::forget_unsettled(std::int64_t id) {
  std::erase_if(m_unsettled, [id](const Unsettled& one) { return one.id == id; });
  m_generation = 0;
}

NanoUsd Account::unsettled_in(const Days& days) const {
  NanoUsd sum;
  for (const Unsettled& one : m_unsettled) {
    if (days.contains(one.day)) sum = capped_sum(sum, one.amount);
  }
  return sum;
}

void Account::remember_noticed(const Budget& budget) {
  if (budget.noticed > 0) m_noticed[{budget.limit.window, budget.period.start}] = budget.noticed;
}

void Account::refresh(const Present& now) {
  if (m_generation == now.generation) return;
  m_generation = now.generation;
  for (Budget& budget : m_budgets) {
    remember_noticed(budget);
    const Span& span = now.spans[index_of(budget.limit.window)];
    budget.period = span.period;
    budget.spent = m_history.sum(span.period);
    budget.unsettled = unsettled_in(span.days);
    const auto noticed = m_noticed.find({budget.limit.window, span.period.start});
    budget.noticed = noticed == m_noticed.end() ? 0 : noticed->second;
  }
}

NanoUsd Account::left_of(const call::BudgetLimit& limit, NanoUsd spent, NanoUsd unsettled) const {
  return limit.amount - capped_sum(capped_sum(spent, unsettled), m_reserved);
}

std::optional<Room> Account::room(const Present& now) {
  refresh(now);
  std::optional<Room> tightest;
  for (const Budget& budget : m_budgets) {
    const NanoUsd left = left_of(budget.limit, budget.spent, budget.unsettled);
    if (!tightest || left < tightest->amount ||
        (left == tightest->amount && budget.period.end > tightest->period.end)) {
      tightest = Room{left, budget.limit, budget.period};
    }
  }
  return tightest;
}

std::optional<Room> Account::room_in(const Spans& spans) const {
  std::optional<Room> tightest;
  for (const Budget& budget : m_budgets) {
    const Span& span = spans[index_of(budget.limit.window)];
    const NanoUsd left = left_of(budget.limit, m_history.sum(span.period), unsettled_in(span.days));
    if (!tightest || left < tightest->amount) tightest = Room{left, budget.limit, span.period};
  }
  return tightest;
}

void Account::spend(Slot slot, NanoUsd cost, const Present& now) {
  refresh(now);
  m_history.add(slot, cost);
  for (Budget& budget : m_budgets) {
    if (budget.period.contains(start_of(slot))) budget.spent = capped_sum(budget.spent, cost);
  }
}

void Account::notice_crossings(const Present& now, std::vector<Crossing>& crossings) {
  refresh(now);
  for (Budget& budget : m_budgets) {
    const NanoUsd spent = capped_sum(budget.spent, budget.unsettled);
    if (spent.value == 0) continue;
    while (budget.noticed < k_thresholds.size() && reaches(spent, budget.limit.amount, k_thresholds[budget.noticed])) {
      const int percent = k_thresholds[budget.noticed++];
      if (budget.limit.amount.value == 0 && percent < 100) continue;
      crossings.push_back({m_scope, budget.limit.window, budget.period.start, percent, budget.limit.amount, spent});
    }
  }
}

void Account::append_standings(const Present& now, std::vector<Standing>& standings) {
  refresh(now);
  for (const Budget& budget : m_budgets) {
    const auto resets_at = budget.limit.window == call::Window::total ? std::nullopt : std::optional(budget.period.end);
    standings.push_back(
        {m_scope, budget.limit.window, budget.limit.amount, budget.spent, m_reserved, budget.unsettled, resets_at});
  }
}

}  // namespace nemo::budget
