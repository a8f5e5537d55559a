// Edits of nemo.toml that keep every comment and every line that is not concerned.
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace nemo::config {

// The text with [lane.LANE] model = "MODEL". The result is parsed again before it is returned, so a text that cannot be
// edited safely is refused and nothing is lost.
Result<std::string> with_lane_model(std::string_view text, std::string_view lane, std::string_view model);

}  // namespace nemo::config
