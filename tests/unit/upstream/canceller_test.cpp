// An exchange that another thread ends, at whatever it waits for.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "fetch.h"
#include "tcp_server.h"

namespace nemo::test::canceller_test {

using namespace nemo;
using namespace nemo::test;
using upstream::Wake;

namespace {

constexpr std::string_view k_open_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr int k_no_client = -1;

// Says nothing, or a head and four bytes; tells when its client has left.
struct Quiet {
  std::atomic<int> asked{0};
  std::atomic<int> left{0};
  TcpServer server{[this](Peer& peer, int) {
    const std::string request = peer.read_request();
    ++asked;
    if (request.ends_with("some")) peer.send(std::string(k_open_head) + "4\r\nsome\r\n");
    peer.wait_for_close();
    ++left;
  }};
};

Error why() {
  return fail(ErrorKind::superseded, "somebody else was quicker");
}

}  // namespace

TEST_CASE_TEMPLATE("a wait ends at once when another thread cancels, alone on its loop or not", Way, ByCurl, Directly) {
  for (const bool shared : {false, true}) {
    CAPTURE(shared);
    Quiet quiet;
    Way way;
    upstream::Transport& transport = way.transport;
    for (const std::string body : {"none", "some"}) {
      CAPTURE(body);
      upstream::Request request = request_to(quiet.server.url(), body);
      request.raced = shared;
      const int asked = quiet.asked;
      const auto exchange = transport.start(std::move(request));
      const auto canceller = exchange->canceller();
      if (body == "some") {
        REQUIRE(exchange->wait_head(k_no_client) == Wake::ready);
        std::string bytes;
        REQUIRE(exchange->wait_body(k_no_client) == Wake::ready);
        exchange->take(bytes);
      }
      std::thread other([&] {
        eventually([&] { return quiet.asked > asked; });
        canceller->cancel(why());
      });
      CHECK((body == "some" ? exchange->wait_body(k_no_client) : exchange->wait_head(k_no_client)) == Wake::ended);
      other.join();
      REQUIRE(exchange->failure());
      CHECK(exchange->failure()->kind == ErrorKind::superseded);
      CHECK(eventually([&] { return quiet.left > asked; }));  // upstream is let go while the exchange still lives
    }
  }
}

TEST_CASE_TEMPLATE("what has ended stays as it ended, and an exchange that is gone is none of the canceller's business",
                   Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    for (std::string one; !(one = peer.read_request()).empty();) peer.answer("all of it");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  std::shared_ptr<upstream::Canceller> late;
  {
    const auto exchange = transport.start(request_to(server.url()));
    late = exchange->canceller();
    std::string body;
    while (exchange->wait_body(k_no_client) == Wake::ready) exchange->take(body);
    late->cancel(why());
    CHECK(body == "all of it");
    CHECK_FALSE(exchange->failure());
  }
  late->cancel(why());
  CHECK(fetch(transport, request_to(server.url())).body == "all of it");
}

TEST_CASE_TEMPLATE("cancelled before it is waited for, it has ended", Way, ByCurl, Directly) {
  Quiet quiet;
  Way way;
  upstream::Transport& transport = way.transport;
  const auto exchange = transport.start(request_to(quiet.server.url(), "none"));
  exchange->canceller()->cancel(why());
  CHECK(exchange->wait_head(k_no_client) == Wake::ended);
  CHECK(exchange->failure()->kind == ErrorKind::superseded);
}

}  // namespace nemo::test::canceller_test
