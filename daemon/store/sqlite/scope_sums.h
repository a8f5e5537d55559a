// What a batch of the ledger's rows means for budgets: spending by scope and slot, what leaves the leases, and when
// keys were last used. Each sum is written once a batch.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>

#include "daemon/call/call_record.h"
#include "daemon/call/scope.h"
#include "daemon/lib/sqlite/statement.h"

namespace nemo::store {

// All throws lib::sqlite::Failure. Within a transaction of the caller's, from begin() to write().
class ScopeSums {
 public:
  explicit ScopeSums(lib::sqlite::Connection& connection);

  void begin();
  void add(const call::CallRecord& record);  // which stays where it is until write()
  void write();

 private:
  // Kind, name, and the slot or the day.
  using Place = std::tuple<call::ScopeKind, std::string_view, std::int64_t>;

  void add(const call::CallRecord& record, call::ScopeKind kind, std::string_view name);

  lib::sqlite::Statement m_add_spend;
  lib::sqlite::Statement m_take_from_lease;
  lib::sqlite::Statement m_remove_empty_lease;
  lib::sqlite::Statement m_set_last_used;
  std::map<Place, std::int64_t> m_spend;
  std::map<Place, std::int64_t> m_taken;
  std::map<std::string_view, WallTime> m_last_used;
};

}  // namespace nemo::store
