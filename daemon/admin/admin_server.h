// Owns: the edge that the command line talks to, HTTP over a Unix socket. The file mode is the access control.
// Must not know: SQL, upstreams, the editors' edge.
#pragma once

#include <filesystem>
#include <memory>

#include "daemon/access/key_store.h"
#include "daemon/admin/control.h"
#include "daemon/ledger/request_log.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace nemo::admin {

// Everything handed to it must outlive it, and is used from its worker threads. start() and stop() belong to one
// thread.
class AdminServer {
 public:
  AdminServer(Control& control, access::KeyStore& store, ledger::CallHistory& history, const Clock& clock);
  ~AdminServer();  // stops
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  // Accepts calls at `socket` (mode 0600) when it returns; makes the folder (0700) where there is none. Narrows the
  // process's umask for a moment, so call it before other threads make files. conflict: another daemon answers there;
  // storage: the path cannot be used, and the message says why.
  Status start(const std::filesystem::path& socket);

  // Waits for the calls that run, joins the threads and removes the socket file. Calling it twice does no harm; it may
  // be started again.
  void stop();

 private:
  struct Running;
  Control& m_control;
  access::KeyStore& m_store;
  ledger::CallHistory& m_history;
  const Clock& m_clock;
  std::unique_ptr<Running> m_running;
};

}  // namespace nemo::admin
