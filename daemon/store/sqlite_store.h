// Owns: nemo.db and the journals in the data folder: virtual keys and their terms, the ledger of calls and its sums,
// what budgets have spent and set aside, experiments. All SQL lives in this folder. Must not know: HTTP, upstreams, why
// a call cost what it cost.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/access/key_store.h"
#include "daemon/budget/alert_store.h"
#include "daemon/budget/lease_store.h"
#include "daemon/ledger/request_log.h"
#include "daemon/routing/experiment.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::store {

struct StoreOptions {
  int retention_days = 90;       // rows of older calls are removed, daily sums stay; 0: everything is kept
  const Clock* clock = nullptr;  // not owned, outlives the store, read by its thread; nullptr: the system's clock
};

// One database file in WAL mode. Any thread may call everything here; nothing but request_log() and change_leases() is
// for the request path. Errors are of ErrorKind::storage and say what to do, unless the port's own contract says
// otherwise.
class SqliteStore final : public access::KeyStore,
                          public budget::LeaseStore,
                          public budget::AlertStore,
                          public routing::ExperimentStore {
 public:
  // Creates the folder (0700) and the file (0600) where they are missing, migrates the schema, brings into the ledger
  // what only a journal holds, turns leases that are left into what is unsettled, and starts the writer thread. A
  // database of a newer Nemo is refused and left as it is; so is a folder that another store has open.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& data_folder, StoreOptions options = {});

  // Writes what is still queued, then stops the thread. Every lease change has been answered then. Rows that cannot be
  // written stay in the journal if they were secured.
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  Result<access::Directory> load_directory() override;
  Status insert_key(const access::VirtualKey& key, const call::TermsChange& terms) override;
  Status change_key(const std::string& id, const access::KeyChange& change) override;
  Status revoke_key(const std::string& id, WallTime at) override;
  Status rotate_key(const std::string& id, const access::KeyHash& hash, const std::string& last4,
                    WallTime old_ends_at) override;
  Status insert_team(const access::Team& team, const call::TermsChange& terms) override;
  Status change_team(const std::string& name, const call::TermsChange& terms) override;
  Status delete_team(const std::string& name) override;
  Status change_seat(const std::string& seat, const call::TermsChange& terms) override;

  Result<std::vector<budget::SpendRow>> load_spend() override;
  Result<std::vector<budget::Unsettled>> load_unsettled() override;
  void change_leases(std::vector<budget::LeaseChange> changes, std::function<void(const Status&)> done) override;
  Status release_unsettled(std::int64_t id, const std::string& who, const std::string& why, WallTime at) override;

  Result<Recorded> record_crossing(const budget::Crossing& crossing, WallTime at) override;
  Result<std::vector<budget::Alert>> recent_crossings(int limit) override;

  Result<std::vector<routing::Experiment>> load_experiments() override;  // oldest first
  Status add_experiment(const routing::Experiment& experiment) override;
  Status update_experiment(const routing::Experiment& experiment) override;

  // Both live as long as the store.
  ledger::RequestLog& request_log();
  ledger::CallHistory& call_history();

  // Waits until every row appended and every verdict given before is in the database and every lease change asked for
  // before is answered, or a write has failed. For draining and tests.
  void flush();
  // Takes effect at once, on the writer thread.
  void set_retention_days(int days);

 private:
  struct Parts;
  explicit SqliteStore(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> m_parts;
};

}  // namespace nemo::store
