#include "daemon/entitlements.h"

#include <utility>

#include "daemon/lib/time_zone/time_zone.h"
#include "shared/log.h"
#include "shared/money.h"

namespace nemo {
namespace {

constexpr int k_shown_alerts = 20;

}  // namespace

Entitlements::Entitlements(Stores stores, upstream::Transport& transport, const Clock& clock)
    : m_stores(stores), m_clock(clock), m_book(stores.leases, clock), m_limiter(clock), m_webhook(transport) {}

Status Entitlements::open(const std::string& time_zone) {
  auto spend = m_stores.leases.load_spend();
  if (!spend) return spend.error();
  auto unsettled = m_stores.leases.load_unsettled();
  if (!unsettled) return unsettled.error();
  m_book.restore(*spend, std::move(*unsettled));
  use_time_zone(time_zone);
  return refresh();
}

Status Entitlements::refresh() {
  auto directory = m_stores.keys.load_directory();
  if (!directory) return directory.error();
  std::map<call::Scope, std::vector<call::BudgetLimit>> budgets;
  std::map<call::Scope, call::RateLimits> limits;
  for (const auto& [scope, terms] : directory->terms) {
    if (!terms.budgets.empty()) budgets[scope] = terms.budgets;
    if (terms.limits.any()) limits[scope] = terms.limits;
  }
  // Money first: a new key must not be let in before its budget is known.
  m_in_force.with([&](InForce& state) {
    state.budgets = std::move(budgets);
    configure_book(state);
  });
  m_limiter.configure(std::move(limits));
  m_keys.replace(std::move(*directory));
  return Done{};
}

void Entitlements::use_time_zone(const std::string& name) {
  m_in_force.with([&](InForce& state) {
    if (state.time_zone == name) return;
    state.time_zone = name;
    configure_book(state);
  });
}

void Entitlements::configure_book(const InForce& state) {
  // The config was refused if it named a zone that is not there; the database of zones may have gone since.
  auto zone = lib::TimeZone::find(state.time_zone);
  if (!zone) log::error(zone.error().message + " Budgets go by UTC.");
  m_book.configure(budget::Calendar(zone ? *zone : lib::TimeZone::utc()), state.budgets);
}

void Entitlements::tend(const std::string& webhook) {
  m_book.return_leases(budget::Book::Return::idle);
  for (const budget::Crossing& crossing : m_book.take_crossings()) {
    const auto recorded = m_stores.alerts.record_crossing(crossing, m_clock.wall());
    if (!recorded) log::warn(recorded.error().message);
    if (recorded && *recorded == budget::AlertStore::Recorded::before) continue;
    log::warn("budget: the " + std::string(call::to_string(crossing.scope.kind)) + " " + crossing.scope.name +
              " has spent " + std::to_string(crossing.percent) + " % of $" + to_dollars(crossing.limit) + "/" +
              std::string(call::to_string(crossing.window)));
    m_webhook.offer(webhook, crossing);
  }
}

std::vector<budget::Unsettled> Entitlements::unsettled() const {
  auto found = m_stores.leases.load_unsettled();
  if (found) return std::move(*found);
  log::warn(found.error().message);
  return {};
}

Status Entitlements::release_unsettled(std::int64_t id, const std::string& who, const std::string& why) {
  if (auto released = m_stores.leases.release_unsettled(id, who, why, m_clock.wall()); !released) return released;
  m_book.forget_unsettled(id);
  log::info("budget: the amount " + std::to_string(id) + " that a crash left unsettled was released by " + who + ": " +
            why);
  return Done{};
}

std::vector<budget::Alert> Entitlements::alerts() const {
  auto recent = m_stores.alerts.recent_crossings(k_shown_alerts);
  if (recent) return std::move(*recent);
  log::warn(recent.error().message);
  return {};
}

}  // namespace nemo
