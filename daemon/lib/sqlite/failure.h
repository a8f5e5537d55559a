// Owns: the C library SQLite, wrapped once: Connection, Statement, Transaction, Failure.
// Must not know: any table, and how a failure is told to people.
#pragma once

#include <stdexcept>
#include <string>

struct sqlite3;

namespace nemo::lib::sqlite {

// What went wrong, in the words a caller decides by.
enum class Cause {
  busy,         // another connection holds the lock for longer than the busy timeout
  full,         // no space left, or the page limit is reached
  read_only,    // file or folder may not be written
  cannot_open,  // missing folder, no permission, too many open files
  corrupt,      // damaged, or not a database at all
  constraint,   // the row breaks a rule of its table
  io,           // the disk failed
  other,
};

// Thrown by everything in this folder.
class Failure : public std::runtime_error {
 public:
  Failure(int extended_code, const std::string& message);
  // From the last error of `connection`; `doing` is put before it.
  static Failure last_of(sqlite3* connection, int code, const std::string& doing);

  int code() const { return m_code; }  // SQLite's extended result code
  Cause cause() const;

 private:
  int m_code;
};

}  // namespace nemo::lib::sqlite
