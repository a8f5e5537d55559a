// Budgets as the daemon reckons them, as the command line sees them. Pure.
#pragma once

#include <map>
#include <string>

#include "daemon/access/key_store.h"
#include "daemon/admin/control.h"
#include "daemon/budget/book.h"
#include "daemon/ledger/request_log.h"
#include "shared/admin/budget.h"

namespace nemo::admin {

// What people call a scope: a seat and a team by their names, a key by its seat and its last four characters.
class Labels {
 public:
  explicit Labels(const access::Directory& directory);
  std::string of(const call::Scope& scope) const;

 private:
  std::map<std::string, std::string> m_keys;
};

Budget to_budget(const budget::Standing& standing, const Labels& labels);
Unsettled to_unsettled(const budget::Unsettled& unsettled, const Labels& labels);
BudgetAlert to_alert(const budget::Alert& alert, const Labels& labels);
Accuracy to_accuracy(const ledger::AccuracyRow& row);

}  // namespace nemo::admin
