// How the lines of `nemo logs` and the story of `nemo why` name things.
#pragma once

#include <string>
#include <string_view>

#include "cli/output/style.h"
#include "shared/admin/call.h"

namespace nemo::cli::commands {

// "ok", "error 502", "refused 402", "cancelled"
std::string describe_status(const admin::Call& call);
output::Style style_of_status(std::string_view status);
// "openai-chat" -> "chat"; a surface without a short name keeps its own.
std::string short_surface(const std::string& surface);

}  // namespace nemo::cli::commands
