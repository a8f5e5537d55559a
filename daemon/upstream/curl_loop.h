// The curl thread: owns the multi handle and its sockets. Internal to upstream/.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <vector>

#include "daemon/lib/curl/curl_handle.h"
#include "daemon/upstream/transfer.h"
#include "shared/file_descriptor.h"

namespace nemo::upstream {

class CurlLoop {
 public:
  CurlLoop();
  ~CurlLoop();  // stops the thread

  // Any thread: what a worker asks of the loop. Each is acted upon within one turn of the loop.
  void start(std::shared_ptr<Transfer> transfer) { post(Command::Kind::start, std::move(transfer)); }
  void resume(std::shared_ptr<Transfer> transfer) { post(Command::Kind::resume, std::move(transfer)); }
  void cancel(std::shared_ptr<Transfer> transfer) { post(Command::Kind::cancel, std::move(transfer)); }

 private:
  struct Command {
    enum class Kind : std::uint8_t { start, resume, cancel };
    Kind kind;
    std::shared_ptr<Transfer> transfer;
  };

  // A handle that has done a transfer and keeps its settings and buffers.
  struct Spare {
    lib::curl::Easy easy;
    std::string profile;
  };
  struct Watched {
    std::uint32_t events = 0;
    bool wanted = false;  // by curl, now
  };

  void post(Command::Kind kind, std::shared_ptr<Transfer> transfer);
  void run();
  int wait_ms() const;
  void obey_commands();
  void begin(const std::shared_ptr<Transfer>& transfer);
  void take_handle(Transfer& transfer);
  void configure(Transfer& transfer);
  void collect_finished();
  void finish(Transfer& transfer, CURLcode code);
  void drop(Transfer& transfer);
  void wake_waiters();
  void act(curl_socket_t socket, int events);
  void watch(curl_socket_t socket, std::uint32_t events);
  void heed(curl_socket_t socket, std::uint32_t events);

  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* loop, void* known);
  static int on_close_socket(void* loop, curl_socket_t socket);
  static int on_timer(CURLM* multi, long timeout_ms, void* loop);
  static std::size_t on_header(char* line, std::size_t size, std::size_t count, void* transfer);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* transfer);
  void touch(Transfer& transfer);

  lib::curl::Multi m_multi;
  FileDescriptor m_epoll;
  FileDescriptor m_wake;
  std::vector<Spare> m_spare;
  std::unordered_set<std::shared_ptr<Transfer>> m_running;
  std::vector<Transfer*> m_touched;
  // By descriptor: the events epoll watches it for. A socket that curl lets rest stays watched, since it is nearly always
  // wanted again for the same events at the next call; 0: not watched.
  std::vector<Watched> m_watched;
  std::optional<SteadyTime> m_timer;

  std::mutex m_inbox_mutex;
  std::vector<Command> m_inbox;
  bool m_asleep = false;  // guarded by m_inbox_mutex: a post must ring
  bool m_stop = false;    // guarded by m_inbox_mutex
  std::thread m_thread;
};

}  // namespace nemo::upstream
