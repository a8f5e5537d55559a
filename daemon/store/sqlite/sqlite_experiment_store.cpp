#include "daemon/store/sqlite/sqlite_experiment_store.h"

#include <utility>

#include "daemon/store/sqlite/durable_commits.h"
#include "daemon/store/sqlite/experiment_rows.h"
#include "daemon/store/sqlite/storage_error.h"

namespace nemo::store {

using lib::sqlite::Failure;
using routing::Experiment;

SqliteExperimentStore::SqliteExperimentStore(std::filesystem::path file)
    : m_file(std::move(file)), m_connection(m_file, lib::sqlite::Access::read_write) {}

Result<std::vector<Experiment>> SqliteExperimentStore::load_experiments() {
  const std::lock_guard lock(m_mutex);
  try {
    return load_all_experiments(m_connection);
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "read the experiments");
  }
}

Status SqliteExperimentStore::add_experiment(const Experiment& experiment) {
  const std::lock_guard lock(m_mutex);
  try {
    const DurableCommits durable(m_connection);
    insert_row(m_connection, experiment);
    return Done{};
  } catch (const Failure& failure) {
    if (failure.cause() == lib::sqlite::Cause::constraint)
      return fail(ErrorKind::conflict, "there is an experiment " + experiment.name + " already; give it another name");
    return storage_error(failure, m_file, "store the experiment " + experiment.name);
  }
}

Status SqliteExperimentStore::update_experiment(const Experiment& experiment) {
  const std::lock_guard lock(m_mutex);
  try {
    const DurableCommits durable(m_connection);
    if (update_row(m_connection, experiment)) return Done{};
    return fail(ErrorKind::not_found, "there is no experiment " + experiment.name);
  } catch (const Failure& failure) {
    return storage_error(failure, m_file, "change the experiment " + experiment.name);
  }
}

}  // namespace nemo::store
