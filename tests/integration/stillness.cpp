#include "stillness.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

namespace nemo::test {
namespace {

// By thread, how often it was switched away from.
using Switches = std::map<std::string, std::string>;

// Nothing: one of them runs, or would if it had a core.
std::optional<Switches> switches_of_sleepers() {
  Switches switches;
  const std::string own = std::to_string(::gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    const std::string thread = task.path().filename();
    if (thread == own) continue;
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("State:") && line.find("S (sleeping)") == std::string::npos) return std::nullopt;
      if (line.find("ctxt_switches:") != std::string::npos) switches[thread] += line + "\n";
    }
  }
  return switches;
}

}  // namespace

// A thread that sleeps at two looks and was not switched away from in between has slept all the time between them.
bool all_others_sleep() {
  const auto first = switches_of_sleepers();
  return first && first == switches_of_sleepers();
}

}  // namespace nemo::test
