// The schema's history: migrations/NNNN_what.sql, applied in order, each in a transaction of its own and recorded.
#pragma once

#include <filesystem>
#include <span>
#include <string_view>

#include "daemon/lib/sqlite/connection.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::store {

struct Migration {
  int number = 0;
  std::string_view name;  // "0001_calls"
  std::string_view sql;
};

// In order of their numbers; from the generated file.
std::span<const Migration> all_migrations();

// Brings the database to the last of `migrations`. Fails, without a change, when the database has been migrated by a
// Nemo that knows more. Throws lib::sqlite::Failure when a statement fails; that migration is then undone.
// `file` is for the message.
Status migrate(lib::sqlite::Connection& connection, std::span<const Migration> migrations, WallTime now,
               const std::filesystem::path& file);

}  // namespace nemo::store
