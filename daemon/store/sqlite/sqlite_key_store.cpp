#include "daemon/store/sqlite/sqlite_key_store.h"

#include <optional>
#include <utility>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/key_rows.h"
#include "daemon/store/sqlite/read_snapshot.h"
#include "daemon/store/sqlite/storage_error.h"
#include "daemon/store/sqlite/terms_rows.h"

namespace nemo::store {
namespace {

using access::VirtualKey;
using call::Scope;
using call::ScopeKind;
using lib::sqlite::Connection;
using lib::sqlite::Failure;
using lib::sqlite::Statement;
using lib::sqlite::Transaction;

Error no_key(const std::string& id) {
  return fail(ErrorKind::not_found, "there is no key " + id);
}

Error no_team(const std::string& name) {
  return fail(ErrorKind::not_found, "there is no team " + name + "; make it with: nemo teams create " + name);
}

// A key that may still be changed.
Result<VirtualKey> find_live_key(Connection& connection, const std::string& id) {
  auto key = find_key(connection, id);
  if (!key) return no_key(id);
  if (key->revoked_at)
    return fail(ErrorKind::conflict, "the key " + id + " was revoked and cannot be changed; make another one");
  return std::move(*key);
}

void change_terms(Connection& connection, const Scope& scope, const call::TermsChange& change) {
  if (change.empty()) return;
  store_terms(connection, scope, apply(load_terms(connection, scope), change));
}

Status refuse_fallback(const call::TermsChange& terms) {
  if (!terms.fallback_model) return Done{};
  return fail(ErrorKind::invalid_request, "only a key or a lane has a model to fall back to");
}

void apply(VirtualKey& key, const access::KeyChange& change) {
  key.seat = change.seat.value_or(key.seat);
  key.team = change.team.value_or(key.team);
  key.models = change.models.value_or(key.models);
  key.expires_at = change.expires_at.value_or(key.expires_at);
}

// Some of the keys in a team that were not revoked, for people; empty: there are none.
std::string name_members(Connection& connection, const std::string& team) {
  constexpr int k_most_named = 3;
  std::string names;
  Statement rows(connection,
                 "SELECT id, seat, count(*) OVER () FROM virtual_key WHERE team = ? AND revoked_at IS NULL "
                 "ORDER BY created_at, rowid LIMIT ?");
  rows.bind_all(team, k_most_named);
  std::int64_t all = 0;
  while (rows.step()) {
    if (!names.empty()) names += ", ";
    names.append(rows.text(0)).append(" (").append(rows.text(1)).append(")");
    all = rows.integer(2);
  }
  if (all > k_most_named) names += " and " + std::to_string(all - k_most_named) + " more";
  return names;
}

}  // namespace

SqliteKeyStore::SqliteKeyStore(std::filesystem::path file)
    : m_file(std::move(file)), m_connection(m_file, lib::sqlite::Access::read_write) {}

Status SqliteKeyStore::in_transaction(const std::string& doing, const std::string& exists,
                                      const std::function<Status()>& change) {
  const std::lock_guard lock(m_mutex);
  try {
    Transaction transaction(m_connection);
    Status changed = change();
    if (changed.ok()) transaction.commit();
    return changed;
  } catch (const Failure& failure) {
    if (failure.cause() == lib::sqlite::Cause::constraint) return fail(ErrorKind::conflict, exists);
    return storage_error(failure, m_file, doing);
  }
}

Result<access::Directory> SqliteKeyStore::load_directory() {
  const std::lock_guard lock(m_mutex);
  try {
    const ReadSnapshot snapshot(m_connection);
    return access::Directory{load_all_keys(m_connection), load_all_teams(m_connection), load_all_terms(m_connection)};
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read keys and teams");
  }
}

Status SqliteKeyStore::insert_key(const VirtualKey& key, const call::TermsChange& terms) {
  const std::string exists = "there is a key " + key.id + " already, or one with the same text";
  return in_transaction("store the key " + key.id, exists, [&]() -> Status {
    if (!key.team.empty() && !team_exists(m_connection, key.team)) return no_team(key.team);
    if (hash_exists(m_connection, key.hash)) return fail(ErrorKind::conflict, exists);
    insert_row(m_connection, key);
    change_terms(m_connection, {ScopeKind::key, key.id}, terms);
    return Done{};
  });
}

Status SqliteKeyStore::change_key(const std::string& id, const access::KeyChange& change) {
  return in_transaction("change the key " + id, "the key " + id + " cannot be changed like that", [&]() -> Status {
    auto key = find_live_key(m_connection, id);
    if (!key.ok()) return key.error();
    if (change.team && !change.team->empty() && !team_exists(m_connection, *change.team)) return no_team(*change.team);
    apply(*key, change);
    update_row(m_connection, *key);
    change_terms(m_connection, {ScopeKind::key, id}, change.terms);
    return Done{};
  });
}

Status SqliteKeyStore::revoke_key(const std::string& id, WallTime at) {
  return in_transaction("revoke the key " + id, "the key " + id + " cannot be revoked", [&]() -> Status {
    auto key = find_key(m_connection, id);
    if (!key) return no_key(id);
    if (key->revoked_at) return Done{};
    key->revoked_at = at;
    key->old_secret.reset();
    update_row(m_connection, *key);
    return Done{};
  });
}

Status SqliteKeyStore::rotate_key(const std::string& id, const access::KeyHash& hash, const std::string& last4,
                                  WallTime old_ends_at) {
  const std::string exists = "there is a key with the same text as the new one of " + id;
  return in_transaction("rotate the key " + id, exists, [&]() -> Status {
    auto key = find_live_key(m_connection, id);
    if (!key.ok()) return key.error();
    if (hash_exists(m_connection, hash)) return fail(ErrorKind::conflict, exists);
    key->old_secret = {key->hash, key->last4, old_ends_at};
    key->hash = hash;
    key->last4 = last4;
    update_row(m_connection, *key);
    return Done{};
  });
}

Status SqliteKeyStore::insert_team(const access::Team& team, const call::TermsChange& terms) {
  if (Status allowed = refuse_fallback(terms); !allowed.ok()) return allowed;
  return in_transaction("store the team " + team.name, "there is a team " + team.name + " already", [&]() -> Status {
    Statement(m_connection, "INSERT INTO team (name, created_at) VALUES (?, ?)")
        .run_with(team.name, team.created_at.time_since_epoch().count());
    change_terms(m_connection, {ScopeKind::team, team.name}, terms);
    return Done{};
  });
}

Status SqliteKeyStore::change_team(const std::string& name, const call::TermsChange& terms) {
  if (Status allowed = refuse_fallback(terms); !allowed.ok()) return allowed;
  return in_transaction("change the team " + name, "the team " + name + " cannot be changed like that",
                        [&]() -> Status {
                          if (!team_exists(m_connection, name)) return no_team(name);
                          change_terms(m_connection, {ScopeKind::team, name}, terms);
                          return Done{};
                        });
}

Status SqliteKeyStore::delete_team(const std::string& name) {
  return in_transaction("delete the team " + name, "the team " + name + " cannot be deleted", [&]() -> Status {
    if (!team_exists(m_connection, name)) return fail(ErrorKind::not_found, "there is no team " + name);
    if (const std::string members = name_members(m_connection, name); !members.empty())
      return fail(ErrorKind::conflict, "the team " + name + " has keys: " + members +
                                           ". Revoke them, or give them another team: nemo keys set KEY --team T");
    Statement(m_connection, "DELETE FROM team WHERE name = ?").run_with(name);
    store_terms(m_connection, {ScopeKind::team, name}, {});
    return Done{};
  });
}

Status SqliteKeyStore::change_seat(const std::string& seat, const call::TermsChange& terms) {
  if (Status allowed = refuse_fallback(terms); !allowed.ok()) return allowed;
  return in_transaction("change the seat " + seat, "the seat " + seat + " cannot be changed like that",
                        [&]() -> Status {
                          Statement keys(m_connection, "SELECT 1 FROM virtual_key WHERE seat = ?");
                          keys.bind(1, seat);
                          const bool known = keys.step();
                          keys.reset();
                          if (!known) return fail(ErrorKind::not_found, "no key belongs to a seat " + seat);
                          change_terms(m_connection, {ScopeKind::seat, seat}, terms);
                          return Done{};
                        });
}

}  // namespace nemo::store
