// Owns: nemo.db in the data folder: virtual keys, the ledger of calls and its daily sums. All SQL lives in this folder.
// Must not know: HTTP, upstreams, why a call cost what it cost.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "daemon/access/key_store.h"
#include "daemon/ledger/request_log.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::store {

struct StoreOptions {
  int retention_days = 90;       // rows of older calls are removed, daily sums stay; 0: everything is kept
  const Clock* clock = nullptr;  // not owned, outlives the store, read by its thread; nullptr: the system's clock
};

// One database file in WAL mode. Any thread may call everything here; nothing but request_log().append() is for the
// request path. Errors are of ErrorKind::storage and say what to do, unless the port's own contract says otherwise.
class SqliteStore final : public access::KeyStore {
 public:
  // Creates the folder (0700) and the file (0600) where they are missing, migrates the schema and starts the writer
  // thread. A database of a newer Nemo is refused and left as it is.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& data_folder, StoreOptions options = {});

  // Writes what is still queued, then stops the thread.
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  Result<std::vector<access::VirtualKey>> load_keys() override;
  Status insert_key(const access::VirtualKey& key) override;  // ErrorKind::conflict: id or hash is there already
  Status revoke_key(const std::string& id, WallTime at) override;

  // Both live as long as the store.
  ledger::RequestLog& request_log();
  ledger::CallHistory& call_history();

  // Waits until every row appended before is in the database, or a write has failed. For draining and tests.
  void flush();
  // Takes effect at once, on the writer thread.
  void set_retention_days(int days);

 private:
  struct Parts;
  explicit SqliteStore(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> m_parts;
};

}  // namespace nemo::store
