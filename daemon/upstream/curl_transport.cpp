#include "daemon/upstream/curl_transport.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <vector>

#include "daemon/upstream/curl_loop.h"
#include "daemon/upstream/request_options.h"
#include "shared/file_descriptor.h"

namespace nemo::upstream {
namespace {

// A worker waits for one thing at a time, so it needs one bell for life rather than one a call.
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

}  // namespace

// Loops that serve one exchange at a time, the last used first, so that its warm connection is used again.
class LoopPool : public std::enable_shared_from_this<LoopPool> {
 public:
  // The loop comes back by itself when its exchange is gone. `other` when so many are out already.
  std::shared_ptr<CurlLoop> borrow(const std::shared_ptr<CurlLoop>& other) {
    std::unique_ptr<CurlLoop> loop;
    {
      const std::lock_guard lock(m_mutex);
      if (m_out == k_most_private_loops) return other;
      ++m_out;
      if (!m_idle.empty()) {
        loop = std::move(m_idle.back());
        m_idle.pop_back();
      }
    }
    if (!loop) loop = std::make_unique<CurlLoop>(CurlLoop::Thread::none);
    return {loop.release(), [pool = shared_from_this()](CurlLoop* one) { pool->give_back(one); }};
  }

 private:
  // Beyond this many calls at once the hand-overs no longer matter and the descriptors (two each) begin to.
  static constexpr std::size_t k_most_private_loops = 64;

  void give_back(CurlLoop* one) {
    std::unique_ptr<CurlLoop> loop(one);
    const std::lock_guard lock(m_mutex);
    --m_out;
    m_idle.push_back(std::move(loop));
  }

  std::mutex m_mutex;
  std::vector<std::unique_ptr<CurlLoop>> m_idle;
  std::size_t m_out = 0;
};

namespace {

class CurlExchange final : public Exchange {
 public:
  CurlExchange(std::shared_ptr<CurlLoop> loop, std::shared_ptr<Transfer> transfer)
      : m_loop(std::move(loop)),
        m_transfer(std::move(transfer)),
        m_first_byte_by(std::chrono::steady_clock::now() + m_transfer->request.first_byte_timeout) {}

  ~CurlExchange() override {
    {
      const std::lock_guard lock(m_transfer->mutex);
      m_transfer->waiter = -1;
      if (m_transfer->ended) return;
    }
    m_loop->cancel(m_transfer);
  }

  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  Wake wait_head(int client_fd) override {
    return wait(client_fd, {}, [](const Transfer& transfer) { return transfer.head_ready; });
  }
  Wake wait_body(int client_fd, std::optional<SteadyTime> until) override {
    return wait(client_fd, until, [](const Transfer& transfer) { return !transfer.pipe.empty(); });
  }

  const Head& head() const override { return m_transfer->head; }

  bool take(std::string& into) override {
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
    m_got_bytes = true;
    if (must_resume) m_loop->resume(m_transfer);
    return true;
  }

  std::optional<Error> failure() const override {
    if (m_timed_out) return m_timed_out;
    const std::lock_guard lock(m_transfer->mutex);
    return m_transfer->failure;
  }

  SteadyTime sent_at() const override {
    const std::lock_guard lock(m_transfer->mutex);
    return m_transfer->sent_at;
  }
  SteadyTime last_bytes_at() const override {
    const std::lock_guard lock(m_transfer->mutex);
    return m_transfer->last_bytes_at;
  }

 private:
  template <typename There>
  Wake wait(int client_fd, std::optional<SteadyTime> until, There there) {
    const int bell = bell_of_this_thread();
    const SteadyTime deadline =
        m_got_bytes ? std::chrono::steady_clock::now() + m_transfer->request.idle_timeout : m_first_byte_by;
    const SteadyTime next = until ? std::min(*until, deadline) : deadline;
    for (;;) {
      if (const auto wake = look(there, bell)) return *wake;
      Rung rung = Rung::bell;
      if (m_loop->try_drive()) {
        rung = drive(client_fd, next, there);
      } else {
        rung = poll_both(bell, client_fd, left_until(next));
      }
      if (rung == Rung::client) return Wake::client_gone;
      if (rung != Rung::timeout || left_until(next).count() > 0) continue;
      return until && *until < deadline ? Wake::not_yet : give_up();
    }
  }

  // Whether the waiting is over; if not, `bell` is what wakes this thread.
  template <typename There>
  std::optional<Wake> look(There there, int bell) {
    const std::lock_guard lock(m_transfer->mutex);
    m_transfer->waiter = -1;
    if (there(*m_transfer)) return Wake::ready;
    if (m_transfer->ended) return Wake::ended;
    m_transfer->waiter = bell;
    return std::nullopt;
  }

  // Turns the loop in this thread until its own transfer has something to say.
  template <typename There>
  Rung drive(int client_fd, SteadyTime until, There there) {
    const Driving driving(*m_loop, m_transfer.get());
    Rung rung = Rung::bell;
    while (rung == Rung::bell && !look(there, k_no_bell)) {
      switch (m_loop->turn(client_fd, left_until(until))) {
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

  static std::chrono::milliseconds left_until(SteadyTime until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    // An hour at most, since poll takes an int; whoever waits longer looks again.
    return std::clamp(left, std::chrono::milliseconds(0), std::chrono::milliseconds(std::chrono::hours(1)));
  }

  Wake give_up() {
    const std::string host = host_of(m_transfer->request.url);
    const auto limit = m_got_bytes ? m_transfer->request.idle_timeout : m_transfer->request.first_byte_timeout;
    m_timed_out = fail(ErrorKind::upstream_timeout,
                       "Upstream " + host + (m_got_bytes ? " sent nothing more for " : " sent no answer within ") +
                           std::to_string(limit.count()) + " ms.");
    return Wake::ended;
  }

  std::shared_ptr<CurlLoop> m_loop;
  std::shared_ptr<Transfer> m_transfer;
  SteadyTime m_first_byte_by;
  bool m_got_bytes = false;
  std::optional<Error> m_timed_out;
};

}  // namespace

CurlTransport::CurlTransport() {
  static const lib::curl::Library k_library;
  m_shared = std::make_shared<CurlLoop>(CurlLoop::Thread::own);
  m_private = std::make_shared<LoopPool>();
}

CurlTransport::~CurlTransport() = default;

std::unique_ptr<Exchange> CurlTransport::start(Request request) {
  const bool may_share = request.url.starts_with("https:") || request.version == HttpVersion::http2;
  std::shared_ptr<CurlLoop> loop = may_share ? m_shared : m_private->borrow(m_shared);
  auto transfer = std::make_shared<Transfer>();
  transfer->request = std::move(request);
  auto exchange = std::make_unique<CurlExchange>(loop, transfer);
  loop->start(std::move(transfer));
  return exchange;
}

}  // namespace nemo::upstream
