#include "daemon/upstream/local/local_transport.h"

#include <utility>

#include "daemon/upstream/local/local_exchange.h"
#include "daemon/upstream/local/target.h"

namespace nemo::upstream::local {

std::unique_ptr<Exchange> LocalTransport::start(Request request) {
  const bool is_simple =
      request.version != HttpVersion::http2 && !request.raced && (request.method == "POST" || request.method == "GET");
  if (!is_simple || !read_target(request.url)) return m_others.start(std::move(request));
  return std::make_unique<LocalExchange>(m_connections, std::move(request));
}

void LocalTransport::forget_connections() {
  m_connections->forget();
  m_others.forget_connections();
}

}  // namespace nemo::upstream::local
