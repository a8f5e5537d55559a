#include "tests/bench/target.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace nemo::bench {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

}  // namespace

std::vector<Target> read_targets(const std::string& file, TargetKind kind) {
  std::ifstream stream(file);
  if (!stream) throw std::runtime_error("cannot read " + file);
  std::vector<Target> targets;
  for (std::string line; std::getline(stream, line);) {
    const auto fields = split(line, '\t');
    if (fields.size() < 5) continue;
    if ((fields[1] == "stream") != (kind == TargetKind::stream)) continue;
    Target target;
    target.name = fields[0];
    target.port = static_cast<std::uint16_t>(std::stoi(fields[2]));
    target.path = fields[3];
    target.pid = std::stoi(fields[4]);
    if (fields.size() > 5) {
      for (const auto& header : split(fields[5], '|')) target.headers += header + "\r\n";
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

std::int64_t resident_kib(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  std::int64_t total = 0;
  std::ifstream status(folder + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) total += std::stoll(line.substr(6));
  }
  std::ifstream children(folder + "/task/" + std::to_string(pid) + "/children");
  for (pid_t child = 0; children >> child;) total += resident_kib(child);
  return total;
}

}  // namespace nemo::bench
