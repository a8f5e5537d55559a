// The one place where tests wait for other threads and processes.
#pragma once

#include <chrono>
#include <thread>

namespace nemo::test {

// Far longer than anything takes that comes at all, under a sanitizer on a busy machine too: only what fails waits so
// long.
inline constexpr std::chrono::seconds k_patience{60};

// Asks until it is true, for at most `patience`; what it returns last.
template <typename Holds>
bool eventually(Holds holds, std::chrono::milliseconds patience = k_patience) {
  constexpr std::chrono::milliseconds k_pause{2};
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return holds();
    std::this_thread::sleep_for(k_pause);
  }
  return true;
}

}  // namespace nemo::test
