#include <doctest/doctest.h>
#include <stdlib.h>

#include "fetch.h"
#include "tcp_server.h"

namespace nemo::test::proxy_test {

using namespace nemo;
using namespace nemo::test;

namespace {

// The environment while no transport lives: nothing else reads it then.
class ProxyVariable {
 public:
  explicit ProxyVariable(const std::string& url) { ::setenv("http_proxy", url.c_str(), 1); }
  ~ProxyVariable() { ::unsetenv("http_proxy"); }
  ProxyVariable(const ProxyVariable&) = delete;
  ProxyVariable& operator=(const ProxyVariable&) = delete;
};

struct Proxy {
  std::mutex mutex;
  std::vector<std::string> asked;
  TcpServer server{[this](Peer& peer, int) {
    for (std::string one; !(one = peer.read_request()).empty();) {
      {
        const std::lock_guard lock(mutex);
        asked.push_back(one.substr(0, one.find("\r\n")));
      }
      peer.answer("by proxy");
    }
  }};
};

void serve_directly(Peer& peer, int) {
  while (!peer.read_request().empty()) peer.answer("directly");
}

}  // namespace

TEST_CASE("a proxy of the system is used for other hosts, also for those that look like this machine") {
  Proxy proxy;
  const ProxyVariable variable(proxy.server.url());
  upstream::CurlTransport transport;
  for (const std::string host : {"upstream.invalid", "localhost.invalid", "127.0.0.1.invalid"}) {
    CHECK_MESSAGE(fetch(transport, request_to("http://" + host + "/v1")).body == "by proxy", host);
    const std::lock_guard lock(proxy.mutex);
    CHECK(proxy.asked.back() == "POST http://" + host + "/v1 HTTP/1.1");
  }
}

TEST_CASE("a proxy of the system is not used for this machine") {
  Proxy proxy;
  TcpServer server(serve_directly);
  const ProxyVariable variable(proxy.server.url());
  upstream::CurlTransport transport;
  CHECK(fetch(transport, request_to(server.url())).body == "directly");
  CHECK(fetch(transport, request_to("http://localhost:" + std::to_string(server.port()) + "/")).body == "directly");
  CHECK(proxy.asked.empty());
}

TEST_CASE("a proxy that is not there is an error that does not show its password") {
  std::string place;
  {
    Proxy gone;
    place = gone.server.url().substr(7);
  }
  const ProxyVariable variable("http://user:hunter2secret@" + place);
  upstream::CurlTransport transport;
  const Fetched fetched = fetch(transport, request_to("http://upstream.invalid/v1"));
  REQUIRE(fetched.failure.has_value());
  CHECK(fetched.failure->message.find("hunter2secret") == std::string::npos);
}

}  // namespace nemo::test::proxy_test
