#include "daemon/upstream/curl_transport.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "daemon/upstream/curl_loop.h"
#include "daemon/upstream/request_options.h"
#include "shared/file_descriptor.h"

namespace nemo::upstream {
namespace {

// A worker waits for one thing at a time, so it needs one bell for life rather than one a call.
int bell_of_this_thread() {
  thread_local const FileDescriptor t_bell(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!t_bell.valid()) throw std::system_error(errno, std::generic_category(), "no event descriptor to wait with");
  return t_bell.get();
}

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
    for (;;) {
      {
        const std::lock_guard lock(m_transfer->mutex);
        m_transfer->waiter = -1;
        if (there(*m_transfer)) return Wake::ready;
        if (m_transfer->ended) return Wake::ended;
        m_transfer->waiter = bell;
      }
      const SteadyTime next = until ? std::min(*until, deadline) : deadline;
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
      const Rung rung = poll_both(bell, client_fd, std::max(left, std::chrono::milliseconds(0)));
      if (rung == Rung::client) return Wake::client_gone;
      if (rung == Rung::timeout) return until && *until < deadline ? Wake::not_yet : give_up();
    }
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
  m_loop = std::make_shared<CurlLoop>();
}

CurlTransport::~CurlTransport() = default;

std::unique_ptr<Exchange> CurlTransport::start(Request request) {
  auto transfer = std::make_shared<Transfer>();
  transfer->request = std::move(request);
  auto exchange = std::make_unique<CurlExchange>(m_loop, transfer);
  m_loop->start(std::move(transfer));
  return exchange;
}

}  // namespace nemo::upstream
