#include "daemon/store/sqlite/key_rows.h"

#include <algorithm>
#include <cstdint>
#include <span>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/record_json.h"
#include "daemon/store/sqlite/time_columns.h"

namespace nemo::store {
namespace {

using access::KeyHash;
using access::VirtualKey;
using lib::sqlite::Connection;
using lib::sqlite::Failure;
using lib::sqlite::Statement;

constexpr std::string_view k_select_keys =
    "SELECT id, hash, last4, seat, team, models, created_at, expires_at, revoked_at, old_hash, old_last4, old_ends_at, "
    "last_used_at FROM virtual_key ";

KeyHash hash_in(const Statement& row, int column, const std::string& id) {
  KeyHash hash{};
  const auto bytes = row.blob(column);
  if (bytes.size() != hash.size())
    throw Failure(0, "key " + id + " has a hash of " + std::to_string(bytes.size()) + " bytes");
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

VirtualKey read_key(const Statement& row) {
  VirtualKey key;
  key.id = row.text(0);
  key.hash = hash_in(row, 1, key.id);
  key.last4 = row.text(2);
  key.seat = row.text(3);
  key.team = row.text(4);
  key.models = texts_from_json(row.text(5));
  key.created_at = time_in(row, 6);
  key.expires_at = find_time(row, 7);
  key.revoked_at = find_time(row, 8);
  if (!row.is_null(9)) key.old_secret = {hash_in(row, 9, key.id), std::string(row.text(10)), time_in(row, 11)};
  key.last_used_at = find_time(row, 12);
  return key;
}

// The three columns of a secret that was replaced: all there or all NULL.
struct OldColumns {
  std::optional<std::span<const std::uint8_t>> hash;
  std::optional<std::string> last4;
  std::optional<std::int64_t> ends_at;

  explicit OldColumns(const VirtualKey& key) {
    if (!key.old_secret) return;
    hash = key.old_secret->hash;
    last4 = key.old_secret->last4;
    ends_at = micros_of(key.old_secret->ends_at);
  }
};

}  // namespace

std::vector<VirtualKey> load_all_keys(Connection& connection) {
  std::vector<VirtualKey> keys;
  Statement rows(connection, std::string(k_select_keys) + "ORDER BY created_at, rowid");
  while (rows.step()) keys.push_back(read_key(rows));
  return keys;
}

std::optional<VirtualKey> find_key(Connection& connection, std::string_view id) {
  Statement row(connection, std::string(k_select_keys) + "WHERE id = ?");
  row.bind(1, id);
  if (!row.step()) return std::nullopt;
  return read_key(row);
}

std::vector<access::Team> load_all_teams(Connection& connection) {
  std::vector<access::Team> teams;
  Statement rows(connection, "SELECT name, created_at FROM team ORDER BY name");
  while (rows.step()) teams.push_back({std::string(rows.text(0)), time_in(rows, 1)});
  return teams;
}

bool team_exists(Connection& connection, std::string_view name) {
  Statement row(connection, "SELECT 1 FROM team WHERE name = ?");
  row.bind(1, name);
  return row.step();
}

bool hash_exists(Connection& connection, const KeyHash& hash) {
  Statement row(connection, "SELECT 1 FROM virtual_key WHERE hash = ?1 OR old_hash = ?1");
  row.bind(1, hash);
  return row.step();
}

void insert_row(Connection& connection, const VirtualKey& key) {
  const OldColumns old(key);
  Statement(connection,
            "INSERT INTO virtual_key (id, hash, last4, seat, team, models, created_at, expires_at, revoked_at, "
            "old_hash, old_last4, old_ends_at, last_used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind_all(key.id, key.hash, key.last4, key.seat, key.team, to_json(key.models), micros_of(key.created_at),
                micros_of(key.expires_at), micros_of(key.revoked_at), old.hash, old.last4, old.ends_at,
                micros_of(key.last_used_at))
      .run();
}

void update_row(Connection& connection, const VirtualKey& key) {
  const OldColumns old(key);
  Statement(connection,
            "UPDATE virtual_key SET hash = ?, last4 = ?, seat = ?, team = ?, models = ?, expires_at = ?, "
            "revoked_at = ?, old_hash = ?, old_last4 = ?, old_ends_at = ? WHERE id = ?")
      .bind_all(key.hash, key.last4, key.seat, key.team, to_json(key.models), micros_of(key.expires_at),
                micros_of(key.revoked_at), old.hash, old.last4, old.ends_at, key.id)
      .run();
}

}  // namespace nemo::store
