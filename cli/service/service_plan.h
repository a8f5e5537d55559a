// What a service of nemod's has to run so that it uses the same places as this command.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shared/paths.h"
#include "shared/result.h"

namespace nemo::cli::service {

struct ServicePlan {
  std::filesystem::path nemod;
  std::optional<std::filesystem::path> config;                   // absent: where nemod looks by itself
  std::vector<std::pair<std::string, std::string>> environment;  // data folder and socket, when they are not the usual
  std::filesystem::path log_file;                                // where no journal keeps what nemod says
};

struct Wishes {
  std::string config = {};  // --config
  std::string socket = {};  // --socket
};

// A service does not see this shell's variables, so that what they say of places goes into the plan. not_found: there
// is no nemod, or no config file where one was named.
Result<ServicePlan> make_plan(const Environment& env, const Wishes& wishes);

// Those of this shell's variables that hold credentials, which the service will not see.
std::vector<std::string> unseen_credentials(const Environment& env);

}  // namespace nemo::cli::service
