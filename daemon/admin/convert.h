// Between what the daemon keeps and what the command line sees. Pure.
#pragma once

#include <map>
#include <string>

#include "daemon/access/virtual_key.h"
#include "daemon/ledger/request_log.h"
#include "shared/admin/call.h"
#include "shared/admin/key.h"
#include "shared/admin/usage.h"
#include "shared/result.h"

namespace nemo::admin {

using Parameters = std::map<std::string, std::string>;  // of a query string, decoded

constexpr int k_most_calls = 10'000;  // of one answer, so that it fits the memory of both programs

Call to_call(std::int64_t row, const call::CallRecord& record);
CallStory to_story(const call::CallRecord& record);
Key to_key(const access::VirtualKey& key, WallTime now);
UsageRow to_usage_row(const ledger::UsageRow& row);

// invalid_request names the parameter and what it takes.
Result<ledger::CallFilter> to_call_filter(const Parameters& parameters);
Result<ledger::UsageQuery> to_usage_query(const Parameters& parameters);

}  // namespace nemo::admin
