// A service as the text of a systemd unit (systemd.service(5), systemd.syntax(7)) or of a launchd agent
// (launchd.plist(5)).
#pragma once

#include <string>
#include <string_view>

#include "cli/service/service_plan.h"
#include "shared/result.h"

namespace nemo::cli::service {

// packaging/systemd/nemod.service.in and packaging/launchd/ai.nemorouter.nemod.plist.in
extern const std::string_view k_systemd_template;
extern const std::string_view k_launchd_template;

// invalid_request: a path holds a character that such a file cannot hold.
Result<std::string> systemd_unit(const ServicePlan& plan);
Result<std::string> launchd_agent(const ServicePlan& plan);

// Whether such a text was written here, and not by somebody else under the same name.
bool is_ours(std::string_view text);

}  // namespace nemo::cli::service
