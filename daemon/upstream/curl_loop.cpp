#include "daemon/upstream/curl_loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "daemon/upstream/failure.h"
#include "daemon/upstream/request_options.h"
#include "shared/thread_name.h"

namespace nemo::upstream {
namespace {

// Connections kept warm after use, over all upstreams: a few hosts, plus room for bursts of HTTP/1.1.
constexpr long k_warm_connections = 256;
// Idle easy handles that are kept: one per call in flight is reused, a burst beyond this is given back.
constexpr std::size_t k_spare_handles = 64;

std::system_error system_failure(const char* what) {
  return {errno, std::generic_category(), what};
}

bool has_left(const pollfd& client) {
  return (client.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void ring(int eventfd) {
  const std::uint64_t one = 1;
  // The only failure is a counter that is already full, and then the waiter is awake anyway.
  [[maybe_unused]] const auto written = ::write(eventfd, &one, sizeof one);
}

}  // namespace

CurlLoop::CurlLoop(Thread thread) : m_multi(curl_multi_init()), m_wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!m_multi) throw std::runtime_error("libcurl cannot make a multi handle");
  if (!m_wake.valid()) throw system_failure("no event descriptor for upstream");
  if (thread == Thread::own) {
    m_epoll = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = m_wake.get();
    if (!m_epoll.valid() || epoll_ctl(m_epoll.get(), EPOLL_CTL_ADD, m_wake.get(), &event) != 0) {
      throw system_failure("no event descriptors for the upstream thread");
    }
  } else {
    m_polled.push_back({m_wake.get(), POLLIN, 0});
  }
  lib::curl::set(m_multi.get(), CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
  lib::curl::set(m_multi.get(), CURLMOPT_SOCKETDATA, this);
  lib::curl::set(m_multi.get(), CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
  lib::curl::set(m_multi.get(), CURLMOPT_TIMERDATA, this);
  lib::curl::set(m_multi.get(), CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  lib::curl::set(m_multi.get(), CURLMOPT_MAXCONNECTS, k_warm_connections);
  if (thread == Thread::own) m_thread = std::thread([this] { run(); });
}

CurlLoop::~CurlLoop() {
  {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
  }
  m_thread_wanted.notify_all();
  ring(m_wake.get());
  if (m_thread.joinable()) m_thread.join();
  for (const auto& transfer : std::unordered_set(m_running)) drop(*transfer);
  m_spare.clear();
  m_multi.reset();  // closes its connections, which still calls back
}

void CurlLoop::post(Command::Kind kind, std::shared_ptr<Transfer> transfer) {
  bool must_ring = false;
  bool drives = false;
  const Transfer* own = transfer.get();
  {
    const std::lock_guard lock(m_mutex);
    m_inbox.push_back({kind, std::move(transfer)});
    drives = m_driver == Driver::nobody;
    if (drives) {
      m_driver = Driver::worker;
    } else {
      must_ring = std::exchange(m_asleep, false);
    }
  }
  if (must_ring) ring(m_wake.get());
  if (!drives) return;
  const Driving driving(*this, own);
  act_on_all(0);
}

bool CurlLoop::try_drive() {
  const std::lock_guard lock(m_mutex);
  if (m_driver != Driver::nobody) return false;
  m_driver = Driver::worker;
  return true;
}

void CurlLoop::leave(const Transfer* own) {
  for (;;) {
    {
      const std::lock_guard lock(m_mutex);
      if (m_inbox.empty()) {
        const auto is_other = [&](const std::shared_ptr<Transfer>& one) { return one.get() != own; };
        const bool others = std::any_of(m_running.begin(), m_running.end(), is_other);
        m_driver = others ? Driver::thread : Driver::nobody;
        if (!others) return;
        break;
      }
    }
    act_on_all(0);
  }
  m_thread_wanted.notify_one();
}

void CurlLoop::run() {
  name_this_thread("nemo-upstream");
  constexpr std::chrono::milliseconds k_no_limit{60'000};
  std::unique_lock lock(m_mutex);
  for (;;) {
    m_thread_wanted.wait(lock, [this] { return m_stop || m_driver == Driver::thread; });
    if (m_stop) return;
    lock.unlock();
    do {
      turn(-1, k_no_limit);
    } while (has_more_to_do());
    lock.lock();
  }
}

// Asked by the loop's own thread after a turn; when there is nothing left, nobody drives.
bool CurlLoop::has_more_to_do() {
  const std::lock_guard lock(m_mutex);
  if (m_stop) return false;
  if (!m_running.empty() || !m_inbox.empty()) return true;
  m_driver = Driver::nobody;
  return false;
}

CurlLoop::Turned CurlLoop::turn(int client_fd, std::chrono::milliseconds patience) {
  int timeout = wait_ms(patience);
  {
    const std::lock_guard lock(m_mutex);
    if (!m_inbox.empty()) timeout = 0;
    m_asleep = timeout != 0;
  }
  const SteadyTime began = std::chrono::steady_clock::now();
  bool client_left = false;
  const int count = wait_for_events(client_fd, timeout, client_left);
  {
    const std::lock_guard lock(m_mutex);
    m_asleep = false;
  }
  act_on_all(count);
  if (client_left) return Turned::client;
  return count == 0 && std::chrono::steady_clock::now() - began >= patience ? Turned::timeout : Turned::events;
}

int CurlLoop::wait_for_events(int client_fd, int timeout_ms, bool& client_left) {
  if (!m_epoll.valid()) return poll_for_events(client_fd, timeout_ms, client_left);
  if (client_fd >= 0) {
    std::array<pollfd, 2> fds{{{m_epoll.get(), POLLIN, 0}, {client_fd, POLLRDHUP, 0}}};
    if (::poll(fds.data(), fds.size(), timeout_ms) <= 0) return 0;
    client_left = has_left(fds[1]);
    if ((fds[0].revents & POLLIN) == 0) return 0;
    timeout_ms = 0;
  }
  return std::max(epoll_wait(m_epoll.get(), m_events.data(), k_events_per_turn, timeout_ms), 0);
}

int CurlLoop::poll_for_events(int client_fd, int timeout_ms, bool& client_left) {
  m_polled.push_back({client_fd, POLLRDHUP, 0});  // poll passes over -1
  const int ready = ::poll(m_polled.data(), m_polled.size(), timeout_ms);
  client_left = ready > 0 && has_left(m_polled.back());
  m_polled.pop_back();
  int count = 0;
  for (std::size_t i = 0; ready > 0 && i < m_polled.size() && count < k_events_per_turn; ++i) {
    if (m_polled[i].revents == 0) continue;
    epoll_event& event = m_events[static_cast<std::size_t>(count++)];
    event.events = static_cast<std::uint32_t>(m_polled[i].revents);  // both count by the same bits
    event.data.fd = m_polled[i].fd;
  }
  return count;
}

void CurlLoop::act_on_all(int event_count) {
  for (int i = 0; i < event_count; ++i) {
    const epoll_event& event = m_events[static_cast<std::size_t>(i)];
    if (event.data.fd == m_wake.get()) {
      std::uint64_t rings = 0;
      [[maybe_unused]] const auto drained = ::read(m_wake.get(), &rings, sizeof rings);
      continue;
    }
    heed(event.data.fd, event.events);
  }
  obey_commands();
  if (m_timer && *m_timer <= std::chrono::steady_clock::now()) {
    m_timer.reset();
    act(CURL_SOCKET_TIMEOUT, 0);
  }
  collect_finished();
  wake_waiters();
}

int CurlLoop::wait_ms(std::chrono::milliseconds patience) const {
  std::chrono::milliseconds wait = patience;
  if (m_timer) {
    wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(*m_timer - std::chrono::steady_clock::now()));
  }
  return static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 60'000));
}

void CurlLoop::act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(m_multi.get(), socket, events, &running);
}

void CurlLoop::obey_commands() {
  std::vector<Command> commands;
  {
    const std::lock_guard lock(m_mutex);
    commands.swap(m_inbox);
  }
  for (Command& command : commands) {
    switch (command.kind) {
      case Command::Kind::start:
        begin(command.transfer);
        break;
      case Command::Kind::resume:
        if (command.transfer->running) curl_easy_pause(command.transfer->easy.get(), CURLPAUSE_CONT);
        break;
      case Command::Kind::cancel:
        cut_short(*command.transfer);
        break;
    }
  }
}

void CurlLoop::begin(const std::shared_ptr<Transfer>& transfer) {
  try {
    take_handle(*transfer);
    configure(*transfer);
  } catch (const std::exception& refused) {
    {
      const std::lock_guard lock(transfer->mutex);
      transfer->failure = fail(ErrorKind::upstream_error, std::string("The call cannot be made: ") + refused.what());
      transfer->ended = true;
    }
    touch(*transfer);
    wake_waiters();  // now: its worker may let go of it, and it is not among the running ones that are kept
    return;
  }
  {
    const std::lock_guard lock(transfer->mutex);
    transfer->sent_at = std::chrono::steady_clock::now();
  }
  m_running.insert(transfer);
  transfer->running = true;
  const CURLMcode code = curl_multi_add_handle(m_multi.get(), transfer->easy.get());
  if (code != CURLM_OK) {
    std::snprintf(transfer->error_text.data(), transfer->error_text.size(), "%s", curl_multi_strerror(code));
    finish(*transfer, CURLE_FAILED_INIT);
    return;
  }
}

// The newest spare handle that was used at the same place, else any, else a new one.
void CurlLoop::take_handle(Transfer& transfer) {
  transfer.profile = profile_of(transfer.request);
  const auto same =
      std::find_if(m_spare.rbegin(), m_spare.rend(), [&](const Spare& one) { return one.profile == transfer.profile; });
  if (same != m_spare.rend()) {
    transfer.url = std::move(same->url);
    transfer.easy = std::move(same->easy);
    m_spare.erase(std::next(same).base());
    return;
  }
  if (m_spare.size() == k_spare_handles) {
    transfer.easy = std::move(m_spare.front().easy);
    m_spare.erase(m_spare.begin());
    curl_easy_reset(transfer.easy.get());
  } else {
    transfer.easy.reset(curl_easy_init());
    if (!transfer.easy) throw std::bad_alloc();
  }
  CURL* easy = transfer.easy.get();
  // Parsed once, not for every call.
  transfer.url = lib::curl::parse_url(transfer.request.url);
  lib::curl::set(easy, CURLOPT_CURLU, transfer.url.get());
  apply_profile(easy, transfer.request);
  lib::curl::set(easy, CURLOPT_HEADERFUNCTION, &CurlLoop::on_header);
  lib::curl::set(easy, CURLOPT_WRITEFUNCTION, &CurlLoop::on_body);
  lib::curl::set(easy, CURLOPT_OPENSOCKETFUNCTION, &CurlLoop::on_open_socket);
  lib::curl::set(easy, CURLOPT_OPENSOCKETDATA, this);
  lib::curl::set(easy, CURLOPT_CLOSESOCKETFUNCTION, &CurlLoop::on_close_socket);
  lib::curl::set(easy, CURLOPT_CLOSESOCKETDATA, this);
}

void CurlLoop::configure(Transfer& transfer) {
  CURL* easy = transfer.easy.get();
  transfer.headers = std::make_unique<lib::curl::HeaderList>();
  apply_request(easy, transfer.request, *transfer.headers);
  lib::curl::set(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
  lib::curl::set(easy, CURLOPT_PRIVATE, &transfer);
  lib::curl::set(easy, CURLOPT_HEADERDATA, &transfer);
  lib::curl::set(easy, CURLOPT_WRITEDATA, &transfer);
  transfer.loop = this;
}

void CurlLoop::collect_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(m_multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    finish(*transfer, code);
  }
}

void CurlLoop::finish(Transfer& transfer, CURLcode code) {
  {
    const std::lock_guard lock(transfer.mutex);
    transfer.ended = true;
    if (code != CURLE_OK) transfer.failure = describe_failure(transfer, code);
  }
  touch(transfer);
  wake_waiters();
  code == CURLE_WRITE_ERROR ? cut_short(transfer) : drop(transfer);  // given up here, or ended there
}

// Ends a transfer that upstream may still work on, so that upstream hears of it now: libcurl 7.88 leaves the frame that
// resets a stream in a buffer until its connection sends something else, and a connection that nobody else uses never
// would.
void CurlLoop::cut_short(Transfer& transfer) {
  if (!transfer.running) return;
  const bool is_reset = !is_no_op(transfer.request) && m_multiplexing.contains(host_of(transfer.request.url));
  if (!is_reset) return drop(transfer);
  auto behind_it = std::make_shared<Transfer>();
  behind_it->request = no_op_at(transfer.request);
  drop(transfer);
  begin(behind_it);
}

// Takes the transfer off the multi handle, at whatever stage it is. On HTTP/1.1 that closes its connection if the
// answer is not complete; on HTTP/2 it resets its stream and leaves the connection.
void CurlLoop::drop(Transfer& transfer) {
  if (!transfer.running) return;
  transfer.running = false;
  curl_multi_remove_handle(m_multi.get(), transfer.easy.get());
  std::erase(m_touched, &transfer);  // after curl's last call back
  if (m_spare.size() < k_spare_handles)
    m_spare.push_back({std::move(transfer.url), std::move(transfer.easy), std::move(transfer.profile)});
  transfer.easy.reset();
  const auto held = std::find_if(m_running.begin(), m_running.end(),
                                 [&](const std::shared_ptr<Transfer>& one) { return one.get() == &transfer; });
  m_running.erase(held);  // may be the last owner: `transfer` is not used after this
}

void CurlLoop::touch(Transfer& transfer) {
  if (transfer.touched) return;
  transfer.touched = true;
  m_touched.push_back(&transfer);
}

// Once a turn, so that all that came in one read costs one wake-up.
void CurlLoop::wake_waiters() {
  for (Transfer* transfer : m_touched) {
    transfer->touched = false;
    int waiter = -1;
    {
      const std::lock_guard lock(transfer->mutex);
      waiter = std::exchange(transfer->waiter, -1);
      // Rung under the lock: a worker that leaves clears its own name first, so its descriptor is still its own here.
      if (waiter >= 0) ring(waiter);
    }
  }
  m_touched.clear();
}

}  // namespace nemo::upstream
