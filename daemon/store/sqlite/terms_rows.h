// call::Terms as rows of budget_limit and rate_limit. A key's fallback model is a column of virtual_key.
#pragma once

#include <map>

#include "daemon/call/scope.h"
#include "daemon/call/terms.h"
#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

// All throw lib::sqlite::Failure. Empty terms for a scope that has none.
call::Terms load_terms(lib::sqlite::Connection& connection, const call::Scope& scope);
std::map<call::Scope, call::Terms> load_all_terms(lib::sqlite::Connection& connection);

// Within a transaction of the caller's: in place of what was there.
void store_terms(lib::sqlite::Connection& connection, const call::Scope& scope, const call::Terms& terms);

}  // namespace nemo::store
