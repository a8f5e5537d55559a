#include <doctest/doctest.h>
#include <sys/socket.h>

#include "fetch.h"
#include "tcp_server.h"

namespace nemo::test::race_test {

using namespace nemo;
using namespace nemo::test;
using std::chrono::milliseconds;
using upstream::Wake;
using Race = upstream::Transport::Race;

namespace {

constexpr std::string_view k_open_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr int k_no_client = -1;
constexpr milliseconds k_short{500};  // and yet time enough for what is sent at once

// Does what the request's body says; "later" waits until `go_on`.
struct Runner {
  std::atomic<bool> go_on{false};
  TcpServer server{[this](Peer& peer, int) {
    for (std::string one; !(one = peer.read_request()).empty();) {
      const std::string wish = one.substr(one.find("\r\n\r\n") + 4);
      if (wish == "silent") return peer.wait_for_close();
      if (wish == "reset") return peer.reset();
      if (wish == "later") eventually([this] { return go_on.load(); });
      if (wish == "some, then silent") {
        peer.send(std::string(k_open_head) + "4\r\nsome\r\n");
        return peer.wait_for_close();
      }
      peer.answer(wish);
    }
  }};

  std::unique_ptr<upstream::Exchange> start(upstream::Transport& transport, const std::string& wish,
                                            milliseconds patience = k_patience) const {
    upstream::Request request = request_to(server.url(), wish);
    request.raced = true;
    request.first_byte_timeout = patience;
    request.idle_timeout = patience;
    return transport.start(std::move(request));
  }
};

std::string taken(upstream::Exchange& exchange) {
  std::string body;
  exchange.take(body);
  return body;
}

SteadyTime soon() {
  return std::chrono::steady_clock::now() + milliseconds(20);
}

}  // namespace

TEST_CASE("of two exchanges the one that answers wins, whichever it is") {
  Runner runner;
  upstream::CurlTransport transport;
  const auto silent = runner.start(transport, "silent");
  const auto quick = runner.start(transport, "quick");
  CHECK(transport.wait_first(*silent, *quick, k_no_client, {}) == Race::second);
  CHECK(transport.wait_first(*quick, *silent, k_no_client, {}) == Race::first);
  CHECK(quick->wait_head(k_no_client) == Wake::ready);
  CHECK(taken(*quick) == "quick");
}

TEST_CASE("when both have answered, the first wins") {
  Runner runner;
  upstream::CurlTransport transport;
  const auto one = runner.start(transport, "one");
  const auto two = runner.start(transport, "two");
  REQUIRE(two->wait_body(k_no_client) == Wake::ready);
  REQUIRE(one->wait_body(k_no_client) == Wake::ready);
  CHECK(transport.wait_first(*one, *two, k_no_client, {}) == Race::first);
  CHECK(transport.wait_first(*two, *one, k_no_client, {}) == Race::first);
}

TEST_CASE("while neither answers a race goes on until its limit, and can be waited for again") {
  Runner runner;
  upstream::CurlTransport transport;
  const auto one = runner.start(transport, "silent");
  const auto two = runner.start(transport, "later");
  const SteadyTime until = soon();
  CHECK(transport.wait_first(*one, *two, k_no_client, until) == Race::not_yet);
  CHECK(std::chrono::steady_clock::now() >= until);
  CHECK(transport.wait_first(*one, *two, k_no_client, until) == Race::not_yet);
  runner.go_on = true;
  CHECK(transport.wait_first(*one, *two, k_no_client, {}) == Race::second);
  CHECK(taken(*two) == "later");
}

TEST_CASE("a race that begins after one of the two has been waited for alone is no different") {
  Runner runner;
  upstream::CurlTransport transport;
  const auto one = runner.start(transport, "later");
  CHECK(one->wait_body(k_no_client, soon()) == Wake::not_yet);
  const auto two = runner.start(transport, "silent");
  std::thread releasing([&] { runner.go_on = true; });
  CHECK(transport.wait_first(*one, *two, k_no_client, {}) == Race::first);
  CHECK(taken(*one) == "later");
  releasing.join();
}

TEST_CASE("a client that leaves during a race is seen, and both exchanges can be given up") {
  Runner runner;
  upstream::CurlTransport transport;
  std::array<int, 2> both{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()) == 0);
  const FileDescriptor near(both[0]);
  FileDescriptor far(both[1]);
  auto one = runner.start(transport, "silent");
  auto two = runner.start(transport, "silent");
  std::thread leaving([&] { far.reset(); });
  CHECK(transport.wait_first(*one, *two, near.get(), {}) == Race::client_gone);
  leaving.join();
  // They have reached upstream, or nothing could be seen of their end.
  CHECK(eventually([&] { return runner.server.accepted() == 2; }));
  CHECK(runner.server.closed() == 0);
  one.reset();
  two.reset();
  CHECK(eventually([&] { return runner.server.closed() == 2; }));
}

TEST_CASE("one that fails has its turn, and the other goes on") {
  Runner runner;
  upstream::CurlTransport transport;
  for (const bool first_fails : {true, false}) {
    runner.go_on = false;
    const auto failing = runner.start(transport, "reset");
    const auto other = runner.start(transport, "later");
    const Race race = first_fails ? transport.wait_first(*failing, *other, k_no_client, {})
                                  : transport.wait_first(*other, *failing, k_no_client, {});
    CHECK(race == (first_fails ? Race::first : Race::second));
    CHECK(failing->wait_body(k_no_client) == Wake::ended);
    REQUIRE(failing->failure().has_value());
    CHECK(failing->failure()->kind == ErrorKind::upstream_error);
    runner.go_on = true;
    CHECK(other->wait_body(k_no_client) == Wake::ready);
    CHECK(taken(*other) == "later");
  }
}

TEST_CASE("one whose patience for the first byte is over has its turn, to say so") {
  Runner runner;
  upstream::CurlTransport transport;
  for (const bool first_times_out : {true, false}) {
    const auto impatient = runner.start(transport, "silent", k_short);
    const auto other = runner.start(transport, "silent");
    const Race race = first_times_out ? transport.wait_first(*impatient, *other, k_no_client, {})
                                      : transport.wait_first(*other, *impatient, k_no_client, {});
    CHECK(race == (first_times_out ? Race::first : Race::second));
    REQUIRE(impatient->failure().has_value());
    CHECK(impatient->failure()->kind == ErrorKind::upstream_timeout);
    CHECK(impatient->wait_body(k_no_client) == Wake::ended);
    CHECK(transport.wait_first(*other, *impatient, k_no_client, {}) == Race::second);
    CHECK(!other->failure().has_value());
  }
}

TEST_CASE("one that was given up stays so, whatever still comes") {
  Runner runner;
  upstream::CurlTransport transport;
  const auto late = runner.start(transport, "later", k_short);
  const auto other = runner.start(transport, "silent");
  REQUIRE(transport.wait_first(*late, *other, k_no_client, {}) == Race::first);
  runner.go_on = true;
  CHECK(eventually([&] { return late->wait_head(k_no_client) == Wake::ready; }));
  CHECK(late->wait_body(k_no_client) == Wake::ended);
  CHECK(late->failure()->kind == ErrorKind::upstream_timeout);
}

TEST_CASE("one that has begun and says nothing more has its turn when its idle time is over") {
  Runner runner;
  upstream::CurlTransport transport;
  const auto begun = runner.start(transport, "some, then silent", k_short);
  const auto other = runner.start(transport, "silent");
  REQUIRE(transport.wait_first(*other, *begun, k_no_client, {}) == Race::second);
  CHECK(taken(*begun) == "some");
  CHECK(transport.wait_first(*other, *begun, k_no_client, {}) == Race::second);
  CHECK(begun->wait_body(k_no_client) == Wake::ended);
  REQUIRE(begun->failure().has_value());
  CHECK(begun->failure()->message.find("sent nothing more for 500 ms") != std::string::npos);
}

TEST_CASE("waits with a limit do not put off the end of the idle time") {
  Runner runner;
  upstream::CurlTransport transport;
  const auto begun = runner.start(transport, "some, then silent", k_short);
  REQUIRE(begun->wait_body(k_no_client) == Wake::ready);
  CHECK(taken(*begun) == "some");
  Wake wake = Wake::not_yet;
  for (int i = 0; i < 200 && wake == Wake::not_yet; ++i) {
    wake = begun->wait_body(k_no_client, std::chrono::steady_clock::now() + milliseconds(10));
  }
  CHECK(wake == Wake::ended);
}

TEST_CASE("races from many threads at once all see their winner, and every loser is given up upstream") {
  constexpr int k_threads = 4;
  constexpr int k_rounds = 100;
  Runner runner;
  upstream::CurlTransport transport;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < k_threads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < k_rounds; ++i) {
        const std::string wish = "answer " + std::to_string(t) + ":" + std::to_string(i);
        const bool first_wins = i % 2 == 0;
        const auto one = runner.start(transport, first_wins ? wish : "silent");
        const auto two = runner.start(transport, first_wins ? "silent" : wish);
        const Race race = transport.wait_first(*one, *two, k_no_client, {});
        upstream::Exchange& winner = race == Race::first ? *one : *two;
        if (race == (first_wins ? Race::first : Race::second) && taken(winner) == wish) ++right;
      }
    });
  }
  for (std::thread& one : threads) one.join();
  CHECK(right == k_threads * k_rounds);
  // The losers that upstream had heard of; the winners' connections stay.
  CHECK(eventually([&] { return runner.server.accepted() - runner.server.closed() <= 2 * k_threads; }));
}

TEST_CASE("two streams that are read as they come both come whole") {
  constexpr int k_pieces = 200;
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send(k_open_head);
    for (int i = 0; i < k_pieces; ++i) peer.send("2\r\nab\r\n");
    peer.send("0\r\n\r\n");
    peer.wait_for_close();
  });
  upstream::CurlTransport transport;
  std::array<std::unique_ptr<upstream::Exchange>, 2> both;
  for (auto& one : both) {
    upstream::Request request = request_to(server.url());
    request.raced = true;
    one = transport.start(std::move(request));
  }
  std::array<std::string, 2> bodies;
  std::size_t ended = 2;
  while (ended == 2) {
    const Race race = transport.wait_first(*both[0], *both[1], k_no_client, {});
    REQUIRE((race == Race::first || race == Race::second));
    const std::size_t turn = race == Race::first ? 0 : 1;
    if (both[turn]->wait_body(k_no_client) == Wake::ended) ended = turn;
    both[turn]->take(bodies[turn]);
  }
  const std::size_t last = 1 - ended;
  while (both[last]->wait_body(k_no_client) == Wake::ready) both[last]->take(bodies[last]);
  for (const std::string& body : bodies) CHECK(body.size() == 2U * k_pieces);
}

TEST_CASE("two exchanges that were not started for a race are a mistake that is told") {
  Runner runner;
  upstream::CurlTransport transport;
  const auto one = transport.start(request_to(runner.server.url(), "silent"));
  const auto two = transport.start(request_to(runner.server.url(), "silent"));
  CHECK_THROWS_AS(transport.wait_first(*one, *two, k_no_client, {}), std::logic_error);
}

}  // namespace nemo::test::race_test
