// Keeps a target that failed from spoiling the measurement of the others.
#pragma once

#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/results.h"
#include "tests/bench/target.h"

namespace nemo::bench {

class Turns {
 public:
  explicit Turns(const std::vector<Target>& targets) : m_targets(targets), m_failed(targets.size(), false) {}

  // Runs `turn` unless this target failed before.
  template <typename Turn>
  void take(std::size_t index, Turn turn) {
    if (m_failed[index]) return;
    try {
      turn();
    } catch (const std::runtime_error& error) {
      std::fprintf(stderr, "%s: %s\n", m_targets[index].name.c_str(), error.what());
      m_failed[index] = true;
    }
  }

  void tell(const ResultFile& results, const std::string& metric, std::size_t index, const Samples& samples,
            const std::string& compare) const {
    if (m_failed[index]) {
      results.add({metric, m_targets[index].name, 0, std::nullopt, compare, "failed"});
    } else {
      results.add(metric, m_targets[index].name, samples, compare);
    }
  }

 private:
  const std::vector<Target>& m_targets;
  std::vector<bool> m_failed;
};

}  // namespace nemo::bench
