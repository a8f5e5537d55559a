// ledger::RequestLog on SQLite: a bounded queue in memory and one thread that writes it down in batches. The same
// thread writes the leases of budgets, so that rows and leases never wait for each other's lock.
#pragma once

#include <atomic>
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

#include "daemon/budget/lease_store.h"
#include "daemon/ledger/request_log.h"
#include "daemon/lib/sqlite/connection.h"
#include "daemon/store/sqlite/call_rows.h"
#include "daemon/store/sqlite/lease_rows.h"
#include "daemon/store/sqlite/ledger_writer_options.h"
#include "shared/clock.h"

namespace nemo::store {

class LedgerWriter final : public ledger::RequestLog {
 public:
  // Throws lib::sqlite::Failure. The schema must be there.
  LedgerWriter(std::filesystem::path file, LedgerWriterOptions options);
  // Writes what is queued. Rows that storage refuses even now are lost unless they were secured, and the log says how
  // many. Every lease change has been answered then.
  ~LedgerWriter() override;
  LedgerWriter(const LedgerWriter&) = delete;
  LedgerWriter& operator=(const LedgerWriter&) = delete;

  void append(call::CallRecord record) override;
  void secure(call::CallRecord& record) override;
  void mark_accepted(std::string call_id, std::int64_t accepted_bytes) override;
  ledger::LogHealth health() const override;

  // As budget::LeaseStore says.
  void change_leases(std::vector<budget::LeaseChange> changes, std::function<void(const Status&)> done);

  // Waits until what was asked for before is done (rows, verdicts, lease changes, removals) or a write has failed.
  void flush();
  void set_retention_days(int days);  // removes what is too old now, and then once a day

 private:
  using Block = std::vector<call::CallRecord>;
  struct LeaseRequest {
    std::vector<budget::LeaseChange> changes;
    std::function<void(const Status&)> done;
  };

  struct Verdict {
    std::string call_id;
    std::int64_t accepted_bytes = 0;
    std::uint64_t after_rows = 0;  // that came into the queue before it: its call's own is among them
  };

  // What callers and the writer's thread share, guarded by m_mutex.
  struct Shared {
    std::vector<Block> queue;
    std::vector<Block> spare;  // emptied blocks, to be filled again without an allocation
    std::vector<LeaseRequest> leases;
    std::uint64_t leases_asked = 0, leases_answered = 0;
    std::vector<Verdict> verdicts;
    std::uint64_t verdicts_asked = 0, verdicts_settled = 0;  // taken into the queue, and those of them that are done
    std::uint64_t verdicts_dropped = 0;
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

  enum class Leases : std::uint8_t { none, written, failed };
  // What one round of the writer's thread has to do besides the rows.
  struct Work {
    std::vector<LeaseRequest> leases;
    bool hurry = false, stop = false;
  };

  // The writer's thread.
  void run();
  void wait_for_work();
  Work take_work();
  Leases write_leases(std::vector<LeaseRequest> requests);
  Status try_leases(const std::vector<LeaseRequest>& requests);
  void write_verdicts();
  std::uint64_t mark_calls(std::size_t count);
  bool rows_are_due(const Work& work, Leases leases) const;
  bool write_batch();
  Settled write_rows();
  Settled write_front_block_one_by_one();
  void count(Settled settled);
  void forget_front(std::size_t rows);
  void release_journal(const call::CallRecord* first, std::size_t rows);
  void after_success();
  void after_failure(const std::string& message);
  void report_overflow();
  void plan_removal(std::optional<int> new_retention_days);
  void remove_some();
  void finish_removal();
  void fold_old_spend();

  std::filesystem::path m_file;
  LedgerWriterOptions m_options;
  mutable std::mutex m_mutex;
  std::condition_variable m_wake;      // the writer's thread waits here
  std::condition_variable m_progress;  // flush() waits here
  Shared m_shared;
  std::atomic<bool> m_leases_wait{false};  // a batch of rows ends early for them

  // Only the writer's thread, once it runs.
  lib::sqlite::Connection m_connection;
  CallRows m_rows;
  LeaseRows m_leases;
  std::deque<Block> m_pending;                 // taken from the queue, oldest first, not yet in the database
  std::deque<Verdict> m_verdicts;              // likewise
  std::chrono::milliseconds m_retry_delay{0};  // 0: the last write of rows worked
  SteadyTime m_retry_at{};
  bool m_overflow_reported = false;
  int m_retention_days;
  SteadyTime m_next_removal{};
  std::optional<WallTime> m_remove_before;  // a removal is under way
  bool m_fold_due = false;                  // of old spending; before the removal
  std::uint64_t m_removals_seen = 1;

  std::thread m_thread;
};

}  // namespace nemo::store
