// routing::ExperimentStore on SQLite. One connection of its own, guarded; any thread.
#pragma once

#include <filesystem>
#include <mutex>
#include <vector>

#include "daemon/lib/sqlite/connection.h"
#include "daemon/routing/experiment.h"

namespace nemo::store {

// A change survives a power cut once it has returned. An experiment is one row: readers see it whole.
class SqliteExperimentStore final : public routing::ExperimentStore {
 public:
  // Throws lib::sqlite::Failure. The schema must be there.
  explicit SqliteExperimentStore(std::filesystem::path file);

  Result<std::vector<routing::Experiment>> load_experiments() override;  // oldest first
  Status add_experiment(const routing::Experiment& experiment) override;
  Status update_experiment(const routing::Experiment& experiment) override;

 private:
  std::filesystem::path m_file;
  std::mutex m_mutex;
  lib::sqlite::Connection m_connection;
};

}  // namespace nemo::store
