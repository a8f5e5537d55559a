#include "daemon/store/sqlite/terms_rows.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/scope_rows.h"

namespace nemo::store {
namespace {

using call::Scope;
using call::ScopeKind;
using call::Terms;
using lib::sqlite::Connection;
using lib::sqlite::Statement;

std::optional<std::int64_t> number_in(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.integer(column);
}

call::RateLimits read_limits(const Statement& row, int first_column) {
  return {number_in(row, first_column), number_in(row, first_column + 1), number_in(row, first_column + 2)};
}

// The table is in the order of names.
void sort_budgets(Terms& terms) {
  std::sort(terms.budgets.begin(), terms.budgets.end(),
            [](const call::BudgetLimit& a, const call::BudgetLimit& b) { return a.window < b.window; });
}

void remove_limits(Connection& connection, const Scope& scope) {
  for (const char* sql :
       {"DELETE FROM budget_limit WHERE kind = ? AND name = ?", "DELETE FROM rate_limit WHERE kind = ? AND name = ?"})
    Statement(connection, sql).run_with(to_string(scope.kind), scope.name);
}

}  // namespace

Terms load_terms(Connection& connection, const Scope& scope) {
  Terms terms;
  Statement budgets(connection, "SELECT window, amount FROM budget_limit WHERE kind = ? AND name = ?");
  budgets.bind_all(to_string(scope.kind), scope.name);
  while (budgets.step()) terms.budgets.push_back({read_window(budgets, 0), NanoUsd{budgets.integer(1)}});
  sort_budgets(terms);
  Statement limits(connection, "SELECT rpm, tpm, parallel FROM rate_limit WHERE kind = ? AND name = ?");
  limits.bind_all(to_string(scope.kind), scope.name);
  if (limits.step()) terms.limits = read_limits(limits, 0);
  if (scope.kind != ScopeKind::key) return terms;
  Statement fallback(connection, "SELECT fallback_model FROM virtual_key WHERE id = ?");
  fallback.bind_all(scope.name);
  if (fallback.step()) terms.fallback_model = fallback.text(0);
  return terms;
}

std::map<Scope, Terms> load_all_terms(Connection& connection) {
  std::map<Scope, Terms> all;
  Statement budgets(connection, "SELECT kind, name, window, amount FROM budget_limit");
  while (budgets.step())
    all[read_scope(budgets, 0)].budgets.push_back({read_window(budgets, 2), NanoUsd{budgets.integer(3)}});
  for (auto& [scope, terms] : all) sort_budgets(terms);
  Statement limits(connection, "SELECT kind, name, rpm, tpm, parallel FROM rate_limit");
  while (limits.step()) all[read_scope(limits, 0)].limits = read_limits(limits, 2);
  Statement fallbacks(connection, "SELECT id, fallback_model FROM virtual_key WHERE fallback_model <> ''");
  while (fallbacks.step()) all[{ScopeKind::key, std::string(fallbacks.text(0))}].fallback_model = fallbacks.text(1);
  return all;
}

void store_terms(Connection& connection, const Scope& scope, const Terms& terms) {
  const std::string_view kind = to_string(scope.kind);
  remove_limits(connection, scope);
  for (const call::BudgetLimit& budget : terms.budgets) {
    Statement(connection, "INSERT INTO budget_limit (kind, name, window, amount) VALUES (?, ?, ?, ?)")
        .run_with(kind, scope.name, to_string(budget.window), budget.amount.value);
  }
  if (const call::RateLimits& limits = terms.limits; limits.any()) {
    Statement(connection, "INSERT INTO rate_limit (kind, name, rpm, tpm, parallel) VALUES (?, ?, ?, ?, ?)")
        .run_with(kind, scope.name, limits.requests_per_minute, limits.tokens_per_minute, limits.parallel);
  }
  if (scope.kind == ScopeKind::key) {
    Statement(connection, "UPDATE virtual_key SET fallback_model = ? WHERE id = ?")
        .run_with(terms.fallback_model, scope.name);
  }
}

}  // namespace nemo::store
