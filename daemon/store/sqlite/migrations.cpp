#include "daemon/store/sqlite/migrations.h"

#include <map>
#include <string>

#include "daemon/lib/sqlite/statement.h"
#include "shared/version.h"

namespace nemo::store {
namespace {

using lib::sqlite::Connection;
using lib::sqlite::Statement;
using lib::sqlite::Transaction;

struct Applied {
  std::string name;
  std::string nemo_version;
};

std::map<int, Applied> load_applied(Connection& connection) {
  std::map<int, Applied> applied;
  Statement rows(connection, "SELECT number, name, nemo_version FROM schema_migration");
  while (rows.step())
    applied[static_cast<int>(rows.integer(0))] = {std::string(rows.text(1)), std::string(rows.text(2))};
  return applied;
}

Status refuse_unknown(const std::map<int, Applied>& applied, std::span<const Migration> known,
                      const std::filesystem::path& file) {
  for (auto at = applied.rbegin(); at != applied.rend(); ++at) {
    const auto& [number, migration] = *at;
    bool found = false;
    for (const Migration& candidate : known)
      found = found || (candidate.number == number && candidate.name == migration.name);
    if (found) continue;
    return fail(ErrorKind::storage, file.string() + " was written by Nemo " + migration.nemo_version + " (schema " +
                                        migration.name + "), which this Nemo " + std::string(version()) +
                                        " does not know. Install Nemo " + migration.nemo_version +
                                        " or newer, or start with another folder (--data-dir).");
  }
  return Done{};
}

// Two daemons may start on one file: what is applied is asked again under the write lock.
void apply(Connection& connection, const Migration& migration, WallTime now) {
  Transaction transaction(connection);
  Statement recorded(connection, "SELECT 1 FROM schema_migration WHERE number = ?");
  recorded.bind(1, migration.number);
  const bool done = recorded.step();
  recorded.reset();
  if (done) return;
  connection.exec(std::string(migration.sql).c_str());
  Statement(connection, "INSERT INTO schema_migration (number, name, applied_at, nemo_version) VALUES (?, ?, ?, ?)")
      .bind_all(migration.number, migration.name, now.time_since_epoch().count(), version())
      .run();
  transaction.commit();
}

}  // namespace

Status migrate(Connection& connection, std::span<const Migration> migrations, WallTime now,
               const std::filesystem::path& file) {
  connection.exec(
      "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
      "applied_at INTEGER NOT NULL, nemo_version TEXT NOT NULL) STRICT");
  const auto applied = load_applied(connection);
  if (Status known = refuse_unknown(applied, migrations, file); !known.ok()) return known;
  for (const Migration& migration : migrations) {
    if (!applied.contains(migration.number)) apply(connection, migration, now);
  }
  return Done{};
}

}  // namespace nemo::store
