// Measured values of one thing, and what is said of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

namespace nemo::bench {

class Samples {
 public:
  void add(double value) { m_values.push_back(value); }
  bool empty() const { return m_values.empty(); }
  std::size_t size() const { return m_values.size(); }

  // Nearest rank: the smallest value that at least `share` of all values do not exceed. 0 without any value.
  double quantile(double share) const {
    if (m_values.empty()) return 0;
    std::vector<double> sorted = m_values;
    std::sort(sorted.begin(), sorted.end());
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
  }

 private:
  std::vector<double> m_values;
};

}  // namespace nemo::bench
