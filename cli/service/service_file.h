// The file that makes nemod a service.
#pragma once

#include <filesystem>
#include <string>

#include "shared/result.h"

namespace nemo::cli::service {

enum class Change { none, made, replaced, removed };

// Whether it is there. conflict: it is another's.
Result<bool> find_service_file(const std::filesystem::path& file);
// Replaced as a whole or not at all; its folders are made. conflict: another's file is there. storage: it cannot be
// written.
Result<Change> write_service_file(const std::filesystem::path& file, const std::string& text);
// none: there was no such file. conflict: it is another's.
Result<Change> remove_service_file(const std::filesystem::path& file);

}  // namespace nemo::cli::service
