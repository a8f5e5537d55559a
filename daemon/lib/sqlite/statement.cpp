#include "daemon/lib/sqlite/statement.h"

#include <sqlite3.h>

namespace nemo::lib::sqlite {

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(Connection& connection, std::string_view sql) : m_connection(connection.handle()) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(m_connection, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &prepared, nullptr);
  m_statement.reset(prepared);
  if (code != SQLITE_OK) throw Failure::last_of(m_connection, code, "cannot prepare");
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) throw Failure::last_of(m_connection, code, "cannot bind");
}

void Statement::bind(int index, std::int64_t value) {
  check(sqlite3_bind_int64(m_statement.get(), index, value));
}

void Statement::bind(int index, std::string_view text) {
  // A null pointer would bind NULL, and an empty view may hold one.
  const char* data = text.data() == nullptr ? "" : text.data();
  const auto lifetime = m_text_lifetime == TextLifetime::copied ? SQLITE_TRANSIENT : SQLITE_STATIC;
  check(sqlite3_bind_text64(m_statement.get(), index, data, text.size(), lifetime, SQLITE_UTF8));
}

void Statement::bind(int index, std::span<const std::uint8_t> blob) {
  const void* data = blob.data() == nullptr ? static_cast<const void*>("") : blob.data();
  check(sqlite3_bind_blob64(m_statement.get(), index, data, blob.size(), SQLITE_TRANSIENT));
}

void Statement::bind(int index, std::nullopt_t /*null*/) {
  check(sqlite3_bind_null(m_statement.get(), index));
}

bool Statement::step() {
  const int code = sqlite3_step(m_statement.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  // The message must be taken before reset, which may replace it.
  const Failure failure = Failure::last_of(m_connection, code, "cannot run");
  reset();
  throw failure;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() {
  // Reports the failure of the last step again, which step() has thrown already.
  sqlite3_reset(m_statement.get());
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(m_statement.get(), column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(m_statement.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(m_statement.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column))};
}

std::span<const std::uint8_t> Statement::blob(int column) const {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(m_statement.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column))};
}

}  // namespace nemo::lib::sqlite
