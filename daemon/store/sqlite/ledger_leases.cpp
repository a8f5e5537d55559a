// The part of LedgerWriter that writes leases: on its thread, before the rows that wait.
#include <exception>
#include <utility>

#include "daemon/store/sqlite/durable_commits.h"
#include "daemon/store/sqlite/ledger_writer.h"
#include "daemon/store/sqlite/storage_error.h"

namespace nemo::store {

void LedgerWriter::change_leases(std::vector<budget::LeaseChange> changes, std::function<void(const Status&)> done) {
  {
    const std::lock_guard lock(m_mutex);
    m_shared.leases.push_back({std::move(changes), std::move(done)});
    ++m_shared.leases_asked;
    m_leases_wait = true;
  }
  m_wake.notify_one();
}

LedgerWriter::Leases LedgerWriter::write_leases(std::vector<LeaseRequest> requests) {
  if (requests.empty()) return Leases::none;
  const Status written = try_leases(requests);
  for (LeaseRequest& request : requests) {
    if (request.done) request.done(written);
    request.done = nullptr;
  }
  {
    const std::lock_guard lock(m_mutex);
    m_shared.leases_answered += requests.size();
  }
  m_progress.notify_all();
  return written.ok() ? Leases::written : Leases::failed;
}

// What was asked for meanwhile goes together: the disk is waited for once.
Status LedgerWriter::try_leases(const std::vector<LeaseRequest>& requests) {
  try {
    if (m_options.before_write) m_options.before_write(m_connection);
    const DurableCommits durable(m_connection);
    lib::sqlite::Transaction transaction(m_connection);
    for (const LeaseRequest& request : requests) m_leases.change(request.changes);
    transaction.commit();
    return Done{};
  } catch (const lib::sqlite::Failure& failure) {
    return storage_error(failure, m_file, "set budget aside");
  } catch (const std::exception& failure) {
    return fail(ErrorKind::storage, std::string("cannot set budget aside: ") + failure.what());
  }
}

}  // namespace nemo::store
