// How the arms of an experiment are written: "a=50,b=50".
#pragma once

#include <string>
#include <vector>

#include "shared/admin/experiment.h"
#include "shared/result.h"

namespace nemo::cli::commands {

// invalid_request: an arm without a model or without a whole number as its weight. What the weights must be, and which
// models there are, is for the daemon to say.
Result<std::vector<admin::Arm>> parse_arms(const std::string& text);

// With their shares: "a 50 %, b 50 %".
std::string describe_arms(const std::vector<admin::Arm>& arms);

}  // namespace nemo::cli::commands
