#include <doctest/doctest.h>
#include <sys/socket.h>

#include "fetch.h"
#include "tcp_server.h"

namespace nemo::test::exchange_test {

using namespace nemo;
using namespace nemo::test;
using upstream::Wake;

namespace {

void serve_ok(Peer& peer, int) {
  while (!peer.read_request().empty()) peer.answer("ok");
}

constexpr std::string_view k_open_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr int k_no_client = -1;

struct Pair {
  Pair() {
    std::array<int, 2> both{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()) == 0);
    near = FileDescriptor(both[0]);
    far = FileDescriptor(both[1]);
  }
  FileDescriptor near;
  FileDescriptor far;
};

}  // namespace

TEST_CASE_TEMPLATE("a request goes out as it was given: method, headers, key and body", Way, ByCurl, Directly) {
  std::string seen;
  TcpServer server([&](Peer& peer, int) {
    seen = peer.read_request();
    peer.answer("ok");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  upstream::Request request = request_to(server.url("/v1/chat/completions"), R"({"a":1})");
  request.headers = {"Content-Type: application/json", "X-Own: yes"};
  request.bearer = Secret("sk-test");
  CHECK(fetch(transport, std::move(request)).body == "ok");
  CHECK(seen.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
  CHECK(seen.find("\r\nAuthorization: Bearer sk-test\r\n") != std::string::npos);
  CHECK(seen.find("\r\nX-Own: yes\r\n") != std::string::npos);
  CHECK(seen.find("\r\nExpect:") == std::string::npos);
  CHECK(seen.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE_TEMPLATE("a key that has a header of its own goes there and nowhere else", Way, ByCurl, Directly) {
  std::string seen;
  TcpServer server([&](Peer& peer, int) {
    seen = peer.read_request();
    peer.answer("ok");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  upstream::Request request = request_to(server.url());
  request.bearer = Secret("sk-ant-test");
  request.key_header = "x-api-key";
  CHECK(fetch(transport, std::move(request)).body == "ok");
  CHECK(seen.find("\r\nx-api-key: sk-ant-test\r\n") != std::string::npos);
  CHECK(seen.find("Authorization") == std::string::npos);
  CHECK(seen.find("sk-ant-test") == seen.rfind("sk-ant-test"));
}

TEST_CASE_TEMPLATE("without a key there is no header for one, whatever its name", Way, ByCurl, Directly) {
  std::string seen;
  TcpServer server([&](Peer& peer, int) {
    seen = peer.read_request();
    peer.answer("ok");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  upstream::Request request = request_to(server.url());
  request.key_header = "x-api-key";
  CHECK(fetch(transport, std::move(request)).body == "ok");
  CHECK(seen.find("x-api-key") == std::string::npos);
  CHECK(seen.find("Authorization") == std::string::npos);
}

TEST_CASE_TEMPLATE("a GET has no body, and nothing of the POST before it", Way, ByCurl, Directly) {
  std::vector<std::string> seen;
  TcpServer server([&](Peer& peer, int) {
    for (std::string one; !(one = peer.read_request()).empty();) {
      seen.push_back(one);
      peer.answer("ok");
    }
  });
  Way way;
  upstream::Transport& transport = way.transport;
  upstream::Request post = request_to(server.url("/same"));
  post.bearer = Secret("sk-first");
  fetch(transport, std::move(post));
  upstream::Request get = request_to(server.url("/same"), "");
  get.method = "GET";
  CHECK(fetch(transport, std::move(get)).body == "ok");
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].starts_with("GET /same HTTP/1.1\r\n"));
  CHECK(seen[1].find("sk-first") == std::string::npos);
  CHECK(seen[1].find("Content-Length") == std::string::npos);
}

TEST_CASE_TEMPLATE("calls one after the other use one connection", Way, ByCurl, Directly) {
  TcpServer server(serve_ok);
  Way way;
  upstream::Transport& transport = way.transport;
  for (int i = 0; i < 50; ++i) CHECK(fetch(transport, request_to(server.url())).body == "ok");
  CHECK(server.accepted() == 1);
}

TEST_CASE_TEMPLATE("a kept connection that the server has closed is replaced, and the call does not notice", Way,
                   ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.answer("ok");  // and closes without having said so
  });
  Way way;
  upstream::Transport& transport = way.transport;
  for (int i = 0; i < 5; ++i) {
    CHECK(fetch(transport, request_to(server.url())).body == "ok");
    CHECK(eventually([&] { return server.closed() == i + 1; }));
  }
  CHECK(server.accepted() == 5);
}

TEST_CASE_TEMPLATE("a kept connection that the server closes just as the next request comes is replaced too", Way,
                   ByCurl, Directly) {
  TcpServer server([](Peer& peer, int number) {
    peer.read_request();
    peer.answer("ok");
    if (number == 0) peer.read_request();  // is not answered
  });
  Way way;
  upstream::Transport& transport = way.transport;
  CHECK(fetch(transport, request_to(server.url())).body == "ok");
  CHECK(fetch(transport, request_to(server.url())).body == "ok");
  CHECK(server.accepted() == 2);
}

TEST_CASE_TEMPLATE("calls from many threads all get their own answers", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    for (std::string one; !(one = peer.read_request()).empty();) peer.answer(one.substr(one.find("\r\n\r\n") + 4));
  });
  Way way;
  upstream::Transport& transport = way.transport;
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string body = std::to_string(t) + ":" + std::to_string(i);
        if (fetch(transport, request_to(server.url(), body)).body == body) ++right;
      }
    });
  }
  for (std::thread& one : threads) one.join();
  CHECK(right == 400);
  CHECK(server.accepted() <= 16);
}

TEST_CASE_TEMPLATE("100 Continue and 103 before the head are no head, and trailers are none either", Way, ByCurl,
                   Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    peer.send("HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nX-Own:  a: b \r\nTrailer: X-End\r\n\r\n");
    peer.send("2\r\nok\r\n0\r\nX-End: late\r\n\r\n");
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const Fetched fetched = fetch(transport, request_to(server.url()));
  CHECK(!fetched.failure.has_value());
  CHECK(fetched.head.status == 201);
  REQUIRE(fetched.head.find("x-own") != nullptr);
  CHECK(fetched.head.find("x-own")->starts_with("a: b"));
  CHECK(fetched.head.find("link") == nullptr);
  CHECK(fetched.head.find("x-end") == nullptr);
  CHECK(fetched.body == "ok");
}

TEST_CASE_TEMPLATE("a compressed answer that nobody asked for is read", Way, ByCurl, Directly) {
  const std::string packed(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x48\xcd\xc9\xc9\x57\xb2\x52\x2a\xc9\x48\x2d\x4a\x55\xaa\x05"
      "\x00\xfd\x6a\x20\x97\x11\x00\x00\x00",
      37);
  TcpServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 37\r\n\r\n" + packed);
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const Fetched fetched = fetch(transport, request_to(server.url()));
  CHECK(fetched.body == R"({"hello":"there"})");
  CHECK(!fetched.failure.has_value());
}

TEST_CASE_TEMPLATE("a redirect is an answer and is not followed", Way, ByCurl, Directly) {
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    peer.wait_for_close();
  });
  Way way;
  upstream::Transport& transport = way.transport;
  CHECK(fetch(transport, request_to(server.url())).head.status == 302);
}

TEST_CASE_TEMPLATE("a wait with a limit comes back when nothing has come, and the exchange goes on", Way, ByCurl,
                   Directly) {
  std::atomic<bool> go_on{false};
  TcpServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.send(k_open_head);
    eventually([&] { return go_on.load(); });
    peer.send("2\r\nok\r\n0\r\n\r\n");
    peer.wait_for_close();
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const auto exchange = transport.start(request_to(server.url()));
  REQUIRE(exchange->wait_head(k_no_client) == Wake::ready);
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  CHECK(exchange->wait_body(k_no_client, soon) == Wake::not_yet);
  CHECK(std::chrono::steady_clock::now() >= soon);
  go_on = true;
  CHECK(exchange->wait_body(k_no_client) == Wake::ready);
  std::string body;
  CHECK(exchange->take(body));
  CHECK(body == "ok");
  CHECK(exchange->wait_body(k_no_client) == Wake::ended);
  CHECK(!exchange->failure().has_value());
}

TEST_CASE_TEMPLATE("a client that leaves is seen while upstream is silent, before the head and after", Way, ByCurl,
                   Directly) {
  for (const bool with_head : {false, true}) {
    TcpServer server([&](Peer& peer, int) {
      peer.read_request();
      if (with_head) peer.send(k_open_head);
      peer.wait_for_close();
    });
    Way way;
    upstream::Transport& transport = way.transport;
    Pair client;
    auto exchange = transport.start(request_to(server.url()));
    if (with_head) REQUIRE(exchange->wait_head(client.near.get()) == Wake::ready);
    std::thread leaving([&] { client.far.reset(); });
    CHECK((with_head ? exchange->wait_body(client.near.get()) : exchange->wait_head(client.near.get())) ==
          Wake::client_gone);
    leaving.join();
    CHECK(server.closed() == 0);
    exchange.reset();
    CHECK(eventually([&] { return server.closed() == 1; }));
  }
}

TEST_CASE_TEMPLATE("an exchange that is dropped closes its connection at once, at whatever stage it is", Way, ByCurl,
                   Directly) {
  for (const std::string_view said : {std::string_view(), k_open_head, std::string_view("HTTP/1.1 200 OK\r\nX: ")}) {
    std::atomic<bool> asked{false};
    TcpServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.send(said);
      asked = true;
      peer.wait_for_close();
    });
    Way way;
    upstream::Transport& transport = way.transport;
    auto exchange = transport.start(request_to(server.url()));
    exchange->wait_body(k_no_client, std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
    CHECK(eventually([&] { return asked.load(); }));
    exchange.reset();
    CHECK(eventually([&] { return server.closed() == 1; }));
  }
}

TEST_CASE_TEMPLATE("an exchange that is dropped before it began leaves nothing behind", Way, ByCurl, Directly) {
  TcpServer server(serve_ok);
  Way way;
  upstream::Transport& transport = way.transport;
  for (int i = 0; i < 100; ++i) transport.start(request_to(server.url()));
  CHECK(fetch(transport, request_to(server.url())).body == "ok");
}

TEST_CASE_TEMPLATE("an answer that is read slowly comes whole and in order", Way, ByCurl, Directly) {
  constexpr int k_pieces = 4096;  // of 4 KiB: far more than a pipe holds
  TcpServer server([](Peer& peer, int) {
    peer.read_request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(k_pieces * 4096) + "\r\n\r\n");
    for (int i = 0; i < k_pieces; ++i) {
      if (!peer.send(std::string(4096, static_cast<char>('a' + i % 26)))) return;
    }
    peer.wait_for_close();
  });
  Way way;
  upstream::Transport& transport = way.transport;
  const auto slow = transport.start(request_to(server.url()));
  REQUIRE(slow->wait_head(k_no_client) == Wake::ready);
  TcpServer other(serve_ok);
  for (int i = 0; i < 20; ++i) CHECK(fetch(transport, request_to(other.url())).body == "ok");
  std::string body;
  while (slow->wait_body(k_no_client) == Wake::ready) slow->take(body);
  CHECK(!slow->failure().has_value());
  REQUIRE(body.size() == k_pieces * 4096U);
  bool in_order = true;
  for (std::size_t i = 0; i < body.size(); ++i)
    in_order = in_order && body[i] == static_cast<char>('a' + i / 4096 % 26);
  CHECK(in_order);
}

}  // namespace nemo::test::exchange_test
