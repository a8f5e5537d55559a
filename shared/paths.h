// Where things live on this machine; the rules are in the contract (flag, environment variable, XDG, home).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace nemo {

// Looks up an environment variable; tests pass their own.
using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

std::filesystem::path config_file(const Environment& env);
std::filesystem::path data_folder(const Environment& env);
// `given_data_folder` is what --data-dir said, if anything: the socket then lies inside it.
std::filesystem::path admin_socket(const Environment& env,
                                   const std::optional<std::filesystem::path>& given_data_folder);

}  // namespace nemo
