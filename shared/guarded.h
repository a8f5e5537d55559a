// A value and the mutex that guards it: the only way to the value is through a lock.
#pragma once

#include <mutex>
#include <utility>

namespace nemo {

template <typename T>
class Guarded {
 public:
  Guarded() = default;
  explicit Guarded(T value) : m_value(std::move(value)) {}

  // Runs `use` on the value while the lock is held and returns what it returns. Keep it short: no I/O inside.
  template <typename Use>
  auto with(Use&& use) {
    const std::lock_guard lock(m_mutex);
    return std::forward<Use>(use)(m_value);
  }
  template <typename Use>
  auto with(Use&& use) const {
    const std::lock_guard lock(m_mutex);
    return std::forward<Use>(use)(m_value);
  }

 private:
  mutable std::mutex m_mutex;
  T m_value{};
};

}  // namespace nemo
