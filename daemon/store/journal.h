// Files in the data folder that hold the rows of calls whose client has seen the end, until the database has them.
// They survive the process, since the page cache does; not a power cut.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/call/call_record.h"
#include "shared/file_descriptor.h"

namespace nemo::store {

// A file that has grown beyond is written no more. Reading as much takes a start some 50 ms.
inline constexpr std::uint64_t k_journal_bytes = 4 * 1024 * 1024;

struct JournalFile {
  std::filesystem::path path;
  std::uint32_t generation = 0;
};
// nemo.journal.N in the folder, oldest first. Throws std::filesystem::filesystem_error.
std::vector<JournalFile> find_journal_files(const std::filesystem::path& folder);
// Absent: it cannot be read; `why` is for people.
std::optional<std::string> read_journal_file(const std::filesystem::path& path, std::string& why);

// A generation is one file. It lasts until every row in it is in the database and it is written no more.
class Journal {
 public:
  // Begins with the generation after `last`. A file that cannot be created shows in last_error().
  Journal(std::filesystem::path folder, std::uint32_t last, std::uint64_t bytes_each = k_journal_bytes);
  // Removes its files but those with rows that are not in the database.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Any thread. One write to the page cache, no lock held meanwhile. The generation that holds the row now; 0: none
  // does, see last_error().
  std::uint32_t write(const call::CallRecord& record);
  // Any thread. So many rows of a generation need it no longer.
  void forget(std::uint32_t generation, std::uint64_t rows);
  // Empty: the last write worked.
  std::string last_error() const;

  // One thread, now and then: begins a new file when the present one is full or has failed, and removes those that
  // nobody needs.
  void tidy();

 private:
  struct Generation {
    std::uint32_t number = 0;
    std::filesystem::path path;
    FileDescriptor file;
    // Guarded by m_mutex.
    std::uint64_t bytes = 0;
    std::uint64_t rows = 0;  // that need it, with those being written
    bool failed = false;     // what is written behind a torn record cannot be read
  };
  using Shared = std::shared_ptr<Generation>;

  Shared begin_row(std::size_t bytes);
  void fail_row(Generation& generation, int reason);
  void set_error(std::string message);  // holding m_mutex
  bool needs_another() const;
  void begin_generation();
  std::vector<Shared> take_unneeded(bool with_present);

  std::filesystem::path m_folder;
  std::uint64_t m_bytes_each;
  std::uint32_t m_last;  // tidy()'s thread

  mutable std::mutex m_mutex;
  std::vector<Shared> m_generations;  // oldest first
  Shared m_present;                   // null: there is none to write to
  std::string m_last_error;
  std::atomic<bool> m_has_error{false};  // looked at after each write, so that those that work take no lock
};

}  // namespace nemo::store
