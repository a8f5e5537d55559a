// Ends a text before the first of some stop texts, as a model server does.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace nemo::protocol {

// The first is the one that is complete first; of two that end at the same place, the longer. One thread; `stops`
// outlive it, and none is empty. Held back is what may be the beginning of one.
class StopFilter {
 public:
  explicit StopFilter(std::span<const std::string> stops) : m_stops(stops) {}

  void push(std::string_view text, std::string& out);
  void finish(std::string& out);  // the last piece has come
  bool has_stopped() const { return m_has_stopped; }

 private:
  std::span<const std::string> m_stops;
  std::string m_held;
  bool m_has_stopped = false;
};

}  // namespace nemo::protocol
