#include "daemon/call/terms.h"

#include <doctest/doctest.h>

#include <set>

#include "daemon/call/scope.h"

namespace nemo::test::terms_test {

using namespace nemo;
using namespace nemo::call;

namespace {

Terms some_terms() {
  Terms terms;
  terms.budgets = {{Window::day, NanoUsd{5}}, {Window::total, NanoUsd{90}}};
  terms.limits.requests_per_minute = 60;
  terms.limits.parallel = 0;
  terms.fallback_model = "local";
  return terms;
}

TermsChange budget_change(std::optional<Window> window, std::optional<NanoUsd> amount) {
  TermsChange change;
  change.budgets.push_back({window, amount});
  return change;
}

}  // namespace

TEST_CASE("a change that names nothing leaves the terms as they are") {
  CHECK(TermsChange().empty());
  CHECK(apply(some_terms(), TermsChange()) == some_terms());
}

TEST_CASE("a budget replaces that of its window and keeps the others") {
  const Terms terms = apply(some_terms(), budget_change(Window::day, NanoUsd{7}));
  CHECK(terms.budgets == std::vector<BudgetLimit>{{Window::day, NanoUsd{7}}, {Window::total, NanoUsd{90}}});
  CHECK(terms.limits == some_terms().limits);
  CHECK(terms.fallback_model == "local");
}

TEST_CASE("budgets stay in the order of their windows") {
  const Terms terms = apply(some_terms(), budget_change(Window::week, NanoUsd{20}));
  CHECK(terms.budgets ==
        std::vector<BudgetLimit>{{Window::day, NanoUsd{5}}, {Window::week, NanoUsd{20}}, {Window::total, NanoUsd{90}}});
}

TEST_CASE("one budget can be removed, or all of them") {
  CHECK(apply(some_terms(), budget_change(Window::day, std::nullopt)).budgets ==
        std::vector<BudgetLimit>{{Window::total, NanoUsd{90}}});
  CHECK(apply(some_terms(), budget_change(std::nullopt, std::nullopt)).budgets.empty());
  CHECK(apply(some_terms(), budget_change(Window::month, std::nullopt)).budgets == some_terms().budgets);
}

TEST_CASE("several changes of budgets are made in their order") {
  TermsChange change = budget_change(std::nullopt, std::nullopt);
  change.budgets.push_back({Window::month, NanoUsd{80}});
  CHECK(apply(some_terms(), change).budgets == std::vector<BudgetLimit>{{Window::month, NanoUsd{80}}});
}

TEST_CASE("a budget of nothing is not the same as no budget") {
  CHECK(apply(Terms(), budget_change(Window::day, NanoUsd{0})).budgets ==
        std::vector<BudgetLimit>{{Window::day, NanoUsd{0}}});
}

TEST_CASE("a limit can be set, set to none allowed, and removed") {
  TermsChange change;
  change.tokens_per_minute = std::optional<std::int64_t>(1'000);
  change.requests_per_minute = std::optional<std::int64_t>(0);
  change.parallel = std::optional<std::int64_t>();
  CHECK_FALSE(change.empty());
  const Terms terms = apply(some_terms(), change);
  CHECK(terms.limits.tokens_per_minute == 1'000);
  CHECK(terms.limits.requests_per_minute == 0);
  CHECK_FALSE(terms.limits.parallel.has_value());
}

TEST_CASE("a fallback model is removed by an empty name") {
  TermsChange change;
  change.fallback_model = "";
  CHECK_FALSE(change.empty());
  CHECK(apply(some_terms(), change).fallback_model.empty());
}

TEST_CASE("windows and kinds of scopes are named as people write them") {
  CHECK(to_string(Window::day) == "day");
  CHECK(to_string(Window::week) == "week");
  CHECK(to_string(Window::month) == "month");
  CHECK(to_string(Window::total) == "total");
  CHECK(to_string(ScopeKind::key) == "key");
  CHECK(to_string(ScopeKind::seat) == "seat");
  CHECK(to_string(ScopeKind::team) == "team");
}

TEST_CASE("a seat and a team of one name are two scopes") {
  const std::set<Scope> scopes{{ScopeKind::seat, "core"}, {ScopeKind::team, "core"}, {ScopeKind::seat, "core"}};
  CHECK(scopes.size() == 2);
}

}  // namespace nemo::test::terms_test
