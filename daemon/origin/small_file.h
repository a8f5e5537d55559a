// Files that others made, read without trust in what they are.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace nemo::origin {

// Enough for a path or a reference, and what a file may hold beyond it is not looked at.
inline constexpr std::size_t k_small_file_bytes = 4'352;
// The kernel's list of sockets: of more than some hundred thousand, the last are not looked at.
inline constexpr std::size_t k_largest_list_bytes = std::size_t{32} << 20U;

// Its first bytes. Absent: it is no regular file (a pipe would never end), or cannot be read.
std::optional<std::string> read_small_file(const std::filesystem::path& path,
                                           std::size_t most_bytes = k_small_file_bytes);

}  // namespace nemo::origin
