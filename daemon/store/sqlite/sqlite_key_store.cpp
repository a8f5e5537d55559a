#include "daemon/store/sqlite/sqlite_key_store.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/record_json.h"
#include "daemon/store/sqlite/storage_error.h"

namespace nemo::store {
namespace {

using access::VirtualKey;
using lib::sqlite::Failure;
using lib::sqlite::Statement;

std::int64_t micros_of(WallTime time) {
  return time.time_since_epoch().count();
}

std::optional<std::int64_t> micros_of(const std::optional<WallTime>& time) {
  if (!time) return std::nullopt;
  return micros_of(*time);
}

std::optional<WallTime> time_in(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return WallTime(Micros(row.integer(column)));
}

VirtualKey read_key(const Statement& row) {
  VirtualKey key;
  key.id = row.text(0);
  const auto hash = row.blob(1);
  if (hash.size() != key.hash.size())
    throw Failure(0, "key " + key.id + " has a hash of " + std::to_string(hash.size()) + " bytes");
  std::copy(hash.begin(), hash.end(), key.hash.begin());
  key.last4 = row.text(2);
  key.seat = row.text(3);
  key.team = row.text(4);
  key.models = texts_from_json(row.text(5));
  key.created_at = WallTime(Micros(row.integer(6)));
  key.expires_at = time_in(row, 7);
  key.revoked_at = time_in(row, 8);
  return key;
}

}  // namespace

SqliteKeyStore::SqliteKeyStore(std::filesystem::path file)
    : m_file(std::move(file)), m_connection(m_file, lib::sqlite::Access::read_write) {}

Result<std::vector<VirtualKey>> SqliteKeyStore::load_keys() {
  const std::lock_guard lock(m_mutex);
  try {
    std::vector<VirtualKey> keys;
    Statement rows(m_connection,
                   "SELECT id, hash, last4, seat, team, models, created_at, expires_at, revoked_at FROM virtual_key "
                   "ORDER BY created_at, rowid");
    while (rows.step()) keys.push_back(read_key(rows));
    return keys;
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read the keys");
  }
}

Status SqliteKeyStore::insert_key(const VirtualKey& key) {
  const std::lock_guard lock(m_mutex);
  try {
    Statement(m_connection,
              "INSERT INTO virtual_key (id, hash, last4, seat, team, models, created_at, expires_at, revoked_at) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind_all(key.id, key.hash, key.last4, key.seat, key.team, to_json(key.models), micros_of(key.created_at),
                  micros_of(key.expires_at), micros_of(key.revoked_at))
        .run();
    return Done{};
  } catch (const Failure& failure) {
    if (failure.cause() == lib::sqlite::Cause::constraint)
      return fail(ErrorKind::conflict, "there is a key " + key.id + " already, or one with the same text");
    return storage_error(failure, m_file, "store the key " + key.id);
  }
}

Status SqliteKeyStore::revoke_key(const std::string& id, WallTime at) {
  const std::lock_guard lock(m_mutex);
  try {
    Statement(m_connection, "UPDATE virtual_key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?")
        .bind_all(micros_of(at), id)
        .run();
    if (m_connection.changes() == 0) return fail(ErrorKind::not_found, "there is no key " + id);
    return Done{};
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "revoke the key " + id);
  }
}

}  // namespace nemo::store
