// What an experiment's report looks like.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/output/style.h"
#include "shared/admin/experiment.h"

namespace nemo::cli::commands {

// One table of measures by arms, or several when the arms do not fit beside each other, and a sentence for each pair
// and measure. `width`: columns of the terminal; none: it is no terminal.
std::string draw_report(const admin::ExperimentReport& report, std::optional<std::size_t> width,
                        output::Colours colours);

}  // namespace nemo::cli::commands
