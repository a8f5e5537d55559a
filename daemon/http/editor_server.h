// Owns: the editor-facing edge: HTTP/1.1 on loopback TCP, every path of the contract, one Answer per request.
// Must not know: how an answer comes about.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "daemon/call/origin.h"
#include "daemon/gateway/gateway.h"
#include "daemon/gateway/live.h"
#include "daemon/gateway/pages/pages.h"
#include "daemon/http/client_socket.h"
#include "shared/result.h"

namespace nemo::http {

class EditorServer {
 public:
  EditorServer(gateway::Gateway& gateway, const gateway::Pages& pages, const gateway::Live& live,
               call::OriginFinder& origins, const Clock& clock, const Patience& patience = {});
  ~EditorServer();

  // Port 0 picks a free one; see port(). conflict: somebody else has it, and the message says who.
  Status listen(const std::string& host, int port);
  int port() const;
  // Stops accepting, lets running calls go on for at most `patience`, then ends them. True: all came to their end.
  bool stop(std::chrono::milliseconds patience);

  std::size_t open_connections() const;
  std::size_t open_calls() const;

 private:
  class Edge;
  std::unique_ptr<Edge> m_edge;
};

}  // namespace nemo::http
