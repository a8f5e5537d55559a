#include "daemon/store/sqlite/ledger_writer.h"

#include <algorithm>
#include <exception>
#include <span>
#include <utility>

#include "daemon/store/sqlite/storage_error.h"
#include "shared/log.h"
#include "shared/thread_name.h"

namespace nemo::store {
namespace {

using lib::sqlite::Cause;
using lib::sqlite::Failure;
using lib::sqlite::Transaction;
using namespace std::chrono_literals;

// A block moves from the queue to the writer whole; small enough that taking a fresh one costs little.
constexpr std::size_t k_block_rows = 64;
constexpr std::size_t k_spare_blocks = 4;
// One transaction: large enough to catch up quickly, small enough that other writers (keys) wait for milliseconds.
constexpr std::size_t k_batch_blocks = 32;
// Calls that end together are written together. Well below the 50 ms within which a row has to be there.
constexpr auto k_gather = 10ms;
constexpr auto k_first_retry = 100ms;
constexpr auto k_longest_retry = 5000ms;
// Nobody waits for a verdict: it goes along with the rows that come meanwhile.
constexpr auto k_gather_verdicts = 1s;
// Another process that writes holds the lock for milliseconds. Rows are tried again, and a call that waits for a lease
// must hear in time that there is none.
constexpr const char* k_busy_timeout_sql = "PRAGMA busy_timeout = 2000";

}  // namespace

LedgerWriter::LedgerWriter(std::filesystem::path file, LedgerWriterOptions options)
    : m_file(std::move(file)),
      m_options(std::move(options)),
      m_connection(m_file, lib::sqlite::Access::read_write),
      m_rows(m_connection),
      m_leases(m_connection),
      m_retention_days(m_options.retention_days),
      m_next_removal(std::chrono::steady_clock::now()) {
  m_connection.exec(k_busy_timeout_sql);
  m_thread = std::thread([this] { run(); });
}

LedgerWriter::~LedgerWriter() {
  {
    const std::lock_guard lock(m_mutex);
    m_shared.stop = true;
  }
  m_wake.notify_one();
  m_thread.join();
}

void LedgerWriter::append(call::CallRecord record) {
  bool first = false;
  {
    const std::lock_guard lock(m_mutex);
    if (m_shared.waiting() >= m_options.queue_rows) {
      ++m_shared.overflowed;
      return;
    }
    auto& queue = m_shared.queue;
    first = queue.empty();
    if (first || queue.back().size() == k_block_rows) {
      if (m_shared.spare.empty()) {
        queue.emplace_back().reserve(k_block_rows);
      } else {
        queue.push_back(std::move(m_shared.spare.back()));
        m_shared.spare.pop_back();
      }
    }
    queue.back().push_back(std::move(record));
    ++m_shared.accepted;
  }
  // With a row before it in the queue the thread is awake, or about to look.
  if (first) m_wake.notify_one();
}

void LedgerWriter::secure(call::CallRecord& record) {
  if (m_options.journal == nullptr) return;
  const std::uint32_t generation = m_options.journal->write(record);
  if (generation == 0) return;  // an earlier copy is better than none
  if (const std::uint32_t before = std::exchange(record.journal, generation); before != 0)
    m_options.journal->forget(before, 1);
}

ledger::LogHealth LedgerWriter::health() const {
  const std::lock_guard lock(m_mutex);
  ledger::LogHealth health;
  health.appended = m_shared.accepted + m_shared.overflowed;
  health.written = m_shared.written;
  health.dropped = m_shared.overflowed + m_shared.rejected;
  health.waiting = m_shared.waiting();
  health.verdicts_dropped = m_shared.verdicts_dropped;
  health.last_error = m_shared.last_error;
  if (health.last_error.empty() && m_options.journal != nullptr) health.last_error = m_options.journal->last_error();
  return health;
}

void LedgerWriter::flush() {
  std::unique_lock lock(m_mutex);
  const auto rows = m_shared.accepted;
  const auto removals = m_shared.removals_asked;
  const auto leases = m_shared.leases_asked;
  const auto verdicts = m_shared.verdicts_asked;
  const auto failures = m_shared.failures;
  const auto done = [&] {
    const bool all_there = m_shared.written + m_shared.rejected >= rows && m_shared.removals_done >= removals &&
                           m_shared.leases_answered >= leases && m_shared.verdicts_settled >= verdicts;
    return all_there || m_shared.failures > failures;
  };
  if (done()) return;
  m_shared.hurry = true;
  m_wake.notify_one();
  m_progress.wait(lock, done);
}

void LedgerWriter::set_retention_days(int days) {
  {
    const std::lock_guard lock(m_mutex);
    m_shared.retention_days = days;
    ++m_shared.removals_asked;
  }
  m_wake.notify_one();
}

void LedgerWriter::run() {
  name_this_thread("nemo-ledger");
  for (;;) {
    wait_for_work();
    Work work = take_work();
    const Leases leases = write_leases(std::move(work.leases));
    const bool due = rows_are_due(work, leases);
    const bool worked = due && write_batch();
    if (m_options.journal != nullptr) m_options.journal->tidy();
    if (work.stop && leases == Leases::none && (!worked || (m_pending.empty() && m_verdicts.empty()))) break;
    if (worked) remove_some();
  }
  std::size_t lost = 0;
  for (const Block& block : m_pending) lost += block.size();
  if (lost > 0) log::error("ledger: " + std::to_string(lost) + " calls could not be written before the end");
}

void LedgerWriter::wait_for_work() {
  std::unique_lock lock(m_mutex);
  const auto at_once = [&] { return m_shared.stop || m_shared.hurry || !m_shared.leases.empty(); };
  if (m_retry_delay > 0ms) {
    m_wake.wait_until(lock, m_retry_at, at_once);
    return;
  }
  if (!m_pending.empty() || !m_verdicts.empty() || m_remove_before || m_fold_due) return;
  const auto rows_or_more = [&] { return at_once() || !m_shared.queue.empty() || m_shared.retention_days; };
  m_wake.wait_until(lock, m_next_removal, [&] { return rows_or_more() || !m_shared.verdicts.empty(); });
  if (!rows_or_more() && !m_shared.verdicts.empty()) m_wake.wait_for(lock, k_gather_verdicts, rows_or_more);
  if (!m_shared.queue.empty()) m_wake.wait_for(lock, k_gather, at_once);
}

LedgerWriter::Work LedgerWriter::take_work() {
  Work work;
  std::vector<Block> taken;
  std::vector<Verdict> verdicts;
  std::optional<int> new_retention_days;
  {
    const std::lock_guard lock(m_mutex);
    taken.swap(m_shared.queue);
    verdicts.swap(m_shared.verdicts);
    work.leases.swap(m_shared.leases);
    m_leases_wait = false;
    new_retention_days = std::exchange(m_shared.retention_days, std::nullopt);
    if (new_retention_days) m_removals_seen = m_shared.removals_asked;
    work.hurry = std::exchange(m_shared.hurry, false);
    work.stop = m_shared.stop;
  }
  for (Block& block : taken) m_pending.push_back(std::move(block));
  for (Verdict& verdict : verdicts) m_verdicts.push_back(std::move(verdict));
  plan_removal(new_retention_days);
  report_overflow();
  return work;
}

// While storage fails, a lease that is asked for does not make the rows be tried earlier.
bool LedgerWriter::rows_are_due(const Work& work, Leases leases) const {
  return m_retry_delay == 0ms || work.stop || work.hurry || leases == Leases::written ||
         std::chrono::steady_clock::now() >= m_retry_at;
}

// False: what is not written stays where it is, for another try.
bool LedgerWriter::write_batch() {
  if (m_pending.empty() && m_verdicts.empty()) return true;
  try {
    if (!m_pending.empty()) {
      const Settled settled = write_rows();
      forget_front(settled.rows);
      count(settled);
    }
    write_verdicts();
    after_success();
    return true;
  } catch (const Failure& failure) {
    after_failure(storage_error(failure, m_file, "write the ledger").message);
  } catch (const std::exception& failure) {
    after_failure(std::string("cannot write the ledger: ") + failure.what());
  }
  return false;
}

LedgerWriter::Settled LedgerWriter::write_rows() {
  if (m_options.before_write) m_options.before_write(m_connection);
  try {
    Transaction transaction(m_connection);
    m_rows.begin();
    std::size_t rows = 0;
    const std::size_t blocks = std::min(m_pending.size(), k_batch_blocks);
    for (std::size_t i = 0; i < blocks && (i == 0 || !m_leases_wait); ++i) {
      for (const call::CallRecord& record : m_pending[i]) m_rows.insert(record);
      rows += m_pending[i].size();
    }
    m_rows.write_sums();
    transaction.commit();
    return {rows, 0};
  } catch (const Failure& failure) {
    // A row that can never be written must not hold up all that come after it.
    if (failure.cause() != Cause::constraint) throw;
  }
  return write_front_block_one_by_one();
}

LedgerWriter::Settled LedgerWriter::write_front_block_one_by_one() {
  Block& block = m_pending.front();
  Settled settled;
  std::string reason;
  try {
    for (; settled.rows < block.size(); ++settled.rows) {
      try {
        Transaction transaction(m_connection);
        m_rows.begin();
        m_rows.insert(block[settled.rows]);
        m_rows.write_sums();
        transaction.commit();
      } catch (const Failure& failure) {
        if (failure.cause() != Cause::constraint) throw;
        ++settled.rejected;
        reason = failure.what();
      }
    }
  } catch (const Failure&) {
    // What is in the database must not be written twice.
    release_journal(block.data(), settled.rows);
    block.erase(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(settled.rows));
    count(settled);
    throw;
  }
  if (settled.rejected > 0)
    log::error("ledger: " + std::to_string(settled.rejected) + " calls cannot be stored: " + reason);
  return settled;
}

void LedgerWriter::count(Settled settled) {
  const std::lock_guard lock(m_mutex);
  m_shared.written += settled.rows - settled.rejected;
  m_shared.rejected += settled.rejected;
}

// Drops whole blocks from the front that hold `rows` rows together; emptied blocks are offered to append().
void LedgerWriter::forget_front(std::size_t rows) {
  std::vector<Block> emptied;
  while (rows > 0) {
    Block block = std::move(m_pending.front());
    m_pending.pop_front();
    rows -= block.size();
    release_journal(block.data(), block.size());
    block.clear();
    if (emptied.size() < k_spare_blocks) emptied.push_back(std::move(block));
  }
  const std::lock_guard lock(m_mutex);
  for (Block& block : emptied) {
    if (m_shared.spare.size() < k_spare_blocks) m_shared.spare.push_back(std::move(block));
  }
}

// The journal needs these rows no longer: the database has them, or never will.
void LedgerWriter::release_journal(const call::CallRecord* first, std::size_t rows) {
  if (m_options.journal == nullptr) return;
  std::uint32_t generation = 0;
  std::uint64_t count = 0;
  for (const call::CallRecord& record : std::span(first, rows)) {
    if (record.journal != generation) {
      if (count > 0) m_options.journal->forget(generation, count);
      generation = record.journal;
      count = 0;
    }
    count += generation != 0 ? 1 : 0;
  }
  if (count > 0) m_options.journal->forget(generation, count);
}

void LedgerWriter::after_success() {
  std::uint64_t dropped = 0;
  {
    const std::lock_guard lock(m_mutex);
    m_shared.last_error.clear();
    dropped = m_shared.overflowed;
  }
  m_progress.notify_all();
  if (m_retry_delay == 0ms) return;
  m_retry_delay = 0ms;
  m_overflow_reported = false;
  log::info("ledger: written again; calls dropped since the start: " + std::to_string(dropped));
}

void LedgerWriter::after_failure(const std::string& message) {
  std::uint64_t waiting = 0;
  {
    const std::lock_guard lock(m_mutex);
    m_shared.last_error = message;
    ++m_shared.failures;
    waiting = m_shared.waiting();
  }
  m_progress.notify_all();
  if (m_retry_delay == 0ms)
    log::error("ledger: " + message + " (" + std::to_string(waiting) + " calls wait in memory, it is tried again)");
  m_retry_delay = std::clamp<std::chrono::milliseconds>(m_retry_delay * 2, k_first_retry, k_longest_retry);
  m_retry_at = std::chrono::steady_clock::now() + m_retry_delay;
}

// append() is on the request path and must not format: the writer tells of it, once.
void LedgerWriter::report_overflow() {
  if (m_overflow_reported || m_retry_delay == 0ms) return;
  {
    const std::lock_guard lock(m_mutex);
    if (m_shared.waiting() < m_options.queue_rows) return;
  }
  m_overflow_reported = true;
  log::error("ledger: the queue is full, new calls are not recorded until the database can be written");
}

}  // namespace nemo::store
