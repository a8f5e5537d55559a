// The sums behind `nemo usage`: whole days from usage_daily, what is left at both ends from rows.
#pragma once

#include <string_view>
#include <vector>

#include "daemon/ledger/request_log.h"
#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

// The group of calls by tag whose rows, and with them their tags, are gone.
inline constexpr std::string_view k_forgotten_tags = "(no longer known)";

// Throws lib::sqlite::Failure.
std::vector<ledger::UsageRow> load_usage(lib::sqlite::Connection& connection, const ledger::UsageQuery& query);
// The same, of rows alone.
std::vector<ledger::AcceptanceRow> load_acceptance(lib::sqlite::Connection& connection,
                                                   const ledger::UsageQuery& query);

}  // namespace nemo::store
