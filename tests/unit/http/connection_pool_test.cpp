#include "daemon/http/connection_pool.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "daemon/http/listener.h"
#include "eventually.h"

namespace nemo::test::connection_pool_test {

using namespace nemo;
using http::After;
using http::ClientSocket;
using http::ConnectionPool;
using std::chrono::milliseconds;
using test::eventually;

namespace {

// Threads of this process with the workers' name.
int workers() {
  int count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (name == "nemo-worker") ++count;
  }
  return count;
}

struct Client {
  explicit Client(int port) : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  void say(std::string_view bytes) const { ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  void ask() const { say("GET / HTTP/1.1\r\n\r\n"); }
  // The next bytes; empty: the pool has closed the connection.
  std::string hear() const {
    pollfd one{fd.get(), POLLIN, 0};
    REQUIRE(::poll(&one, 1, static_cast<int>(milliseconds(test::k_patience).count())) == 1);
    std::array<char, 4096> bytes{};
    const ssize_t got = ::recv(fd.get(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }
  FileDescriptor fd;
};

// A pool whose calls end when the test says so.
struct Stand {
  explicit Stand(const http::Patience& patience = {}) {
    auto listener = http::listen_on("127.0.0.1", 0);
    REQUIRE(listener);
    port = listener->port;
    pool = std::make_unique<ConnectionPool>(
        std::move(listener->socket), [this](ClientSocket& socket) { return serve(socket); },
        [this](ClientSocket& socket, bool late) {
          ++(late ? late_heads : large_heads);
          socket.begin_request();
          socket.write("refused");
          socket.flush();
        },
        clock, patience);
    pool->start();
  }

  After serve(ClientSocket& socket) {
    socket.begin_request();
    std::string head;
    for (char byte = 0; !head.ends_with("\r\n\r\n");) {
      if (!socket.read_exactly(&byte, 1)) return After::close;
      head.push_back(byte);
    }
    ++running;
    eventually([this] { return !held.load(); });
    --running;
    socket.write("ok");
    socket.end_request();
    ++served;
    return After::keep;
  }

  SystemClock clock;
  int port = 0;
  std::atomic<bool> held{false};
  std::atomic<int> running{0};
  std::atomic<int> served{0};
  std::atomic<int> late_heads{0};
  std::atomic<int> large_heads{0};
  std::unique_ptr<ConnectionPool> pool;  // last: its workers use the rest
};

http::Patience patience(milliseconds head, milliseconds idle) {
  http::Patience made;
  made.head = head;
  made.idle = idle;
  return made;
}

constexpr milliseconds k_short{300};  // and yet time enough for what is sent at once
constexpr milliseconds k_long{60'000};

}  // namespace

TEST_CASE("one connection carries many requests, and pipelined ones each get their answer") {
  Stand stand;
  const Client client(stand.port);
  for (int i = 0; i < 3; ++i) {
    client.ask();
    CHECK(client.hear() == "ok");
  }
  client.say("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n");
  CHECK(eventually([&] { return stand.served == 5; }));
  CHECK(stand.pool->open_connections() == 1);
}

TEST_CASE("an idle connection is closed once its patience is over") {
  Stand stand(patience(k_long, k_short));
  const Client client(stand.port);
  client.ask();
  CHECK(client.hear() == "ok");
  CHECK(client.hear().empty());
  CHECK(eventually([&] { return stand.pool->open_connections() == 0; }));
  CHECK(stand.late_heads == 0);
}

TEST_CASE("an idle connection within its patience stays") {
  Stand stand(patience(k_short, k_long));
  const Client idle(stand.port);
  idle.ask();
  CHECK(idle.hear() == "ok");
  const Client slow(stand.port);  // shows that the sweep has been round
  slow.say("GET");
  CHECK(slow.hear() == "refused");
  idle.ask();
  CHECK(idle.hear() == "ok");
}

TEST_CASE("a head that does not come to its end in time is refused, also when it trickles") {
  Stand stand(patience(k_short, k_long));
  const Client client(stand.port);
  std::atomic<bool> over{false};
  std::thread trickle([&] {
    while (!over) {
      client.say("x");
      std::this_thread::sleep_for(milliseconds(5));
    }
  });
  CHECK(client.hear() == "refused");
  over = true;
  trickle.join();
  CHECK(stand.late_heads == 1);
}

TEST_CASE("a connection that never says a word is closed without one") {
  Stand stand(patience(k_short, k_long));
  const Client client(stand.port);
  CHECK(client.hear().empty());
  CHECK(stand.late_heads == 0);
}

TEST_CASE("a head that grows too large is refused at once") {
  Stand stand;
  const Client client(stand.port);
  client.say(std::string(http::k_largest_head + 1, 'x'));
  CHECK(client.hear() == "refused");
  CHECK(stand.large_heads == 1);
}

TEST_CASE("every call has a worker of its own, and workers go when the calls are over") {
  Stand stand;
  stand.held = true;
  std::vector<std::unique_ptr<Client>> clients;
  constexpr int k_calls = 60;
  for (int i = 0; i < k_calls; ++i) {
    clients.push_back(std::make_unique<Client>(stand.port));
    clients.back()->ask();
  }
  CHECK(eventually([&] { return stand.running == k_calls; }));
  CHECK(stand.pool->busy() == k_calls);
  CHECK(workers() > k_calls);  // one is left to take what comes next
  stand.held = false;
  for (const auto& client : clients) CHECK(client->hear() == "ok");
  CHECK(eventually([&] { return workers() <= 8; }));
  CHECK(stand.pool->open_connections() == k_calls);  // idle connections hold no worker
  clients.front()->ask();
  CHECK(clients.front()->hear() == "ok");
}

TEST_CASE("draining takes nobody new, closes the idle and waits for the busy") {
  Stand stand;
  const Client idle(stand.port);
  idle.ask();
  CHECK(idle.hear() == "ok");
  stand.held = true;
  const Client busy(stand.port);
  busy.ask();
  REQUIRE(eventually([&] { return stand.running == 1; }));
  std::atomic<bool> drained{false};
  std::thread draining([&] { drained = stand.pool->drain(k_long); });
  CHECK(idle.hear().empty());
  CHECK(eventually([&] { return stand.pool->open_connections() == 1; }));
  CHECK(!drained);
  stand.held = false;
  CHECK(busy.hear() == "ok");
  CHECK(busy.hear().empty());
  draining.join();
  CHECK(drained);
}

TEST_CASE("draining gives up on a call that outlasts its patience, and says so") {
  Stand stand;
  stand.held = true;
  const Client busy(stand.port);
  busy.ask();
  REQUIRE(eventually([&] { return stand.running == 1; }));
  CHECK(!stand.pool->drain(k_short));
  stand.held = false;
}

TEST_CASE("a client that closes is forgotten") {
  Stand stand;
  {
    const Client client(stand.port);
    client.ask();
    CHECK(client.hear() == "ok");
    CHECK(stand.pool->open_connections() == 1);
  }
  CHECK(eventually([&] { return stand.pool->open_connections() == 0; }));
}

TEST_CASE("a port that is taken is a conflict that says where") {
  Stand stand;
  const auto second = http::listen_on("127.0.0.1", stand.port);
  REQUIRE(!second);
  CHECK(second.error().kind == ErrorKind::conflict);
  CHECK(second.error().message.find("127.0.0.1:" + std::to_string(stand.port) + " is in use") != std::string::npos);
}

}  // namespace nemo::test::connection_pool_test
