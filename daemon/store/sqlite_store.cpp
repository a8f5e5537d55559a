#include "daemon/store/sqlite_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "daemon/lib/sqlite/connection.h"
#include "daemon/store/sqlite/ledger_writer.h"
#include "daemon/store/sqlite/migrations.h"
#include "daemon/store/sqlite/sqlite_call_history.h"
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

struct SqliteStore::Parts {
  Parts(const fs::path& file, LedgerWriterOptions options)
      : keys(file), writer(file, std::move(options)), calls(file) {}

  SqliteKeyStore keys;
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
    if (Status migrated = migrate(connection, all_migrations(), clock.wall(), file); !migrated.ok())
      return migrated.error();
    auto parts = std::make_unique<Parts>(file, LedgerWriterOptions{clock, options.retention_days});
    return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
  } catch (const lib::sqlite::Failure& failure) {
    return storage_error(failure, file, "open the database");
  }
}

Result<std::vector<access::VirtualKey>> SqliteStore::load_keys() {
  return m_parts->keys.load_keys();
}

Status SqliteStore::insert_key(const access::VirtualKey& key) {
  return m_parts->keys.insert_key(key);
}

Status SqliteStore::revoke_key(const std::string& id, WallTime at) {
  return m_parts->keys.revoke_key(id, at);
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
