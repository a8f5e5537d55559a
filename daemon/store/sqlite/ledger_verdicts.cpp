// The part of LedgerWriter that writes whether completions were taken: on its thread, behind the rows.
#include <algorithm>
#include <utility>

#include "daemon/store/sqlite/ledger_writer.h"

namespace nemo::store {
namespace {

// One transaction of a few milliseconds, so that rows and leases which come meanwhile are written in time.
constexpr std::size_t k_batch_verdicts = 500;

}  // namespace

void LedgerWriter::mark_accepted(std::string call_id, std::int64_t accepted_bytes) {
  bool first = false;
  {
    const std::lock_guard lock(m_mutex);
    // Those that the thread has taken and not written wait too.
    if (m_shared.verdicts_asked - m_shared.verdicts_settled >= m_options.queue_verdicts) {
      ++m_shared.verdicts_dropped;
      return;
    }
    first = m_shared.verdicts.empty();
    m_shared.verdicts.push_back({std::move(call_id), accepted_bytes, m_shared.accepted});
    ++m_shared.verdicts_asked;
  }
  if (first) m_wake.notify_one();
}

// Of those whose calls' rows are settled, the oldest. Throws lib::sqlite::Failure; they stay then.
void LedgerWriter::write_verdicts() {
  std::uint64_t settled_rows = 0;
  {
    const std::lock_guard lock(m_mutex);
    settled_rows = m_shared.written + m_shared.rejected;
  }
  const auto most = static_cast<std::ptrdiff_t>(std::min(m_verdicts.size(), k_batch_verdicts));
  const auto behind = std::find_if(m_verdicts.begin(), m_verdicts.begin() + most,
                                   [&](const Verdict& verdict) { return verdict.after_rows > settled_rows; });
  if (behind == m_verdicts.begin()) return;
  const auto count = static_cast<std::size_t>(behind - m_verdicts.begin());
  std::uint64_t dropped = count;
  try {
    dropped = mark_calls(count);
  } catch (const lib::sqlite::Failure& failure) {
    // A rule of the schema would be broken again.
    if (failure.cause() != lib::sqlite::Cause::constraint) throw;
  }
  m_verdicts.erase(m_verdicts.begin(), behind);
  const std::lock_guard lock(m_mutex);
  m_shared.verdicts_settled += count;
  m_shared.verdicts_dropped += dropped;
}

// The first `count`, in one transaction. How many of them have no row.
std::uint64_t LedgerWriter::mark_calls(std::size_t count) {
  if (m_options.before_write) m_options.before_write(m_connection);
  std::uint64_t unknown = 0;
  lib::sqlite::Transaction transaction(m_connection);
  for (std::size_t i = 0; i < count; ++i) {
    if (!m_rows.mark_accepted(m_verdicts[i].call_id, m_verdicts[i].accepted_bytes)) ++unknown;
  }
  transaction.commit();
  return unknown;
}

}  // namespace nemo::store
