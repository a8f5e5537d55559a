#include <doctest/doctest.h>

#include "fetch.h"
#include "tcp_server.h"

namespace nemo::test::failures_test {

using namespace nemo;
using namespace nemo::test;

namespace {

void check_error(const Fetched& fetched, std::string_view words, ErrorKind kind = ErrorKind::upstream_error) {
  REQUIRE(fetched.failure.has_value());
  CHECK(fetched.failure->kind == kind);
  CHECK_MESSAGE(fetched.failure->message.find(words) != std::string::npos, fetched.failure->message);
}

// And yet time enough for what is sent at once.
constexpr std::chrono::milliseconds k_short{500};

upstream::Request impatient(const std::string& url) {
  upstream::Request request = request_to(url);
  request.first_byte_timeout = k_short;
  request.idle_timeout = k_short;
  return request;
}

constexpr std::string_view k_open_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

}  // namespace

TEST_CASE_TEMPLATE("a refused connection says so and names the place", Way, ByCurl, Directly) {
  Way way;
  upstream::Transport& transport = way.transport;
  std::string url;
  {
    TcpServer gone([](Peer&, int) {});
    url = gone.url();
  }
  const Fetched fetched = fetch(transport, request_to(url));
  CHECK(!fetched.has_head);
  check_error(fetched, "refused the connection");
  check_error(fetched, url.substr(7, url.size() - 8));
}

TEST_CASE_TEMPLATE("a name that nobody knows says so", Way, ByCurl, Directly) {
  Way way;
  upstream::Transport& transport = way.transport;
  check_error(fetch(transport, request_to("http://no-such-host.invalid/")), "its name was not found");
}

TEST_CASE_TEMPLATE("a connection that is reset before the head is an error without a head", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.reset();
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const Fetched fetched = fetch(transport, request_to(server.url()));
  CHECK(!fetched.has_head);
  check_error(fetched, "the connection was reset");
}

TEST_CASE_TEMPLATE("a connection that is closed before the head is an error without a head", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) { peer.read_request(); });
  Way way;
  upstream::Transport& transport = way.transport;
  const Fetched fetched = fetch(transport, request_to(server.url()));
  CHECK(!fetched.has_head);
  check_error(fetched, "closed the connection without an answer");
}

TEST_CASE_TEMPLATE("an answer that ends before its length is an error, and what came is there", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const Fetched fetched = fetch(transport, request_to(server.url()));
  CHECK(fetched.head.status == 200);
  CHECK(fetched.body == "half");
  check_error(fetched, "ended too early");
}

TEST_CASE_TEMPLATE("a chunked answer that ends without its last chunk is an error", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send(std::string(k_open_head) + "4\r\nhalf\r\n");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const Fetched fetched = fetch(transport, request_to(server.url()));
  CHECK(fetched.body == "half");
  check_error(fetched, "could not answer");
}

TEST_CASE_TEMPLATE("a reset in the middle of the body is an error", Way, ByCurl, Directly) {
  std::atomic<bool> taken{false};
  TcpServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.send(std::string(k_open_head) + "4\r\nhalf\r\n");
    eventually([&] { return taken.load(); });
    peer.reset();
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const auto exchange = transport.start(request_to(server.url()));
  std::string body;
  REQUIRE(exchange->wait_head(-1) == upstream::Wake::ready);
  REQUIRE(exchange->wait_body(-1) == upstream::Wake::ready);
  exchange->take(body);
  taken = true;
  CHECK(exchange->wait_body(-1) == upstream::Wake::ended);
  CHECK(exchange->failure()->kind == ErrorKind::upstream_error);
}

TEST_CASE_TEMPLATE("an upstream that answers with something else than HTTP is an error that says so", Way, ByCurl,
                   Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("220 mail.example ESMTP\r\n");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  check_error(fetch(transport, request_to(server.url())), "does not speak HTTP");
}

TEST_CASE_TEMPLATE("TLS asked of a port that speaks none is an error that names the scheme", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) { peer.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  Way way;
  upstream::Transport& transport = way.transport;
  check_error(fetch(transport, request_to("https" + server.url().substr(4))), "the right scheme and port");
}

TEST_CASE_TEMPLATE("an upstream that accepts and says nothing is given up after the patience for the first byte", Way,
                   ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) { peer.wait_for_close(); });
  Way way;
  upstream::Transport& transport = way.transport;
  const Fetched fetched = fetch(transport, impatient(server.url()));
  CHECK(!fetched.has_head);
  check_error(fetched, "sent no answer within 500 ms", ErrorKind::upstream_timeout);
  CHECK(eventually([&] { return server.closed() == 1; }));
}

TEST_CASE_TEMPLATE("a head alone is not the first byte of an answer", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send(k_open_head);
    peer.wait_for_close();
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const Fetched fetched = fetch(transport, impatient(server.url()));
  CHECK(fetched.head.status == 200);
  check_error(fetched, "sent no answer within 500 ms", ErrorKind::upstream_timeout);
}

TEST_CASE_TEMPLATE("an upstream that falls silent in its answer is given up after the idle patience", Way, ByCurl,
                   Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send(std::string(k_open_head) + "4\r\nhalf\r\n");
    peer.wait_for_close();
  });
  Way way;
  upstream::Transport& transport = way.transport;
  upstream::Request request = impatient(server.url());
  request.first_byte_timeout = std::chrono::seconds(60);
  const Fetched fetched = fetch(transport, std::move(request));
  CHECK(fetched.body == "half");
  check_error(fetched, "sent nothing more for 500 ms", ErrorKind::upstream_timeout);
  CHECK(eventually([&] { return server.closed() == 1; }));
}

TEST_CASE_TEMPLATE("a compressed answer that cannot be read is an error", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\ngarbage");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  check_error(fetch(transport, request_to(server.url())), "compressed, but not readable");
}

TEST_CASE_TEMPLATE("no failure shows a secret, neither the key nor what a URL carries", Way, ByCurl, Directly) {
  Way way;
  upstream::Transport& transport = way.transport;
  std::string port;
  {
    TcpServer gone([](Peer&, int) {});
    port = std::to_string(gone.port());
  }
  for (const std::string& url : {"http://user:hunter2secret@127.0.0.1:" + port + "/v1?key=hunter2secret",
                                 std::string("http://user:hunter2secret@no-such-host.invalid/?key=hunter2secret")}) {
    upstream::Request request = request_to(url);
    request.bearer = Secret("sk-hunter2secret-0123456789abcdef");
    const Fetched fetched = fetch(transport, std::move(request));
    REQUIRE(fetched.failure.has_value());
    CHECK(fetched.failure->message.find("hunter2secret") == std::string::npos);
  }
}

TEST_CASE_TEMPLATE("a URL that is none is a failure of its own call only", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    while (!peer.read_request().empty()) peer.answer("ok");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  for (const char* url : {"", "http://", "ftp://127.0.0.1/", "http://[bad", "file:///etc/passwd"}) {
    CHECK_MESSAGE(fetch(transport, request_to(url)).failure.has_value(), std::string(url));
  }
  CHECK(fetch(transport, request_to(server.url())).body == "ok");
}

}  // namespace nemo::test::failures_test
