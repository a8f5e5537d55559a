// The loop around curl's multi handle: all transfers and their sockets. Internal to upstream/.
//
// One thread at a time turns it. A worker that waits for its transfer while nobody turns the loop does so itself: a
// lone call then passes through no other thread, which on an idle machine saves two wake-ups of some 50 us each. As
// soon as calls overlap, the loop's own thread takes over, until none is left.
#pragma once

#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "daemon/lib/curl/curl_handle.h"
#include "daemon/upstream/transfer.h"
#include "shared/file_descriptor.h"

namespace nemo::upstream {

class CurlLoop {
 public:
  // none: whoever uses it turns it, one at a time. Such a loop has few sockets, which are polled directly.
  enum class Thread : std::uint8_t { own, none };
  explicit CurlLoop(Thread thread);
  ~CurlLoop();  // stops the thread

  // Any thread: what a worker asks of the loop. Done at once when nobody turns the loop, else within one turn.
  void start(std::shared_ptr<Transfer> transfer) { post(Command::Kind::start, std::move(transfer)); }
  void resume(std::shared_ptr<Transfer> transfer) { post(Command::Kind::resume, std::move(transfer)); }
  void cancel(std::shared_ptr<Transfer> transfer) { post(Command::Kind::cancel, std::move(transfer)); }

  // True: this thread turns the loop from now on, and must leave() before it does anything else (see Driving).
  bool try_drive();
  enum class Turned : std::uint8_t { events, client, timeout };
  // One turn: waits at most `patience` for events or for `client_fd` (-1: none) to be closed, and acts on the events.
  Turned turn(int client_fd, std::chrono::milliseconds patience);
  // Gives the loop back: to its thread if transfers other than `own` are left.
  void leave(const Transfer* own);

 private:
  struct Command {
    enum class Kind : std::uint8_t { start, resume, cancel };
    Kind kind;
    std::shared_ptr<Transfer> transfer;
  };

  // A handle that has done a transfer and keeps its settings and buffers.
  struct Spare {
    lib::curl::Url url;
    lib::curl::Easy easy;
    std::string profile;
  };
  struct Watched {
    std::uint32_t events = 0;
    bool wanted = false;         // by curl, now
    bool is_connection = false;  // opened and closed before our eyes; else the name resolver's own
  };

  enum class Driver : std::uint8_t { nobody, worker, thread };

  void post(Command::Kind kind, std::shared_ptr<Transfer> transfer);
  void run();
  bool has_more_to_do();
  int wait_ms(std::chrono::milliseconds patience) const;
  int wait_for_events(int client_fd, int timeout_ms, bool& client_left);
  int poll_for_events(int client_fd, int timeout_ms, bool& client_left);
  void act_on_all(int event_count);
  void obey_commands();
  void begin(const std::shared_ptr<Transfer>& transfer);
  void take_handle(Transfer& transfer);
  void configure(Transfer& transfer);
  void collect_finished();
  void finish(Transfer& transfer, CURLcode code);
  void drop(Transfer& transfer);
  void cut_short(Transfer& transfer);
  void wake_waiters();
  static constexpr int k_events_per_turn = 64;

  void act(curl_socket_t socket, int events);
  void watch(curl_socket_t socket, std::uint32_t events);
  void watch_polled(curl_socket_t socket, std::uint32_t events);
  void heed(curl_socket_t socket, std::uint32_t events);

  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* loop, void* known);
  static curl_socket_t on_open_socket(void* loop, curlsocktype purpose, curl_sockaddr* address);
  static int on_close_socket(void* loop, curl_socket_t socket);
  static int on_timer(CURLM* multi, long timeout_ms, void* loop);
  static std::size_t on_header(char* line, std::size_t size, std::size_t count, void* transfer);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* transfer);
  void touch(Transfer& transfer);

  lib::curl::Multi m_multi;
  FileDescriptor m_epoll;  // not of a loop without a thread
  FileDescriptor m_wake;
  std::vector<Spare> m_spare;
  std::unordered_set<std::shared_ptr<Transfer>> m_running;
  std::vector<Transfer*> m_touched;
  std::set<std::string> m_multiplexing;  // places that have answered over HTTP/2: as many as there are upstreams
  // By descriptor: the events epoll watches it for. A socket that curl lets rest stays watched, since it is nearly
  // always wanted again for the same events at the next call; 0: not watched.
  std::vector<Watched> m_watched;
  std::vector<pollfd> m_polled;  // in its place in a loop without a thread: what curl wants now, after m_wake
  std::optional<SteadyTime> m_timer;

  std::array<epoll_event, k_events_per_turn> m_events{};

  // Everything above belongs to the one that turns the loop; this mutex hands it over.
  std::mutex m_mutex;
  std::vector<Command> m_inbox;
  Driver m_driver = Driver::nobody;
  bool m_asleep = false;  // the driver waits: a post must ring
  bool m_stop = false;
  std::condition_variable m_thread_wanted;
  std::thread m_thread;
};

// The driver's seat: given back when it goes, whatever ends the drive.
class Driving {
 public:
  Driving(CurlLoop& loop, const Transfer* own) : m_loop(loop), m_own(own) {}
  ~Driving() { m_loop.leave(m_own); }
  Driving(const Driving&) = delete;
  Driving& operator=(const Driving&) = delete;

 private:
  CurlLoop& m_loop;
  const Transfer* m_own;
};

}  // namespace nemo::upstream
