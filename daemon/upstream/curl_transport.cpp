#include "daemon/upstream/curl_transport.h"

#include <mutex>
#include <utility>
#include <vector>

#include "daemon/upstream/curl_exchange.h"
#include "daemon/upstream/curl_loop.h"

namespace nemo::upstream {

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

CurlTransport::Loops CurlTransport::make_loops() {
  static const lib::curl::Library k_library;
  return {std::make_shared<CurlLoop>(CurlLoop::Thread::own), std::make_shared<LoopPool>()};
}

CurlTransport::CurlTransport() : m_loops(make_loops()) {}

CurlTransport::~CurlTransport() = default;

std::unique_ptr<Exchange> CurlTransport::start(Request request) {
  const bool may_share = request.raced || request.url.starts_with("https:") || request.version == HttpVersion::http2;
  const Loops loops = m_loops.with([](const Loops& now) { return now; });
  std::shared_ptr<CurlLoop> loop = may_share ? loops.shared : loops.own->borrow(loops.shared);
  auto transfer = std::make_shared<Transfer>();
  transfer->request = std::move(request);
  auto exchange = std::make_unique<CurlExchange>(loop, transfer);
  loop->start(std::move(transfer));
  return exchange;
}

// The old loops, and their connections with them, go with the last exchange that holds them.
void CurlTransport::forget_connections() {
  Loops next = make_loops();
  m_loops.with([&](Loops& now) { std::swap(now, next); });
}

bool CurlTransport::pause(int client_fd, Millis time) {
  std::array<pollfd, 1> fds{{{client_fd, POLLRDHUP, 0}}};
  return ::poll(fds.data(), client_fd < 0 ? 0 : 1, static_cast<int>(time.count())) == 0;
}

Transport::Race CurlTransport::wait_first(Exchange& first, Exchange& second, int client_fd,
                                          std::optional<SteadyTime> until) {
  return CurlExchange::wait_first(dynamic_cast<CurlExchange&>(first), dynamic_cast<CurlExchange&>(second), client_fd,
                                  until);
}

}  // namespace nemo::upstream
