#include "shared/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "shared/clock.h"

namespace nemo::log {
namespace {

std::atomic<Level> g_level{Level::info};

std::string_view name_of(Level level) {
  switch (level) {
    case Level::error:
      return "error";
    case Level::warn:
      return "warn ";
    case Level::info:
      return "info ";
    case Level::debug:
      return "debug";
  }
  return "?";
}

}  // namespace

std::optional<Level> parse_level(std::string_view text) {
  if (text == "error") return Level::error;
  if (text == "warn") return Level::warn;
  if (text == "info") return Level::info;
  if (text == "debug") return Level::debug;
  return std::nullopt;
}

void set_level(Level level) {
  g_level.store(level, std::memory_order_relaxed);
}

bool is_on(Level level) {
  return level <= g_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message) {
  if (!is_on(level)) return;
  std::string line = to_rfc3339(SystemClock{}.wall());
  line.append(" ").append(name_of(level)).append(" ");
  const auto begin = static_cast<std::ptrdiff_t>(line.size());
  line.append(message);
  // One line each, also when a message quotes what came from outside.
  std::replace_if(
      line.begin() + begin, line.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  line.append("\n");
  // A log that cannot be written has nowhere else to go: the result is dropped on purpose.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace nemo::log
