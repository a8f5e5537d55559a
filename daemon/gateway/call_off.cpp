#include "daemon/gateway/call_off.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace nemo::gateway {

EventBell::EventBell() : m_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!m_event.valid()) throw std::system_error(errno, std::generic_category(), "no event descriptor to wait with");
}

void EventBell::ring() noexcept {
  const std::uint64_t one = 1;
  // The only failure is a counter that is already full, and then the waiter is awake anyway.
  [[maybe_unused]] const auto written = ::write(m_event.get(), &one, sizeof one);
}

EventBell::Rung EventBell::wait(int client_fd, std::optional<SteadyTime> until) {
  for (;;) {
    int patience = -1;
    if (until) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return Rung::timeout;
      patience = static_cast<int>(std::min<std::int64_t>(left.count(), 60'000));
    }
    std::array<pollfd, 2> fds{{{m_event.get(), POLLIN, 0}, {client_fd, POLLRDHUP, 0}}};  // poll passes over -1
    if (::poll(fds.data(), fds.size(), patience) <= 0) continue;
    if ((fds[1].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) return Rung::client_gone;
    if ((fds[0].revents & POLLIN) == 0) continue;
    std::uint64_t rings = 0;
    [[maybe_unused]] const auto drained = ::read(m_event.get(), &rings, sizeof rings);
    return Rung::bell;
  }
}

void CallOff::now() {
  const auto cancellers = m_state.with([](State& state) {
    state.is_off = true;
    return std::exchange(state.cancellers, {});
  });
  for (const auto& canceller : cancellers) canceller->cancel(superseded());
  bell.ring();
}

bool CallOff::is_off() const {
  return m_state.with([](const State& state) { return state.is_off; });
}

void CallOff::watch(std::shared_ptr<upstream::Canceller> canceller) {
  const bool is_off = m_state.with([&](State& state) {
    if (!state.is_off) state.cancellers.push_back(canceller);
    return state.is_off;
  });
  if (is_off) canceller->cancel(superseded());
}

Error superseded() {
  return fail(ErrorKind::superseded, "A newer completion for the same place in the file took its place.");
}

}  // namespace nemo::gateway
