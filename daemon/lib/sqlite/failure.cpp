#include "daemon/lib/sqlite/failure.h"

#include <sqlite3.h>

namespace nemo::lib::sqlite {

Failure::Failure(int extended_code, const std::string& message) : std::runtime_error(message), m_code(extended_code) {}

Failure Failure::last_of(sqlite3* connection, int code, const std::string& doing) {
  if (connection == nullptr) return {code, doing + ": " + sqlite3_errstr(code)};
  return {sqlite3_extended_errcode(connection), doing + ": " + sqlite3_errmsg(connection)};
}

Cause Failure::cause() const {
  constexpr int k_primary = 0xff;
  switch (m_code & k_primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Cause::busy;
    case SQLITE_FULL:
      return Cause::full;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Cause::read_only;
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return Cause::cannot_open;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Cause::corrupt;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return Cause::constraint;
    case SQLITE_IOERR:
      return Cause::io;
    default:
      return Cause::other;
  }
}

}  // namespace nemo::lib::sqlite
