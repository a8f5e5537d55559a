#include "daemon/admin/convert_terms.h"

#include <charconv>
#include <string>

#include "daemon/admin/replies.h"
#include "daemon/budget/limit_text.h"
#include "shared/money.h"

namespace nemo::admin {
namespace {

constexpr std::int64_t k_most_a_minute = 1'000'000'000'000;  // keeps sums far from overflow
constexpr std::string_view k_fallback = "fallback:";

using Limit = std::optional<std::int64_t>;

Result<std::optional<Limit>> read_limit(const std::optional<std::string>& text, const char* field) {
  if (!text) return std::optional<Limit>{};
  if (*text == "none") return std::optional<Limit>(std::in_place, std::nullopt);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (text->empty() || error != std::errc() || end != text->data() + text->size() || number < 0 ||
      number > k_most_a_minute) {
    return fail(ErrorKind::invalid_request,
                std::string(field) + " takes a whole number up to " + std::to_string(k_most_a_minute) +
                    " (0: none allowed) or \"none\" for no limit, not \"" + *text + "\"",
                field);
  }
  return std::optional<Limit>(std::in_place, number);
}

Result<std::string> read_fallback(const std::string& text) {
  if (text == "refuse" || text == "none") return std::string();
  if (text.rfind(k_fallback, 0) != 0 || text.size() == k_fallback.size()) {
    return fail(ErrorKind::invalid_request, "on_budget takes \"refuse\" or \"fallback:MODEL\", not \"" + text + "\"",
                "on_budget");
  }
  std::string model = text.substr(k_fallback.size());
  if (const auto checked = check_name(model, "on_budget"); !checked) return checked.error();
  return model;
}

}  // namespace

Result<call::TermsChange> to_terms_change(const TermsRequest& request, TermsOf whose) {
  call::TermsChange change;
  for (const std::string& text : request.budgets) {
    auto budget = budget::parse_budget(text);
    if (!budget) return budget.error();
    change.budgets.push_back(*budget);
  }
  const auto rpm = read_limit(request.rpm, "rpm");
  if (!rpm) return rpm.error();
  change.requests_per_minute = *rpm;
  const auto tpm = read_limit(request.tpm, "tpm");
  if (!tpm) return tpm.error();
  change.tokens_per_minute = *tpm;
  const auto parallel = read_limit(request.parallel, "parallel");
  if (!parallel) return parallel.error();
  change.parallel = *parallel;
  if (!request.on_budget) return change;
  if (whose == TermsOf::group) {
    return fail(ErrorKind::invalid_request, "on_budget is said of a key, not of a seat or a team", "on_budget");
  }
  auto model = read_fallback(*request.on_budget);
  if (!model) return model.error();
  change.fallback_model = std::move(model).value();
  return change;
}

Terms to_terms(const call::Terms& terms) {
  Terms view;
  for (const call::BudgetLimit& budget : terms.budgets) {
    view.budgets.push_back(to_dollars(budget.amount) + "/" + std::string(to_string(budget.window)));
  }
  view.rpm = terms.limits.requests_per_minute;
  view.tpm = terms.limits.tokens_per_minute;
  view.parallel = terms.limits.parallel;
  if (!terms.fallback_model.empty()) view.on_budget = std::string(k_fallback) + terms.fallback_model;
  return view;
}

}  // namespace nemo::admin
