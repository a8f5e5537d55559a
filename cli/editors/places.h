// Where editors keep things on this machine, and whether they are there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/paths.h"

namespace nemo::cli::editors {

// Reads folders, changes nothing.
class Places {
 public:
  explicit Places(const Environment& env);

  const Environment& environment() const { return m_env; }
  const std::filesystem::path& home() const { return m_home; }
  // "~/x", "$config/x" (XDG_CONFIG_HOME), "$data/x" (XDG_DATA_HOME), "$code/x" (VS Code's user folder).
  std::filesystem::path resolve(std::string_view place) const;
  // The first place that is there; a part of a place may end with "*", which stands for anything.
  std::optional<std::filesystem::path> find(const std::vector<std::string_view>& places) const;
  // The first place that is there, else the first.
  std::filesystem::path find_or_first(const std::vector<std::string_view>& places) const;
  std::optional<std::filesystem::path> find_program(std::string_view name) const;

 private:
  Environment m_env;
  std::filesystem::path m_home;
  std::filesystem::path m_config;
  std::filesystem::path m_data;
  std::filesystem::path m_code;
};

}  // namespace nemo::cli::editors
