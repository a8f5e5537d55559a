// Several statements that see one state of the database.
#pragma once

#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

// Takes no lock that a writer would wait for. No other transaction on the connection meanwhile.
class ReadSnapshot {
 public:
  explicit ReadSnapshot(lib::sqlite::Connection& connection) : m_connection(connection) { m_connection.exec("BEGIN"); }
  ~ReadSnapshot() {
    if (!m_connection.in_transaction()) return;
    try {
      m_connection.exec("ROLLBACK");
    } catch (const lib::sqlite::Failure&) {
      // Nothing was written; the next statement on the connection tells what is wrong with it.
    }
  }
  ReadSnapshot(const ReadSnapshot&) = delete;
  ReadSnapshot& operator=(const ReadSnapshot&) = delete;

 private:
  lib::sqlite::Connection& m_connection;
};

}  // namespace nemo::store
