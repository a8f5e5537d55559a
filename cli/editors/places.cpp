#include "cli/editors/places.h"

#include <unistd.h>

#include <algorithm>

namespace nemo::cli::editors {
namespace {

namespace fs = std::filesystem;

constexpr int k_most_entries = 4096;  // of one folder that are looked at

fs::path folder_or(const Environment& env, const char* name, const fs::path& otherwise) {
  const auto value = env(name);
  return value && fs::path(*value).is_absolute() ? fs::path(*value) : otherwise;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The first entry, by name, whose name begins so.
std::optional<fs::path> find_entry(const fs::path& folder, const std::string& start) {
  std::error_code error;
  std::optional<fs::path> found;
  int looked = 0;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && looked < k_most_entries;
       it.increment(error), ++looked) {
    const std::string name = it->path().filename().string();
    if (name.rfind(start, 0) == 0 && (!found || it->path() < *found)) found = it->path();
  }
  return found;
}

std::optional<fs::path> find_one(const fs::path& pattern) {
  fs::path at;
  for (const fs::path& part : pattern) {
    std::string name = part.string();
    if (name.empty() || name.back() != '*') {
      at /= part;
      continue;
    }
    name.pop_back();
    const auto entry = find_entry(at, name);
    if (!entry) return std::nullopt;
    at = *entry;
  }
  if (!is_there(at)) return std::nullopt;
  return at;
}

}  // namespace

Places::Places(const Environment& env) : m_env(env), m_home(env("HOME").value_or("/")) {
  m_config = folder_or(env, "XDG_CONFIG_HOME", m_home / ".config");
  m_data = folder_or(env, "XDG_DATA_HOME", m_home / ".local" / "share");
#ifdef __APPLE__
  m_code = m_home / "Library" / "Application Support";
#else
  m_code = m_config;
#endif
}

fs::path Places::resolve(std::string_view place) const {
  const std::size_t slash = std::min(place.find('/'), place.size());
  const std::string_view root = place.substr(0, slash);
  const std::string_view rest = place.substr(std::min(slash + 1, place.size()));
  if (root == "~") return m_home / rest;
  if (root == "$config") return m_config / rest;
  if (root == "$data") return m_data / rest;
  if (root == "$code") return m_code / rest;
  return fs::path(place);
}

std::optional<fs::path> Places::find(const std::vector<std::string_view>& places) const {
  for (const std::string_view place : places) {
    if (auto found = find_one(resolve(place))) return found;
  }
  return std::nullopt;
}

fs::path Places::find_or_first(const std::vector<std::string_view>& places) const {
  return find(places).value_or(resolve(places.front()));
}

std::optional<fs::path> Places::find_program(std::string_view name) const {
  std::string folders = m_env("PATH").value_or("");
  while (!folders.empty()) {
    const std::size_t end = folders.find(':');
    const std::string folder = folders.substr(0, end);
    folders = end == std::string::npos ? "" : folders.substr(end + 1);
    if (folder.empty()) continue;
    const fs::path program = fs::path(folder) / name;
    std::error_code ignored;
    if (fs::is_regular_file(program, ignored) && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

}  // namespace nemo::cli::editors
