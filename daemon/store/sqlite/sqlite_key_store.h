// access::KeyStore on SQLite. One connection of its own, guarded; any thread.
#pragma once

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/access/key_store.h"
#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

class SqliteKeyStore final : public access::KeyStore {
 public:
  // Throws lib::sqlite::Failure. The schema must be there.
  explicit SqliteKeyStore(std::filesystem::path file);

  Result<std::vector<access::VirtualKey>> load_keys() override;  // in the order they were made
  Status insert_key(const access::VirtualKey& key) override;
  Status revoke_key(const std::string& id, WallTime at) override;

 private:
  std::filesystem::path m_file;
  std::mutex m_mutex;
  lib::sqlite::Connection m_connection;
};

}  // namespace nemo::store
