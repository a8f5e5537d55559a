// What a start does about an end that was none: rows that only a journal holds, and leases that nobody settled.
#pragma once

#include <cstdint>
#include <filesystem>

#include "daemon/lib/sqlite/connection.h"
#include "shared/clock.h"

namespace nemo::store {

// Before anything else writes. First the journals' rows come into the ledger, each once, with all that a row means for
// sums, spending and leases; then the journals are removed; then what leases still hold becomes unsettled. Going
// through it a second time, after a crash within it, does nothing twice. Tells the log what it found. Returns the last
// generation of a journal that was there. Throws lib::sqlite::Failure and std::filesystem::filesystem_error; the
// journals stay then.
std::uint32_t recover(lib::sqlite::Connection& connection, const std::filesystem::path& folder, WallTime now);

}  // namespace nemo::store
