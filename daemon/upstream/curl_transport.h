// The transport over libcurl. Transfers that can share a connection (HTTP/2 over TLS) share one loop, and with it their
// connections. A transfer over HTTP/1.1 in clear has a connection to itself in any case, so it borrows a loop of its
// own from a pool and is driven by its worker alone: measured on two cores, the hand-over to another thread and back
// costs more than all the rest of such a call. Requests that are raced share the loop too, since one worker waits for
// both. Workers wait with the client's socket in view.
#pragma once

#include <memory>

#include "daemon/upstream/transport.h"
#include "shared/guarded.h"

namespace nemo::upstream {

class CurlLoop;
class LoopPool;

class CurlTransport final : public Transport {
 public:
  CurlTransport();
  ~CurlTransport() override;  // every Exchange must be gone by then

  // Any thread. Never fails here: what goes wrong is told by the Exchange.
  std::unique_ptr<Exchange> start(Request request) override;
  Race wait_first(Exchange& first, Exchange& second, int client_fd, std::optional<SteadyTime> until) override;
  bool pause(int client_fd, Millis time) override;
  void forget_connections() override;

 private:
  struct Loops {
    std::shared_ptr<CurlLoop> shared;
    std::shared_ptr<LoopPool> own;
  };
  static Loops make_loops();

  Guarded<Loops> m_loops;
};

}  // namespace nemo::upstream
