// Running nemod as a program, for what needs no running daemon.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "shared/paths.h"
#include "shared/result.h"

namespace nemo::cli {

// The first of that name in PATH.
std::optional<std::filesystem::path> find_program(const Environment& env, const std::string& name);

// The nemod that lies beside this program, else the first in PATH.
std::optional<std::filesystem::path> find_nemod(const Environment& env);

enum class Output { pass_on, capture };

struct Outcome {
  int exit_status = 0;    // 128 + n when signal n ended it
  std::string text = {};  // captured: what it wrote, both streams as they came
};

// Waits for its end. internal: it could not be started.
Result<Outcome> run_program(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                            Output output);

// nemod --check-config, with the file when one is named. not_found: there is no nemod to ask.
Result<Outcome> check_config(const Environment& env, const std::string& file, Output output);

}  // namespace nemo::cli
