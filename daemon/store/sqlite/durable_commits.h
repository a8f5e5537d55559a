// Commits that survive a power cut, while it lives; others survive the process only.
#pragma once

#include "daemon/lib/sqlite/connection.h"

namespace nemo::store {

// Made and destroyed outside of transactions.
class DurableCommits {
 public:
  explicit DurableCommits(lib::sqlite::Connection& connection) : m_connection(connection) {
    m_connection.exec("PRAGMA synchronous = FULL");
  }
  ~DurableCommits() {
    try {
      m_connection.exec("PRAGMA synchronous = NORMAL");
    } catch (const lib::sqlite::Failure&) {
      // Commits stay durable, which is slower and right.
    }
  }
  DurableCommits(const DurableCommits&) = delete;
  DurableCommits& operator=(const DurableCommits&) = delete;

 private:
  lib::sqlite::Connection& m_connection;
};

}  // namespace nemo::store
