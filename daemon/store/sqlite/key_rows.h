// access::VirtualKey and access::Team as rows. All throw lib::sqlite::Failure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/access/key_store.h"
#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

std::vector<access::VirtualKey> load_all_keys(lib::sqlite::Connection& connection);  // oldest first
std::optional<access::VirtualKey> find_key(lib::sqlite::Connection& connection, std::string_view id);
std::vector<access::Team> load_all_teams(lib::sqlite::Connection& connection);  // by name
bool team_exists(lib::sqlite::Connection& connection, std::string_view name);
// Whether the hash is a key's, or was before its last rotation.
bool hash_exists(lib::sqlite::Connection& connection, const access::KeyHash& hash);

void insert_row(lib::sqlite::Connection& connection, const access::VirtualKey& key);
// All but what the ledger writes (when it was last used), by the key's id.
void update_row(lib::sqlite::Connection& connection, const access::VirtualKey& key);

}  // namespace nemo::store
