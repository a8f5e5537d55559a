#include "daemon/admin/convert_budget.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <limits>

#include "shared/money.h"

namespace nemo::admin {
namespace {

__extension__ using Wide = __int128;  // a hundred times an amount does not fit 64 bits

std::int64_t percent_of(NanoUsd used, NanoUsd limit) {
  if (limit.value <= 0) return 100;
  const Wide percent = static_cast<Wide>(used.value) * 100 / limit.value;
  return static_cast<std::int64_t>(std::min<Wide>(percent, std::numeric_limits<std::int64_t>::max()));
}

std::string to_text(lib::Day day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

}  // namespace

Labels::Labels(const access::Directory& directory) {
  for (const access::VirtualKey& key : directory.keys) m_keys[key.id] = key.seat + " …" + key.last4;
}

std::string Labels::of(const call::Scope& scope) const {
  if (scope.kind != call::ScopeKind::key) return scope.name;
  const auto found = m_keys.find(scope.name);
  return found == m_keys.end() ? scope.name : found->second;
}

Budget to_budget(const budget::Standing& standing, const Labels& labels) {
  const NanoUsd used = standing.spent + standing.unsettled;
  Budget view;
  view.scope = to_string(standing.scope.kind);
  view.name = standing.scope.name;
  view.label = labels.of(standing.scope);
  view.window = to_string(standing.window);
  view.limit = to_dollars(standing.limit);
  view.spent = to_dollars(standing.spent);
  view.reserved = to_dollars(standing.reserved);
  view.unsettled = to_dollars(standing.unsettled);
  view.remaining = to_dollars(standing.remaining());
  view.percent = percent_of(used, standing.limit);
  if (standing.resets_at) view.resets_at = to_rfc3339(*standing.resets_at);
  view.capped = used >= standing.limit;
  return view;
}

Unsettled to_unsettled(const budget::Unsettled& unsettled, const Labels& labels) {
  Unsettled view;
  view.id = unsettled.id;
  view.scope = to_string(unsettled.scope.kind);
  view.name = unsettled.scope.name;
  view.label = labels.of(unsettled.scope);
  view.day = to_text(unsettled.day);
  view.amount = to_dollars(unsettled.amount);
  view.found_at = to_rfc3339(unsettled.found_at);
  return view;
}

BudgetAlert to_alert(const budget::Alert& alert, const Labels& labels) {
  const budget::Crossing& crossing = alert.crossing;
  BudgetAlert view;
  view.at = to_rfc3339(alert.at);
  view.scope = to_string(crossing.scope.kind);
  view.name = crossing.scope.name;
  view.label = labels.of(crossing.scope);
  view.window = to_string(crossing.window);
  view.percent = crossing.percent;
  view.limit = to_dollars(crossing.limit);
  view.spent = to_dollars(crossing.spent);
  return view;
}

Accuracy to_accuracy(const ledger::AccuracyRow& row) {
  Accuracy view;
  view.model = row.model;
  view.calls = row.calls;
  view.estimated_tokens = row.estimated_tokens;
  view.input_tokens = row.input_tokens;
  view.above_estimate = row.above_estimate;
  view.overruns = row.overruns;
  view.overrun_cost = to_dollars(row.overrun_cost);
  view.reserved = to_dollars(row.reserved);
  view.cost = to_dollars(row.cost);
  return view;
}

}  // namespace nemo::admin
