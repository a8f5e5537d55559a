// The one place that tells people what a failing database means for them.
#pragma once

#include <filesystem>
#include <string_view>

#include "daemon/lib/sqlite/failure.h"
#include "shared/result.h"

namespace nemo::store {

// ErrorKind::storage; the message names the file, what failed and what to do. `doing`: "read the calls".
Error storage_error(const lib::sqlite::Failure& failure, const std::filesystem::path& file, std::string_view doing);

}  // namespace nemo::store
