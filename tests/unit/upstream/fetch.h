// A whole exchange in one call, for tests of what comes of it.
#pragma once

#include <optional>
#include <string>

#include "daemon/upstream/curl_transport.h"
#include "daemon/upstream/local/local_transport.h"
#include "eventually.h"

namespace nemo::test {

// The two ways to a server on this machine: libcurl, and without it. What is promised of an exchange holds for both.
struct ByCurl {
  upstream::CurlTransport transport;
};
struct Directly {
  upstream::CurlTransport others;
  upstream::local::LocalTransport transport{others};
};

struct Fetched {
  bool has_head = false;
  upstream::Head head;
  std::string body;
  std::optional<Error> failure;
};

inline upstream::Request request_to(const std::string& url, std::string body = "{}") {
  upstream::Request request;
  request.url = url;
  request.body = std::move(body);
  return request;
}

inline Fetched fetch(upstream::Transport& transport, upstream::Request request) {
  constexpr int k_no_client = -1;
  Fetched fetched;
  const auto exchange = transport.start(std::move(request));
  fetched.has_head = exchange->wait_head(k_no_client) == upstream::Wake::ready;
  if (fetched.has_head) {
    fetched.head = exchange->head();
    while (exchange->wait_body(k_no_client) == upstream::Wake::ready) exchange->take(fetched.body);
  }
  fetched.failure = exchange->failure();
  return fetched;
}

}  // namespace nemo::test
