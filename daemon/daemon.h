// Owns: the wiring, and the order in which parts come up and go down. The only place that names concrete types.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/http/client_socket.h"
#include "shared/paths.h"
#include "shared/result.h"

namespace nemo {

struct DaemonOptions {
  std::filesystem::path config_file;
  std::filesystem::path data_folder;
  std::filesystem::path socket;
  std::optional<std::pair<std::string, int>> listen;  // instead of the config's
  Environment env = process_environment;
  http::Patience patience;  // with clients; tests make it short
};

// start(), stop() and tend() belong to one thread.
class Daemon {
 public:
  // Up and accepting calls, or the reason why not and what to do.
  static Result<std::unique_ptr<Daemon>> start(DaemonOptions options);
  ~Daemon();  // as stop()

  std::string url() const;  // "http://127.0.0.1:6366"
  int port() const;
  Status reload();
  void tend();  // every second or so: reloads a config file that was changed, gives idle budget back, sends alerts
  // Stops accepting, lets running calls end (drain_timeout of the config), writes the ledger. True: all ended by
  // themselves.
  bool stop();

 private:
  class Parts;
  explicit Daemon(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> m_parts;
};

}  // namespace nemo
