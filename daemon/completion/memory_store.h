// Port: where answered completions rest between two runs of the daemon.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/completion/asked.h"
#include "shared/clock.h"

namespace nemo::completion {

struct Remembered {
  Asked asked;
  std::string answer;
  Ending ending = Ending::by_itself;
  std::string model;  // the catalog id that answered
  WallTime at;        // when it had ended
};

class MemoryStore {
 public:
  virtual ~MemoryStore() = default;
  // Any thread, on the hot path: hands it over and returns at once. It may be dropped.
  virtual void save(std::shared_ptr<const Remembered> remembered) = 0;
};

}  // namespace nemo::completion
