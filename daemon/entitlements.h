// Owns: who may use how much, in force: keys, budgets and limits, kept in step with the store and the config.
#pragma once

#include <string>
#include <vector>

#include "daemon/access/key_book.h"
#include "daemon/access/key_store.h"
#include "daemon/budget/alert_store.h"
#include "daemon/budget/book.h"
#include "daemon/budget/estimate.h"
#include "daemon/budget/lease_store.h"
#include "daemon/exporters/alert_webhook.h"
#include "daemon/gateway/gateway.h"
#include "daemon/limits/limiter.h"
#include "shared/clock.h"
#include "shared/guarded.h"
#include "shared/result.h"

namespace nemo {

// Any thread, but open() and close(), which come first and last.
class Entitlements {
 public:
  struct Stores {
    access::KeyStore& keys;
    budget::LeaseStore& leases;
    budget::AlertStore& alerts;
  };
  Entitlements(Stores stores, upstream::Transport& transport, const Clock& clock);

  // Reads what the store has.
  Status open(const std::string& time_zone);
  // No call runs any more: what was leased and not used goes back.
  void close() { m_book.return_leases(budget::Book::Return::all); }

  // Loads the directory and puts it in force, for the next call.
  Status refresh();
  void use_time_zone(const std::string& name);
  // Every second or so: gives idle leases back and tells of thresholds that were passed.
  void tend(const std::string& webhook);

  gateway::Terms terms() { return {m_keys, m_book, m_density, m_limiter}; }
  access::KeyBook& keys() { return m_keys; }
  const budget::Book& budgets() const { return m_book; }

  std::vector<budget::Unsettled> unsettled() const;
  Status release_unsettled(std::int64_t id, const std::string& who, const std::string& why);
  std::vector<budget::Alert> alerts() const;

 private:
  struct InForce {
    std::string time_zone = "UTC";
    std::map<call::Scope, std::vector<call::BudgetLimit>> budgets;
  };
  void configure_book(const InForce& state);

  Stores m_stores;
  const Clock& m_clock;
  access::KeyBook m_keys;
  budget::Book m_book;
  budget::Density m_density;
  limits::Limiter m_limiter;
  exporters::AlertWebhook m_webhook;
  Guarded<InForce> m_in_force;
};

}  // namespace nemo
