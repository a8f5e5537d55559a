// Between what the daemon keeps and what the command line sees. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/access/key_store.h"
#include "daemon/ledger/request_log.h"
#include "shared/admin/call.h"
#include "shared/admin/key.h"
#include "shared/admin/team.h"
#include "shared/admin/usage.h"
#include "shared/result.h"

namespace nemo::admin {

using Parameters = std::map<std::string, std::string>;  // of a query string, decoded

constexpr int k_most_calls = 10'000;  // of one answer, so that it fits the memory of both programs

// Whether a project's folder is told whole, or only what it is called.
enum class Paths : std::uint8_t { names, whole };
Paths to_paths(const Parameters& parameters);  // paths=true

Call to_call(std::int64_t row, const call::CallRecord& record, Paths paths = Paths::names);
CallStory to_story(const call::CallRecord& record, Paths paths = Paths::names);
// The key's terms are looked up in `directory`.
Key to_key(const access::VirtualKey& key, const access::Directory& directory, WallTime now);
std::vector<Team> to_teams(const access::Directory& directory);
std::vector<Seat> to_seats(const access::Directory& directory);  // those of all keys, by name
UsageRow to_usage_row(const ledger::UsageRow& row);
// Of a sum by project: its groups by their names, those of one name as one row. The dearest first, as before.
std::vector<ledger::UsageRow> by_project_name(const std::vector<ledger::UsageRow>& rows);
AcceptanceRow to_acceptance_row(const ledger::AcceptanceRow& row);
std::vector<ledger::AcceptanceRow> by_project_name(const std::vector<ledger::AcceptanceRow>& rows);  // most shown first

// invalid_request names the parameter and what it takes.
Result<ledger::CallFilter> to_call_filter(const Parameters& parameters);
Result<ledger::UsageQuery> to_usage_query(const Parameters& parameters);
Result<std::optional<WallTime>> find_time(const Parameters& parameters, const char* name);

}  // namespace nemo::admin
