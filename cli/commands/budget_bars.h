// Budgets as bars. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/output/style.h"
#include "shared/admin/budget.h"
#include "shared/clock.h"

namespace nemo::cli::commands {

// "resets in 9 d", "resets in 5 h", "resets in 12 min", "never resets".
std::string say_reset(const std::string& resets_at, WallTime now);

// Teams, seats and keys under headings, one line a budget: name, used and limit, bar, when it resets. What is reserved
// or unsettled stands on a line below. `width`: columns of the terminal; none: bars of ten columns, nothing is cut.
std::string draw_budgets(const std::vector<admin::Budget>& budgets, std::optional<std::size_t> width,
                         output::Colours colours, WallTime now);

}  // namespace nemo::cli::commands
