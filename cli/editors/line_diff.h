// The difference of two texts as people read it.
#pragma once

#include <string>
#include <string_view>

namespace nemo::cli::editors {

// In the unified format, with three lines around each change and "--- name" and "+++ name" before them; empty when the
// texts are the same.
std::string unified_diff(std::string_view before, std::string_view after, std::string_view name);

}  // namespace nemo::cli::editors
