// access::KeyStore on SQLite. One connection of its own, guarded; any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <string>

#include "daemon/access/key_store.h"
#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

// Two of them, in two processes, lose nothing of each other's: each change reads and writes under the write lock.
class SqliteKeyStore final : public access::KeyStore {
 public:
  // Throws lib::sqlite::Failure. The schema must be there.
  explicit SqliteKeyStore(std::filesystem::path file);

  Result<access::Directory> load_directory() override;

  Status insert_key(const access::VirtualKey& key, const call::TermsChange& terms) override;
  Status change_key(const std::string& id, const access::KeyChange& change) override;
  Status revoke_key(const std::string& id, WallTime at) override;
  Status rotate_key(const std::string& id, const access::KeyHash& hash, const std::string& last4,
                    WallTime old_ends_at) override;

  // invalid_request: only keys have a fallback model.
  Status insert_team(const access::Team& team, const call::TermsChange& terms) override;
  Status change_team(const std::string& name, const call::TermsChange& terms) override;
  Status delete_team(const std::string& name) override;  // not_found: there is none
  Status change_seat(const std::string& seat, const call::TermsChange& terms) override;

 private:
  // `doing` is for the message of a failing database, `exists` for a rule of the schema that the change would break.
  Status in_transaction(const std::string& doing, const std::string& exists, const std::function<Status()>& change);

  std::filesystem::path m_file;
  std::mutex m_mutex;
  lib::sqlite::Connection m_connection;
};

}  // namespace nemo::store
