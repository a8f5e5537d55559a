// What --json and --csv print: exact values, stable names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/admin/json.h"

namespace nemo::cli::output {

std::string pretty(const admin::Json& json);    // indented, with a newline at the end
std::string one_line(const admin::Json& json);  // with a newline at the end

// One record of RFC 4180, with its CRLF.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace nemo::cli::output
