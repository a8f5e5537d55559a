#include "shared/paths.h"

#include <cstdlib>

namespace nemo {
namespace {

namespace fs = std::filesystem;

fs::path home(const Environment& env) {
  const auto value = env("HOME");
  return value && !value->empty() ? fs::path(*value) : fs::path("/");
}

std::optional<fs::path> folder_from(const Environment& env, const char* name) {
  const auto value = env(name);
  if (!value || value->empty()) return std::nullopt;
  return fs::path(*value);
}

// The XDG specification: a path that is not absolute is to be ignored.
std::optional<fs::path> xdg_folder(const Environment& env, const char* name) {
  auto folder = folder_from(env, name);
  if (folder && !folder->is_absolute()) return std::nullopt;
  return folder;
}

#ifdef __APPLE__
fs::path platform_folder(const Environment& env) {
  return home(env) / "Library" / "Application Support" / "nemo";
}
#endif

}  // namespace

std::optional<std::string> process_environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here ever calls setenv
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

fs::path config_file(const Environment& env) {
  if (const auto file = folder_from(env, "NEMO_CONFIG")) return *file;
  if (const auto base = xdg_folder(env, "XDG_CONFIG_HOME")) return *base / "nemo" / "nemo.toml";
#ifdef __APPLE__
  return platform_folder(env) / "nemo.toml";
#else
  return home(env) / ".config" / "nemo" / "nemo.toml";
#endif
}

fs::path data_folder(const Environment& env) {
  if (const auto folder = folder_from(env, "NEMO_DATA_DIR")) return *folder;
  if (const auto base = xdg_folder(env, "XDG_DATA_HOME")) return *base / "nemo";
#ifdef __APPLE__
  return platform_folder(env);
#else
  return home(env) / ".local" / "share" / "nemo";
#endif
}

fs::path admin_socket(const Environment& env, const std::optional<fs::path>& given_data_folder) {
  if (given_data_folder) return *given_data_folder / "nemod.sock";
  if (const auto file = folder_from(env, "NEMO_SOCKET")) return *file;
  if (const auto base = xdg_folder(env, "XDG_RUNTIME_DIR")) return *base / "nemo" / "nemod.sock";
  return data_folder(env) / "nemod.sock";
}

}  // namespace nemo
