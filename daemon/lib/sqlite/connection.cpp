#include "daemon/lib/sqlite/connection.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace nemo::lib::sqlite {
namespace {

// Long enough for another connection's largest transaction, short enough that nobody thinks the daemon hangs.
constexpr int k_busy_timeout_ms = 5000;
constexpr mode_t k_private_file = 0600;

// SQLite would create the file as the umask says; its -wal and -shm take the mode of the file.
void make_private(const std::filesystem::path& file) {
  const int created = ::open(file.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, k_private_file);
  if (created >= 0) {
    ::close(created);
    return;
  }
  const std::error_code reason(errno, std::generic_category());
  const bool denied = reason == std::errc::permission_denied || reason == std::errc::read_only_file_system;
  const bool full = reason == std::errc::no_space_on_device;
  if (reason != std::errc::file_exists)
    throw Failure(denied ? SQLITE_READONLY
                  : full ? SQLITE_FULL
                         : SQLITE_CANTOPEN,
                  "cannot create " + file.string() + ": " + reason.message());
  // By path: closing a descriptor of an existing file would drop the locks that other connections hold on it.
  struct stat now {};
  if (::stat(file.c_str(), &now) == 0 && (now.st_mode & 0777U) != k_private_file) ::chmod(file.c_str(), k_private_file);
}

}  // namespace

void Connection::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

Connection::Connection(const std::filesystem::path& file, Access access) {
  if (access == Access::read_write) make_private(file);
  const int mode = access == Access::read_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  m_handle.reset(opened);
  if (code != SQLITE_OK) throw Failure::last_of(opened, code, "cannot open " + file.string());
  sqlite3_busy_timeout(opened, k_busy_timeout_ms);
  if (access == Access::read_only) return;
  // SQLite falls back to reading when it may not write.
  if (sqlite3_db_readonly(opened, "main") == 1)
    throw Failure(SQLITE_READONLY, "cannot open " + file.string() + " for writing");
  exec("PRAGMA journal_mode = WAL");
  exec("PRAGMA synchronous = NORMAL");
  exec("PRAGMA foreign_keys = ON");
  // A burst must not leave a large -wal file behind for good.
  exec("PRAGMA journal_size_limit = 67108864");
}

void Connection::exec(const char* sql) {
  const int code = sqlite3_exec(m_handle.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw Failure::last_of(m_handle.get(), code, "cannot execute");
}

std::int64_t Connection::last_row() const {
  return sqlite3_last_insert_rowid(m_handle.get());
}

std::int64_t Connection::changes() const {
  return sqlite3_changes64(m_handle.get());
}

bool Connection::in_transaction() const {
  return sqlite3_get_autocommit(m_handle.get()) == 0;
}

Transaction::Transaction(Connection& connection) : m_connection(connection) {
  m_connection.exec("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // Some failures (disk full, I/O) have rolled back already; asking again would be an error.
  if (!m_open || !m_connection.in_transaction()) return;
  sqlite3_exec(m_connection.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  m_connection.exec("COMMIT");
  m_open = false;
}

}  // namespace nemo::lib::sqlite
