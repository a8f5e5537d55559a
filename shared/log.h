// Log lines on stderr: one line each, written with one call, never holding a secret. Formatting happens only when the
// level is on. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nemo::log {

enum class Level : std::uint8_t { error, warn, info, debug };

std::optional<Level> parse_level(std::string_view text);
void set_level(Level level);
bool is_on(Level level);
void write(Level level, std::string_view message);

inline void error(std::string_view message) {
  write(Level::error, message);
}
inline void warn(std::string_view message) {
  write(Level::warn, message);
}
inline void info(std::string_view message) {
  write(Level::info, message);
}
inline void debug(std::string_view message) {
  write(Level::debug, message);
}

}  // namespace nemo::log
