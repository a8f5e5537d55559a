// The transport over libcurl: one thread drives every transfer (HTTP/2 multiplexed over TLS, HTTP/1.1 kept alive in
// clear), workers wait for theirs with the client's socket in view.
#pragma once

#include <memory>

#include "daemon/upstream/transport.h"

namespace nemo::upstream {

class CurlLoop;

class CurlTransport final : public Transport {
 public:
  CurlTransport();
  ~CurlTransport() override;  // every Exchange must be gone by then

  // Any thread. Never fails here: what goes wrong is told by the Exchange.
  std::unique_ptr<Exchange> start(Request request) override;

 private:
  std::shared_ptr<CurlLoop> m_loop;
};

}  // namespace nemo::upstream
