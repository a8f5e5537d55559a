#include "daemon/origin/socket_list.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <bit>
#include <cstring>
#include <vector>

#include "daemon/origin/small_file.h"
#include "daemon/origin/socket_query.h"
#include "shared/file_descriptor.h"

namespace nemo::test::socket_list_test {

using namespace nemo;
using namespace nemo::origin;

namespace {

// As Linux prints it on a machine whose words begin with their lowest byte.
constexpr std::string_view k_list =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:18DE 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 ff 100 0 0 10 "
    "0\n"
    "   1: 0100007F:18DE 0100007F:8F3A 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 ff 20 4 30 10 "
    "-1\n"
    "   2: 0100007F:8F3A 0100007F:18DE 01 00000000:00000000 02:00000A1B 00000000  1001        0 4713 2 ff 20 4 0 10 "
    "-1\n"
    "   3: 0100007F:8F3C 0100007F:18DE 06 00000000:00000000 03:00001770 00000000     0        0 0 3 ff\n";

std::vector<ListedSocket> sockets_in(std::string_view text) {
  std::vector<ListedSocket> found;
  SocketList list(text);
  while (const auto socket = list.next()) found.push_back(*socket);
  return found;
}

sockaddr_storage ipv4(const char* host, in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

sockaddr_storage ipv6(const char* host, in_port_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  ::inet_pton(AF_INET6, host, &address.sin6_addr);
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

// A connection to a listener of this process, both ends of which are ours.
struct Connection {
  Connection() {
    const FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address = ipv4("127.0.0.1", 0);
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sockaddr_in)) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    client = FileDescriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(sockaddr_in)) == 0);
    server = FileDescriptor(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(server.valid());
  }
  FileDescriptor client;
  FileDescriptor server;
};

}  // namespace

TEST_CASE("every socket of the list that a process has is read, and the heading and those that ended are passed over") {
  const auto found = sockets_in(k_list);
  REQUIRE(found.size() == 3);
  CHECK(found[0].name == "0100007F:18DE 00000000:0000");
  CHECK(found[0].inode == 4711);
  CHECK(found[2].name == "0100007F:8F3A 0100007F:18DE");
  CHECK(found[2].user == 1001);
  CHECK(found[2].inode == 4713);
}

TEST_CASE("lines that are cut, empty or something else are passed over") {
  CHECK(sockets_in("").empty());
  CHECK(sockets_in("\n\n   \n").empty());
  for (std::size_t size = 0; size < k_list.size(); ++size) {
    const auto found = sockets_in(k_list.substr(0, size));
    CHECK(found.size() <= 3);
    for (const ListedSocket& socket : found) CHECK(socket.name.size() == 27);
  }
  CHECK(sockets_in("0: A  B 01 q t r 0 0 5\n").empty());
  CHECK(sockets_in("0: A B 01 q t r x 0 5\n").empty());
  CHECK(sockets_in("0: A B 01 q t r 0 0 99999999999999999999999\n").empty());
}

TEST_CASE("the peer's socket is named by its own end first, as it would be in each of the lists") {
  if constexpr (std::endian::native != std::endian::little) return;
  const Names four = names_of({ipv4("127.0.0.1", 0x8F3A), ipv4("127.0.0.1", 6366)});
  CHECK(four.in_tcp == "0100007F:8F3A 0100007F:18DE");
  CHECK(four.in_tcp6 == "0000000000000000FFFF00000100007F:8F3A 0000000000000000FFFF00000100007F:18DE");
  const Names six = names_of({ipv6("::1", 0x8F3A), ipv6("::1", 6366)});
  CHECK(six.in_tcp.empty());
  CHECK(six.in_tcp6 == "00000000000000000000000001000000:8F3A 00000000000000000000000001000000:18DE");
  const Names mapped = names_of({ipv6("::ffff:127.0.0.1", 0x8F3A), ipv6("::ffff:127.0.0.1", 6366)});
  CHECK(mapped.in_tcp == four.in_tcp);
  CHECK(mapped.in_tcp6 == four.in_tcp6);
}

TEST_CASE("the kernel lists the peer of a real connection under the name that is looked for") {
  const Connection connection;
  const auto ends = loopback_ends_of(connection.server.get());
  REQUIRE(ends.has_value());
  const auto text = read_small_file("/proc/net/tcp", k_largest_list_bytes);
  REQUIRE(text.has_value());
  const std::string name = names_of(*ends).in_tcp;
  int found = 0;
  for (const ListedSocket& socket : sockets_in(*text)) {
    if (socket.name != name) continue;
    ++found;
    CHECK(socket.user == ::geteuid());
    // What the kernel says when it is asked for the one socket is what its list says.
    if (const auto answer = SocketQuery().find(*ends)) {
      CHECK(answer->inode == socket.inode);
      CHECK(answer->user == socket.user);
    } else {
      MESSAGE("this kernel cannot be asked for one socket (sock_diag); the lists are read");
    }
  }
  CHECK(found == 1);
}

TEST_CASE("a connection that is over is no socket that the kernel finds") {
  Connection connection;
  const auto ends = loopback_ends_of(connection.server.get());
  REQUIRE(ends.has_value());
  connection.server.reset();
  connection.client.reset();
  CHECK_FALSE(SocketQuery().find(*ends).has_value());
}

TEST_CASE("what is no TCP connection, and what comes from another machine, has no ends to look for") {
  CHECK_FALSE(loopback_ends_of(-1).has_value());
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  const FileDescriptor near(pair[0]);
  const FileDescriptor far(pair[1]);
  CHECK_FALSE(loopback_ends_of(near.get()).has_value());
}

}  // namespace nemo::test::socket_list_test
