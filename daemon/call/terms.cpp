#include "daemon/call/terms.h"

#include <algorithm>

namespace nemo::call {
namespace {

void apply_budget(std::vector<BudgetLimit>& budgets, const TermsChange::Budget& change) {
  std::erase_if(budgets, [&](const BudgetLimit& one) { return !change.window || one.window == *change.window; });
  if (!change.window || !change.amount) return;
  budgets.push_back({*change.window, *change.amount});
  std::sort(budgets.begin(), budgets.end(),
            [](const BudgetLimit& a, const BudgetLimit& b) { return a.window < b.window; });
}

}  // namespace

std::string_view to_string(Window window) {
  switch (window) {
    case Window::day:
      return "day";
    case Window::week:
      return "week";
    case Window::month:
      return "month";
    case Window::total:
      return "total";
  }
  return "";
}

Terms apply(Terms terms, const TermsChange& change) {
  for (const TermsChange::Budget& one : change.budgets) apply_budget(terms.budgets, one);
  RateLimits& limits = terms.limits;
  limits.requests_per_minute = change.requests_per_minute.value_or(limits.requests_per_minute);
  limits.tokens_per_minute = change.tokens_per_minute.value_or(limits.tokens_per_minute);
  limits.parallel = change.parallel.value_or(limits.parallel);
  terms.fallback_model = change.fallback_model.value_or(terms.fallback_model);
  return terms;
}

}  // namespace nemo::call
