#include "daemon/upstream/curl_exchange.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "shared/file_descriptor.h"

namespace nemo::upstream {
namespace {

// A worker waits in one place at a time, so it needs one bell for life rather than one a call.
int bell_of_this_thread() {
  thread_local FileDescriptor t_bell;
  if (!t_bell.valid()) t_bell = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!t_bell.valid()) throw std::system_error(errno, std::generic_category(), "no event descriptor to wait with");
  return t_bell.get();
}

constexpr int k_no_bell = -1;

enum class Rung : std::uint8_t { bell, client, timeout };

Rung poll_both(int bell, int client_fd, std::chrono::milliseconds timeout) {
  std::array<pollfd, 2> fds{{{bell, POLLIN, 0}, {client_fd, POLLRDHUP, 0}}};
  const int count = ::poll(fds.data(), client_fd < 0 ? 1 : 2, static_cast<int>(timeout.count()));
  if (count == 0) return Rung::timeout;
  if ((fds[0].revents & POLLIN) != 0) {
    std::uint64_t rings = 0;
    [[maybe_unused]] const auto drained = ::read(bell, &rings, sizeof rings);
  }
  if (client_fd >= 0 && (fds[1].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) return Rung::client;
  return Rung::bell;
}

// Turns the loop in this thread until look() has seen something. `own`: the transfer that only this thread waits for.
template <typename Look>
Rung drive(CurlLoop& loop, const Transfer* own, int client_fd, SteadyTime until, Look look) {
  const Driving driving(loop, own);
  Rung rung = Rung::bell;
  while (rung == Rung::bell && !look(k_no_bell)) {
    switch (loop.turn(client_fd, left_until(until))) {
      case CurlLoop::Turned::events:
        break;
      case CurlLoop::Turned::client:
        rung = Rung::client;
        break;
      case CurlLoop::Turned::timeout:
        rung = Rung::timeout;
        break;
    }
  }
  return rung;
}

// The answer of look(bell), which says nothing while there is more to wait for, and then has left `bell` where it is
// rung; or what came before it.
template <typename Look>
Rung wait_on(CurlLoop& loop, const Transfer* own, int client_fd, SteadyTime until, Look look) {
  const int bell = bell_of_this_thread();
  while (!look(bell)) {
    const Rung rung =
        loop.try_drive() ? drive(loop, own, client_fd, until, look) : poll_both(bell, client_fd, left_until(until));
    if (rung == Rung::client) return rung;
    if (rung == Rung::timeout && left_until(until).count() == 0) return rung;
  }
  return Rung::bell;
}

class CurlCanceller final : public Canceller {
 public:
  CurlCanceller(std::weak_ptr<CurlLoop> loop, std::shared_ptr<Transfer> transfer)
      : m_loop(std::move(loop)), m_transfer(std::move(transfer)) {}

  void cancel(const Error& why) override {
    // Held while it lasts: a loop that is given back meanwhile must not begin another exchange's life under this hand.
    const std::shared_ptr<CurlLoop> loop = m_loop.lock();
    if (!loop) return;
    {
      const std::lock_guard lock(m_transfer->mutex);
      if (m_transfer->ended) return;
      m_transfer->ended = true;
      m_transfer->failure = why;
      const int waiter = std::exchange(m_transfer->waiter, k_no_bell);
      const std::uint64_t one = 1;
      if (waiter >= 0) [[maybe_unused]]
        const auto rung = ::write(waiter, &one, sizeof one);
    }
    loop->cancel(m_transfer);  // wakes a worker that turns the loop itself
  }

 private:
  std::weak_ptr<CurlLoop> m_loop;
  std::shared_ptr<Transfer> m_transfer;
};

}  // namespace

std::shared_ptr<Canceller> CurlExchange::canceller() {
  return std::make_shared<CurlCanceller>(m_loop, m_transfer);
}

CurlExchange::CurlExchange(std::shared_ptr<CurlLoop> loop, std::shared_ptr<Transfer> transfer)
    : m_loop(std::move(loop)), m_transfer(std::move(transfer)), m_patience(m_transfer->request) {}

CurlExchange::~CurlExchange() {
  {
    const std::lock_guard lock(m_transfer->mutex);
    m_transfer->waiter = k_no_bell;
    if (m_transfer->ended) return;
  }
  m_loop->cancel(m_transfer);
}

Wake CurlExchange::wait_head(int client_fd) {
  return wait(client_fd, {}, [](const Transfer& transfer) { return transfer.head_ready; });
}

Wake CurlExchange::wait_body(int client_fd, std::optional<SteadyTime> until) {
  if (m_timed_out) return Wake::ended;  // also when something has come since
  return wait(client_fd, until, [](const Transfer& transfer) { return !transfer.pipe.empty(); });
}

template <typename There>
Wake CurlExchange::wait(int client_fd, std::optional<SteadyTime> until, There there) {
  const SteadyTime last = m_patience.end();
  std::optional<Wake> seen;
  const auto look = [&](int bell) {
    const std::lock_guard lock(m_transfer->mutex);
    m_transfer->waiter = k_no_bell;
    if (there(*m_transfer)) {
      seen = Wake::ready;
    } else if (m_transfer->ended) {
      seen = Wake::ended;
    } else {
      m_transfer->waiter = bell;
    }
    return seen.has_value();
  };
  const Rung rung = wait_on(*m_loop, m_transfer.get(), client_fd, until ? std::min(*until, last) : last, look);
  if (rung == Rung::client) return Wake::client_gone;
  if (rung == Rung::bell) return *seen;
  if (until && *until < last) return Wake::not_yet;
  give_up();
  return Wake::ended;
}

Transport::Race CurlExchange::wait_first(CurlExchange& first, CurlExchange& second, int client_fd,
                                         std::optional<SteadyTime> until) {
  using Race = Transport::Race;
  if (first.m_loop != second.m_loop) throw std::logic_error("a race of requests that were not started for one");
  const SteadyTime first_by = first.m_patience.end();
  const SteadyTime second_by = second.m_patience.end();
  const SteadyTime last = std::min(first_by, second_by);
  Race winner = Race::not_yet;
  // Each leaves the bell with its transfer before it has looked at the next: what comes meanwhile rings it.
  const auto look = [&](int bell) {
    if (first.has_turn(bell)) {
      winner = Race::first;
    } else if (second.has_turn(bell)) {
      winner = Race::second;
    }
    return winner != Race::not_yet;
  };
  // When this thread leaves the loop after driving it, the loop's own goes on: one of the two is not waited for then.
  const Rung rung = wait_on(*first.m_loop, nullptr, client_fd, until ? std::min(*until, last) : last, look);
  if (rung == Rung::client) return Race::client_gone;
  if (rung == Rung::bell) return winner;
  if (until && *until < last) return Race::not_yet;
  (first_by <= second_by ? first : second).give_up();
  return first_by <= second_by ? Race::first : Race::second;
}

// Whether there is something to ask it for; if not, `bell` is rung when there is.
bool CurlExchange::has_turn(int bell) {
  const std::lock_guard lock(m_transfer->mutex);
  const bool has = m_transfer->ended || !m_transfer->pipe.empty();
  m_transfer->waiter = has ? k_no_bell : bell;
  return has;
}

bool CurlExchange::take(std::string& into) {
  bool must_resume = false;
  {
    const std::lock_guard lock(m_transfer->mutex);
    if (m_transfer->pipe.empty()) return false;
    if (into.empty()) {
      into.swap(m_transfer->pipe);
    } else {
      into.append(m_transfer->pipe);
    }
    m_transfer->pipe.clear();
    must_resume = std::exchange(m_transfer->paused, false);
  }
  m_patience.bytes_were_taken();
  if (must_resume) m_loop->resume(m_transfer);
  return true;
}

std::optional<Error> CurlExchange::failure() const {
  if (m_timed_out) return m_timed_out;
  const std::lock_guard lock(m_transfer->mutex);
  return m_transfer->failure;
}

SteadyTime CurlExchange::sent_at() const {
  const std::lock_guard lock(m_transfer->mutex);
  return m_transfer->sent_at;
}

SteadyTime CurlExchange::last_bytes_at() const {
  const std::lock_guard lock(m_transfer->mutex);
  return m_transfer->last_bytes_at;
}

void CurlExchange::give_up() {
  m_timed_out = m_patience.run_out();
}

}  // namespace nemo::upstream
