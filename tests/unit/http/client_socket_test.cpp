#include "daemon/http/client_socket.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <array>
#include <thread>

namespace nemo::test::client_socket_test {

using namespace nemo;
using http::ClientSocket;
using Filled = ClientSocket::Filled;

namespace {

http::Patience short_patience() {
  using std::chrono::milliseconds;
  return {milliseconds(40), milliseconds(40), milliseconds(40), milliseconds(40)};
}

// A client and the daemon's end of its connection.
struct Line {
  // Packets keep their borders, so that a test can count sends.
  explicit Line(int type = SOCK_STREAM, const http::Patience& patience = short_patience()) {
    std::array<int, 2> both{};
    REQUIRE(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, both.data()) == 0);
    client = FileDescriptor(both[0]);
    socket = std::make_unique<ClientSocket>(FileDescriptor(both[1]), patience);
  }
  void say(std::string_view bytes) const {
    REQUIRE(::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  std::string hear() const {
    std::string bytes(1 << 20, '\0');
    const ssize_t got = ::recv(client.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return bytes;
  }
  void fill_all() const {
    while (socket->fill() == Filled::some) {
    }
  }
  std::string read(std::size_t size) const {
    std::string bytes(size, '\0');
    REQUIRE(socket->read_exactly(bytes.data(), size));
    return bytes;
  }

  FileDescriptor client;
  std::unique_ptr<ClientSocket> socket;
};

const std::string k_head = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("a head is found wherever it is split") {
  for (std::size_t split = 1; split < k_head.size(); ++split) {
    Line line;
    line.say(k_head.substr(0, split));
    line.fill_all();
    CHECK(!line.socket->has_head());
    line.say(k_head.substr(split));
    line.fill_all();
    CHECK(line.socket->has_head());
    CHECK(line.read(k_head.size()) == k_head);
  }
}

TEST_CASE("a head that comes byte by byte is found with its last one") {
  Line line;
  for (std::size_t i = 0; i < k_head.size(); ++i) {
    CHECK(!line.socket->has_head());
    line.say(k_head.substr(i, 1));
    CHECK(line.socket->fill() == Filled::some);
  }
  CHECK(line.socket->has_head());
}

TEST_CASE("filling tells nothing new from a client that has closed") {
  Line line;
  CHECK(line.socket->fill() == Filled::nothing);
  line.client.reset();
  CHECK(line.socket->fill() == Filled::closed);
}

TEST_CASE("a head is too large one byte after 64 KiB, found or not") {
  Line line;
  const std::string long_head(http::k_largest_head, 'x');
  std::thread client([&] { line.say(long_head + "y"); });
  while (line.socket->unread() < http::k_largest_head) line.fill_all();
  client.join();
  line.fill_all();
  CHECK(line.socket->head_too_large());
  Line fits;
  std::thread other([&] { fits.say(long_head); });
  while (fits.socket->unread() < http::k_largest_head) fits.fill_all();
  other.join();
  CHECK(!fits.socket->head_too_large());
}

TEST_CASE("reading goes on from what was read ahead to what is still to come") {
  Line line;
  line.say(k_head + "begin");
  line.fill_all();
  line.say(" and end");
  CHECK(line.read(k_head.size()) == k_head);
  CHECK(line.read(9) == "begin and");
  CHECK(line.read(4) == " end");
  line.client.reset();
  char byte = 0;
  CHECK(line.socket->read(&byte, 1) == 0);
}

TEST_CASE("a body that does not come is given up after its patience") {
  Line line;
  char byte = 0;
  CHECK(line.socket->read(&byte, 1) == -1);
  CHECK(line.socket->timed_out());
  line.socket->begin_request();
  CHECK(!line.socket->timed_out());
}

TEST_CASE("the head of an answer waits for its first bytes and leaves with them in one send") {
  Line line(SOCK_SEQPACKET);
  line.socket->begin_request();
  CHECK(line.socket->write("head "));
  CHECK(line.hear().empty());
  CHECK(line.socket->write("body"));
  CHECK(line.hear() == "head body");
  CHECK(line.socket->write("more"));
  CHECK(line.hear() == "more");
}

TEST_CASE("an answer that is nothing but a head leaves at the request's end") {
  Line line(SOCK_SEQPACKET);
  line.socket->begin_request();
  CHECK(line.socket->write("head"));
  CHECK(line.hear().empty());
  line.socket->end_request();
  CHECK(line.hear() == "head");
}

TEST_CASE("what is held leaves before the daemon waits for the client, such as 100 Continue") {
  Line line(SOCK_SEQPACKET);
  line.socket->begin_request();
  CHECK(line.socket->write("HTTP/1.1 100 Continue\r\n\r\n"));
  line.say("body");
  CHECK(line.read(4) == "body");
  CHECK(line.hear() == "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST_CASE("each answer of a kept connection is held anew") {
  Line line(SOCK_SEQPACKET);
  for (int i = 0; i < 3; ++i) {
    line.socket->begin_request();
    CHECK(line.socket->write("head "));
    CHECK(line.socket->write("body"));
    line.socket->end_request();
    CHECK(line.hear() == "head body");
    CHECK(line.hear().empty());
  }
}

TEST_CASE("a request that came along with the one before it is found at that one's end") {
  Line line;
  line.say(k_head + k_head + "GET /half");
  line.fill_all();
  for (int i = 0; i < 2; ++i) {
    REQUIRE(line.socket->has_head());
    line.socket->begin_request();
    CHECK(line.read(k_head.size()) == k_head);
    line.socket->end_request();
  }
  CHECK(!line.socket->has_head());
  CHECK(line.socket->unread() == 9);
  line.say(" HTTP/1.1\r\n\r\n");
  line.fill_all();
  CHECK(line.socket->has_head());
}

TEST_CASE("writing to a client that has closed fails and kills nobody") {
  Line line;
  line.client.reset();
  line.socket->begin_request();
  CHECK(line.socket->write("held"));
  CHECK(!line.socket->write("sent"));
  CHECK(!line.socket->write("sent"));
}

TEST_CASE("a client that takes nothing counts as gone after the patience for sending") {
  Line line;
  line.socket->begin_request();
  CHECK(!line.socket->write(std::string(std::size_t{16} << 20U, 'x')));
}

TEST_CASE("a client that takes slowly gets all of it") {
  Line line(SOCK_STREAM, http::Patience{});
  const std::string much(std::size_t{8} << 20U, 'x');
  std::size_t heard = 0;
  std::thread client([&] {
    std::array<char, 65536> bytes{};
    while (heard < much.size()) {
      const ssize_t got = ::recv(line.client.get(), bytes.data(), bytes.size(), 0);
      if (got <= 0) return;
      heard += static_cast<std::size_t>(got);
    }
  });
  line.socket->begin_request();
  CHECK(line.socket->write(much));
  client.join();
  CHECK(heard == much.size());
}

}  // namespace nemo::test::client_socket_test
