#include "daemon/store/sqlite_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/lib/sqlite/connection.h"
#include "daemon/store/folder_lock.h"
#include "daemon/store/journal.h"
#include "daemon/store/sqlite/ledger_writer.h"
#include "daemon/store/sqlite/migrations.h"
#include "daemon/store/sqlite/recovery.h"
#include "daemon/store/sqlite/sqlite_budget_store.h"
#include "daemon/store/sqlite/sqlite_call_history.h"
#include "daemon/store/sqlite/sqlite_experiment_store.h"
#include "daemon/store/sqlite/sqlite_key_store.h"
#include "daemon/store/sqlite/storage_error.h"

namespace nemo::store {
namespace {

namespace fs = std::filesystem;

constexpr mode_t k_private_folder = 0700;

Error folder_error(const fs::path& folder, const std::error_code& reason) {
  return fail(ErrorKind::storage, "cannot use " + folder.string() + " as the data folder: " + reason.message() +
                                      ". Check that the user of nemod may create and write it, or name another one "
                                      "(--data-dir).");
}

// A folder that is there keeps its mode: it may be somebody's choice, and the files in it are private themselves.
Status create_folder(const fs::path& folder) {
  std::error_code reason;
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), reason);
  if (!reason && ::mkdir(folder.c_str(), k_private_folder) != 0 && errno != EEXIST)
    reason.assign(errno, std::generic_category());
  if (!reason && !fs::is_directory(folder, reason) && !reason)
    reason = std::make_error_code(std::errc::not_a_directory);
  if (!reason && ::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
    reason.assign(errno, std::generic_category());
  if (reason) return folder_error(folder, reason);
  return Done{};
}

}  // namespace

// Declared in the order in which they need each other; the lock goes last.
struct SqliteStore::Parts {
  Parts(FolderLock held, const fs::path& file, std::uint32_t last_journal, LedgerWriterOptions options)
      : lock(std::move(held)),
        keys(file),
        budgets(file),
        experiments(file),
        journal(file.parent_path(), last_journal),
        writer(file, with_journal(std::move(options), journal)),
        calls(file) {}

  static LedgerWriterOptions with_journal(LedgerWriterOptions options, Journal& journal) {
    options.journal = &journal;
    return options;
  }

  FolderLock lock;
  SqliteKeyStore keys;
  SqliteBudgetStore budgets;
  SqliteExperimentStore experiments;
  Journal journal;
  LedgerWriter writer;
  SqliteCallHistory calls;
};

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : m_parts(std::move(parts)) {}

SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const fs::path& data_folder, StoreOptions options) {
  // "data/" and "data" are one folder, and mkdir wants a name.
  const fs::path folder = data_folder.has_filename() ? data_folder : data_folder.parent_path();
  if (Status created = create_folder(folder); !created.ok()) return created.error();
  static const SystemClock k_system_clock;
  const Clock& clock = options.clock != nullptr ? *options.clock : k_system_clock;
  const fs::path file = folder / "nemo.db";
  try {
    lib::sqlite::Connection connection(file, lib::sqlite::Access::read_write);
    auto lock = FolderLock::take(folder);
    if (!lock.ok()) return lock.error();
    if (Status migrated = migrate(connection, all_migrations(), clock.wall(), file); !migrated.ok())
      return migrated.error();
    const std::uint32_t last_journal = recover(connection, folder, clock.wall());
    auto parts = std::make_unique<Parts>(std::move(*lock), file, last_journal,
                                         LedgerWriterOptions{clock, options.retention_days});
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
  } catch (const lib::sqlite::Failure& failure) {
    return storage_error(failure, file, "open the database");
  } catch (const fs::filesystem_error& failure) {
    return folder_error(folder, failure.code());
  }
}

Result<access::Directory> SqliteStore::load_directory() {
  return m_parts->keys.load_directory();
}

Status SqliteStore::insert_key(const access::VirtualKey& key, const call::TermsChange& terms) {
  return m_parts->keys.insert_key(key, terms);
}

Status SqliteStore::change_key(const std::string& id, const access::KeyChange& change) {
  return m_parts->keys.change_key(id, change);
}

Status SqliteStore::revoke_key(const std::string& id, WallTime at) {
  return m_parts->keys.revoke_key(id, at);
}

Status SqliteStore::rotate_key(const std::string& id, const access::KeyHash& hash, const std::string& last4,
                               WallTime old_ends_at) {
  return m_parts->keys.rotate_key(id, hash, last4, old_ends_at);
}

Status SqliteStore::insert_team(const access::Team& team, const call::TermsChange& terms) {
  return m_parts->keys.insert_team(team, terms);
}

Status SqliteStore::change_team(const std::string& name, const call::TermsChange& terms) {
  return m_parts->keys.change_team(name, terms);
}

Status SqliteStore::delete_team(const std::string& name) {
  return m_parts->keys.delete_team(name);
}

Status SqliteStore::change_seat(const std::string& seat, const call::TermsChange& terms) {
  return m_parts->keys.change_seat(seat, terms);
}

Result<std::vector<budget::SpendRow>> SqliteStore::load_spend() {
  return m_parts->budgets.load_spend();
}

Result<std::vector<budget::Unsettled>> SqliteStore::load_unsettled() {
  return m_parts->budgets.load_unsettled();
}

void SqliteStore::change_leases(std::vector<budget::LeaseChange> changes, std::function<void(const Status&)> done) {
  m_parts->writer.change_leases(std::move(changes), std::move(done));
}

Status SqliteStore::release_unsettled(std::int64_t id, const std::string& who, const std::string& why, WallTime at) {
  return m_parts->budgets.release_unsettled(id, who, why, at);
}

Result<budget::AlertStore::Recorded> SqliteStore::record_crossing(const budget::Crossing& crossing, WallTime at) {
  return m_parts->budgets.record_crossing(crossing, at);
}

Result<std::vector<budget::Alert>> SqliteStore::recent_crossings(int limit) {
  return m_parts->budgets.recent_crossings(limit);
}

Result<std::vector<routing::Experiment>> SqliteStore::load_experiments() {
  return m_parts->experiments.load_experiments();
}

Status SqliteStore::add_experiment(const routing::Experiment& experiment) {
  return m_parts->experiments.add_experiment(experiment);
}

Status SqliteStore::update_experiment(const routing::Experiment& experiment) {
  return m_parts->experiments.update_experiment(experiment);
}

ledger::RequestLog& SqliteStore::request_log() {
  return m_parts->writer;
}

ledger::CallHistory& SqliteStore::call_history() {
  return m_parts->calls;
}

void SqliteStore::flush() {
  m_parts->writer.flush();
}

void SqliteStore::set_retention_days(int days) {
  m_parts->writer.set_retention_days(days);
}

}  // namespace nemo::store
