// One connection to a SQLite file. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "daemon/lib/sqlite/failure.h"

namespace nemo::lib::sqlite {

enum class Access { read_write, read_only };

class Connection {
 public:
  // read_write creates a missing file with mode 0600 (a looser one is tightened), and sets WAL, synchronous=NORMAL
  // and foreign keys. read_only needs a file that is there. Waits up to k_busy_timeout for a lock.
  Connection(const std::filesystem::path& file, Access access);

  void exec(const char* sql);  // one or more statements without parameters
  std::int64_t last_row() const;
  std::int64_t changes() const;  // rows that the last statement touched
  bool in_transaction() const;
  sqlite3* handle() const { return m_handle.get(); }  // for this folder

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> m_handle;
};

// Begins at once with the write lock, so that it cannot fail half way for want of it. Rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Connection& m_connection;
  bool m_open = true;
};

}  // namespace nemo::lib::sqlite
