// A whole daemon in this process, a fake upstream in another, and a client that shows every byte.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/daemon.h"
#include "eventually.h"
#include "shared/file_descriptor.h"
#include "temp_folder.h"

namespace nemo::test {

using Json = nlohmann::json;

// The fake upstream as a child process on a free port; ended with this object.
class FakeUpstream {
 public:
  FakeUpstream();
  ~FakeUpstream();
  FakeUpstream(const FakeUpstream&) = delete;
  FakeUpstream& operator=(const FakeUpstream&) = delete;

  int port() const { return m_port; }
  std::string base_url() const { return "http://127.0.0.1:" + std::to_string(m_port) + "/v1"; }
  void script(const Json& script);  // for every call that brings none of its own
  void script_model(const std::string& model, const Json& script);
  Json journal();  // see tests/support/fake_upstream
  Json summary();
  void reset();
  void release();  // lets go on what scripts hold back: "hold", "hold_after_chunks"

 private:
  pid_t m_pid = -1;
  int m_port = 0;
};

struct Reply {
  int status = 0;
  std::string head;    // as it came, status line included
  std::string body;    // without chunk framing
  bool whole = false;  // the body came to its end as its framing promised

  std::string header(std::string_view name) const;  // empty: not there
  Json json() const;
};

// One TCP connection to the daemon, byte by byte if need be.
class Client {
 public:
  explicit Client(int port);
  int fd() const { return m_fd.get(); }
  bool send(std::string_view bytes);
  Reply receive();             // one answer: head and whole body (content-length, chunked or until close)
  std::string receive_some();  // what comes next; empty: the daemon closed
  void close() { m_fd.reset(); }
  void half_close();

 private:
  FileDescriptor m_fd;
  std::string m_buffer;
};

// Whether anybody listens there.
bool takes_connections(int port);

// The daemon, with a config made of `toml` (the fake upstream is named "fake" unless it says otherwise).
class Rig {
 public:
  struct Options {
    std::string toml;           // added before the upstream's section
    std::string upstream_toml;  // added inside the upstream's section
    http::Patience patience;
    bool own_upstream = false;  // `toml` brings its own [[upstream]] sections
  };
  Rig() : Rig(Options{}) {}
  explicit Rig(const Options& options);
  ~Rig();

  FakeUpstream upstream;
  int port() const;
  const std::string& key() const { return m_key; }
  Daemon& daemon() { return *m_daemon; }
  std::filesystem::path folder() const;
  std::filesystem::path config_file() const;
  void write_config(const std::string& text);
  void stop();     // a clean stop: the folder is free
  void restart();  // a clean stop, and another daemon on the same folder (and another port)

  // POST with the key and a JSON body, on a connection of its own.
  Reply post(const std::string& path, const std::string& body, const std::vector<std::string>& headers = {});
  Reply get(const std::string& path, const std::vector<std::string>& headers = {});
  std::string request(const std::string& method, const std::string& path, const std::string& body,
                      const std::vector<std::string>& headers = {}) const;  // its bytes

  // GET, POST, PATCH or DELETE at the admin socket.
  Json admin(const std::string& method, const std::string& path, const Json& body = {});
  // The ledger's rows once there are at least `count` (they are written behind the answers), in the order in which the
  // calls came.
  std::vector<Json> rows(std::size_t count);
  // Until so many calls are open and each of them waits for something: no thread of this process has anything left to
  // do. Only an event from outside changes that, such as upstream.release().
  bool waits_with(std::size_t open_calls);

 private:
  void start();

  TempFolder m_folder;
  http::Patience m_patience;
  std::unique_ptr<Daemon> m_daemon;
  std::string m_key;
};

// GET, POST, PATCH or DELETE at a daemon's admin socket.
Json ask_admin(const std::filesystem::path& socket, const std::string& method, const std::string& path,
               const Json& body = {});

// The joined contents of a stream's chat chunks.
std::string stream_text(const std::string& body);
// The data of every event, [DONE] included.
std::vector<std::string> stream_events(const std::string& body);

}  // namespace nemo::test
