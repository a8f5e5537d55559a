// ledger::RequestLog on SQLite: a bounded queue in memory and one thread that writes it down in batches.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/ledger/request_log.h"
#include "daemon/lib/sqlite/connection.h"
#include "daemon/store/sqlite/call_rows.h"
#include "shared/clock.h"

namespace nemo::store {

// What memory may hold while storage fails: about 100 MB at 2 KB a call, and more than a quarter of an hour at fifty
// calls a second.
inline constexpr std::size_t k_ledger_queue_rows = 50'000;

struct LedgerWriterOptions {
  const Clock& clock;       // outlives the writer; read by its thread
  int retention_days = 90;  // 0: everything is kept
  std::size_t queue_rows = k_ledger_queue_rows;
  // Called by the writer's thread before each transaction, with its connection: tests take its space away.
  std::function<void(lib::sqlite::Connection&)> before_write = {};
};

class LedgerWriter final : public ledger::RequestLog {
 public:
  // Throws lib::sqlite::Failure. The schema must be there.
  LedgerWriter(std::filesystem::path file, LedgerWriterOptions options);
  // Writes what is queued. Rows that storage refuses even now are lost, and the log says how many.
  ~LedgerWriter() override;
  LedgerWriter(const LedgerWriter&) = delete;
  LedgerWriter& operator=(const LedgerWriter&) = delete;

  void append(call::CallRecord record) override;
  ledger::LogHealth health() const override;

  // Waits until every row appended before is in the database and every removal asked for before is done, or a write
  // has failed. Any thread.
  void flush();
  void set_retention_days(int days);  // removes what is too old now, and then once a day

 private:
  using Block = std::vector<call::CallRecord>;

  // What callers and the writer's thread share, guarded by m_mutex.
  struct Shared {
    std::vector<Block> queue;
    std::vector<Block> spare;      // emptied blocks, to be filled again without an allocation
    std::uint64_t accepted = 0;    // rows that came into the queue
    std::uint64_t overflowed = 0;  // rows that did not: it was full
    std::uint64_t written = 0;
    std::uint64_t rejected = 0;  // rows that the database will never take
    std::uint64_t failures = 0;  // write attempts
    std::string last_error;
    std::optional<int> retention_days;  // newly set, not yet seen by the thread
    std::uint64_t removals_asked = 1;   // the one at start
    std::uint64_t removals_done = 0;
    bool hurry = false;  // somebody waits in flush()
    bool stop = false;

    std::uint64_t waiting() const { return accepted - written - rejected; }
  };

  // What one write settled, counted from the front of m_pending.
  struct Settled {
    std::size_t rows = 0;
    std::size_t rejected = 0;  // of them
  };

  // The writer's thread.
  void run();
  void wait_for_work();
  bool take_work();  // false: it is time to stop
  bool write_batch();
  Settled write_rows();
  Settled write_front_block_one_by_one();
  void count(Settled settled);
  void forget_front(std::size_t rows);
  void after_success(Settled settled);
  void after_failure(const std::string& message);
  void report_overflow();
  void plan_removal(std::optional<int> new_retention_days);
  void remove_some();
  void finish_removal();

  std::filesystem::path m_file;
  LedgerWriterOptions m_options;

  mutable std::mutex m_mutex;
  std::condition_variable m_wake;      // the writer's thread waits here
  std::condition_variable m_progress;  // flush() waits here
  Shared m_shared;

  // Only the writer's thread, once it runs.
  lib::sqlite::Connection m_connection;
  CallRows m_rows;
  std::deque<Block> m_pending;                 // taken from the queue, oldest first, not yet in the database
  std::chrono::milliseconds m_retry_delay{0};  // 0: the last write worked
  bool m_overflow_reported = false;
  int m_retention_days;
  SteadyTime m_next_removal{};
  std::optional<WallTime> m_remove_before;  // a removal is under way
  std::uint64_t m_removals_seen = 1;

  std::thread m_thread;
};

}  // namespace nemo::store
