#include "daemon/admin/admin_server.h"

#include <fcntl.h>
#include <httplib.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/admin/routes.h"
#include "shared/log.h"

namespace nemo::admin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_workers = 4;  // a person's commands, one of them perhaps waiting for a slow upstream's probe
constexpr std::size_t k_most_waiting = 64;         // connections accepted and not yet served
constexpr std::size_t k_largest_body = 1U << 20U;  // far above any command's request
constexpr time_t k_read_timeout_s = 5;             // the other end is on this machine
constexpr time_t k_write_timeout_s = 5;            //
constexpr std::size_t k_calls_a_connection = 1;    // a command makes few calls; an idle one must not hold a worker
constexpr int k_unused_port = 1;                   // httplib asks for one, a Unix socket has none

void name_thread(const char* name) {
#ifdef __APPLE__
  pthread_setname_np(name);
#else
  pthread_setname_np(pthread_self(), name);
#endif
}

// A fixed number of threads; enqueue() waits while the queue is full, which leaves callers in the socket's backlog.
class Workers final : public httplib::TaskQueue {
 public:
  Workers() {
    for (std::size_t i = 0; i < k_workers; ++i) m_threads.emplace_back([this] { work(); });
  }

  void enqueue(std::function<void()> job) override {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return m_jobs.size() < k_most_waiting; });
    m_jobs.push_back(std::move(job));
    m_changed.notify_all();
  }

  void shutdown() override {
    {
      const std::lock_guard lock(m_mutex);
      m_ending = true;
    }
    m_changed.notify_all();
    for (std::thread& thread : m_threads) thread.join();
  }

 private:
  // A job that is queued owns a socket, so all of them are run even when ending.
  void work() {
    name_thread("nemo-admin-work");
    while (true) {
      std::function<void()> job;
      {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return !m_jobs.empty() || m_ending; });
        if (m_jobs.empty()) return;
        job = std::move(m_jobs.front());
        m_jobs.pop_front();
        m_changed.notify_all();
      }
      job();
    }
  }

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<std::function<void()>> m_jobs;
  bool m_ending = false;
  std::vector<std::thread> m_threads;
};

class NarrowUmask {
 public:
  NarrowUmask() : m_before(::umask(S_IXUSR | S_IRWXG | S_IRWXO)) {}
  ~NarrowUmask() { ::umask(m_before); }
  NarrowUmask(const NarrowUmask&) = delete;
  NarrowUmask& operator=(const NarrowUmask&) = delete;

 private:
  mode_t m_before;
};

Error system_failure(const std::string& what, int error) {
  return fail(ErrorKind::storage, what + ": " + std::generic_category().message(error));
}

Status make_folder(const fs::path& folder) {
  if (folder.empty()) return Done{};
  std::error_code error;
  if (fs::exists(folder, error)) return Done{};
  fs::create_directories(folder.parent_path(), error);
  if (error) return system_failure("cannot make the folder " + folder.parent_path().string(), error.value());
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return system_failure("cannot make the folder " + folder.string(), errno);
  }
  return Done{};
}

enum class Listener { nobody, somebody };

Result<Listener> find_listener(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return system_failure("cannot make a socket", errno);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);  // a daemon that hangs with a full backlog must not hold us up
  const int outcome = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::close(fd);
  if (outcome == 0 || error == EAGAIN) return Listener::somebody;  // EAGAIN: its backlog is full
  if (error == ECONNREFUSED || error == ENOENT) return Listener::nobody;
  return system_failure(std::string("cannot tell whether a daemon answers at ") + address.sun_path, error);
}

// A socket file that a killed daemon left is removed; anything else that lies there is not ours to remove.
Status clear_path(const fs::path& path) {
  sockaddr_un address{};
  if (path.native().size() >= sizeof address.sun_path) {
    return fail(ErrorKind::storage, "the path of the admin socket is too long for a Unix socket (" +
                                        std::to_string(sizeof address.sun_path - 1) + " bytes): " + path.string() +
                                        "; give a shorter one in NEMO_SOCKET");
  }
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    return errno == ENOENT ? Status(Done{}) : Status(system_failure("cannot look at " + path.string(), errno));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return fail(ErrorKind::storage, path.string() + " is in the way: it is not a socket");
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const auto listener = find_listener(address);
  if (!listener) return listener.error();
  if (*listener == Listener::somebody) {
    return fail(ErrorKind::conflict, "another nemod answers at " + path.string());
  }
  if (::unlink(path.c_str()) != 0) return system_failure("cannot remove the old socket " + path.string(), errno);
  return Done{};
}

AdminRequest read_request(const httplib::Request& request) {
  // Not request.path: that is decoded, and a name may hold a slash.
  AdminRequest read{request.method, request.target.substr(0, request.target.find('?')), {}, request.body};
  for (const auto& [name, value] : request.params) read.parameters[name] = value;
  return read;
}

void route_everything(httplib::Server& server, Routes& routes) {
  const auto handle = [&routes](const httplib::Request& request, httplib::Response& response) {
    AdminReply reply;
    try {
      reply = routes.answer(read_request(request));
    } catch (const std::exception& error) {
      log::error(std::string("admin: ") + request.method + " " + request.path + ": " + error.what());
      reply = reply_with(fail(ErrorKind::internal, "a fault in the daemon; its log says more"));
    }
    response.status = reply.status;
    response.set_content(reply.body, "application/json");
  };
  server.Get(".*", handle);
  server.Post(".*", handle);
  server.Patch(".*", handle);
  server.Delete(".*", handle);
  server.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (!response.body.empty()) return;
    const auto kind = response.status == 413 ? ErrorKind::request_too_large : ErrorKind::invalid_request;
    response.set_content(reply_with(fail(kind, "cannot take " + request.method + " " + request.path)).body,
                         "application/json");
  });
}

}  // namespace

struct AdminServer::Running {
  Running(Control& control, access::KeyStore& store, ledger::CallHistory& history, const Clock& clock)
      : routes(control, store, history, clock) {}

  Routes routes;
  httplib::Server server;
  fs::path socket;
  std::atomic<bool> ended = false;
  std::thread listener;
};

AdminServer::AdminServer(Control& control, access::KeyStore& store, ledger::CallHistory& history, const Clock& clock)
    : m_control(control), m_store(store), m_history(history), m_clock(clock) {}

AdminServer::~AdminServer() {
  stop();
}

Status AdminServer::start(const fs::path& socket) {
  if (const auto made = make_folder(socket.parent_path()); !made) return made;
  if (const auto cleared = clear_path(socket); !cleared) return cleared;

  auto running = std::make_unique<Running>(m_control, m_store, m_history, m_clock);
  httplib::Server& server = running->server;
  running->socket = socket;
  route_everything(server, running->routes);
  server.new_task_queue = [] { return new Workers; };  // owned by httplib
  server.set_address_family(AF_UNIX);
  server.set_socket_options([](socket_t /*fd*/) {});
  server.set_payload_max_length(k_largest_body);
  server.set_read_timeout(k_read_timeout_s);
  server.set_write_timeout(k_write_timeout_s);
  server.set_keep_alive_max_count(k_calls_a_connection);
  {
    const NarrowUmask narrow;
    if (!server.bind_to_port(socket.string(), k_unused_port)) {
      return system_failure("cannot listen on " + socket.string(), errno);
    }
  }
  running->listener = std::thread([&server, &ended = running->ended] {
    name_thread("nemo-admin");
    if (!server.listen_after_bind()) log::error("admin: the socket for the command line has failed");
    ended = true;
  });
  m_running = std::move(running);
  return Done{};
}

void AdminServer::stop() {
  if (!m_running) return;
  // httplib forgets a stop() that comes before its listener runs.
  while (!m_running->server.is_running() && !m_running->ended) std::this_thread::yield();
  m_running->server.stop();
  m_running->listener.join();
  std::error_code ignored;
  fs::remove(m_running->socket, ignored);  // a file that stays is taken for what it is by the next start()
  m_running.reset();
}

}  // namespace nemo::admin
