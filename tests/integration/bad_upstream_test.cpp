// Upstreams that are not there, or not what they should be: the caller is told which, and never a secret.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "error_shape.h"
#include "harness.h"

namespace nemo::test::bad_upstream_test {

using namespace nemo::test;

namespace {

const std::string k_chat = "/v1/chat/completions";
const std::string k_secret = "sk-upstream-secret-0123456789";

// A port that nobody listens on while this object holds it.
class DeadPort {
 public:
  DeadPort() : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(m_fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(m_fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    m_port = ntohs(address.sin_port);
  }
  std::string text() const { return std::to_string(m_port); }

 private:
  nemo::FileDescriptor m_fd;
  int m_port = 0;
};

// A server that answers every connection in clear, whatever it says.
class PlainServer {
 public:
  PlainServer() : m_fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(m_fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(m_fd.get(), 16) == 0);
    REQUIRE(::getsockname(m_fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    m_port = ntohs(address.sin_port);
    m_thread = std::thread([this] { run(); });
  }
  ~PlainServer() {
    ::shutdown(m_fd.get(), SHUT_RDWR);
    m_thread.join();
  }
  std::string text() const { return std::to_string(m_port); }

 private:
  void run() {
    constexpr std::string_view k_answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    for (;;) {
      const nemo::FileDescriptor client(::accept4(m_fd.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client.valid()) return;
      std::array<char, 4096> bytes{};
      if (::recv(client.get(), bytes.data(), bytes.size(), 0) > 0) {
        ::send(client.get(), k_answer.data(), k_answer.size(), MSG_NOSIGNAL);
      }
    }
  }

  nemo::FileDescriptor m_fd;
  int m_port = 0;
  std::thread m_thread;
};

// One upstream at `base_url`, asked for one model.
Rig::Options only(const std::string& base_url, const std::string& key = "env:FAKE_KEY") {
  Rig::Options options;
  options.own_upstream = true;
  options.toml = "[[upstream]]\nname = \"bad\"\nkind = \"openai\"\nbase_url = \"" + base_url + "\"\nkey = \"" + key +
                 "\"\n[[deployment]]\nmodel = \"gemini-2.5-flash\"\nupstream = \"bad\"\n";
  return options;
}

Reply ask(Rig& rig, const std::string& extra = "") {
  return rig.post(k_chat, R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"hi"}])" + extra + "}");
}

// The answer says what happened with which host; the row says it too, and costs nothing.
void expect_bad_gateway(Rig& rig, const Reply& reply, const std::string& host) {
  const std::string message = expect_error(reply, 502, "upstream_error");
  CHECK(contains(message, host));
  CHECK(!contains(reply.head + reply.body, k_secret));
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["status"] == "error");
  CHECK(rows[0]["http_status"] == 502);
  CHECK(rows[0]["error_code"] == "upstream_error");
  CHECK(rows[0]["cost"] == "0");
}

}  // namespace

TEST_CASE("an upstream that refuses connections is named") {
  const DeadPort dead;
  Rig rig(only("http://127.0.0.1:" + dead.text() + "/v1"));
  expect_bad_gateway(rig, ask(rig), "127.0.0.1:" + dead.text());
}

TEST_CASE("an upstream whose name does not resolve is named") {
  Rig rig(only("http://no-such-host.invalid/v1"));
  expect_bad_gateway(rig, ask(rig), "no-such-host.invalid");
}

TEST_CASE("an upstream that does not speak TLS where it should is named") {
  const PlainServer plain;
  Rig rig(only("https://127.0.0.1:" + plain.text() + "/v1"));
  const Reply reply = ask(rig);
  expect_bad_gateway(rig, reply, "127.0.0.1:" + plain.text());
  CHECK(contains(reply.body, "TLS"));
}

TEST_CASE("an upstream that resets the connection before its head is named") {
  Rig rig;
  const Reply reply = ask(rig, R"(,"fake":{"cut_before_head":true})");
  expect_bad_gateway(rig, reply, "127.0.0.1:" + std::to_string(rig.upstream.port()));
}

TEST_CASE("an upstream that is silent for too long is a gateway timeout, and the call is cancelled there") {
  Rig::Options options;
  options.upstream_toml = "first_token_timeout = \"100ms\"";
  Rig rig(options);
  expect_error(ask(rig, R"(,"fake":{"delay_ms":600000})"), 504, "upstream_timeout");
  CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));
}

TEST_CASE("an upstream whose answer is no JSON or is damaged is a bad gateway") {
  Rig rig;
  expect_error(ask(rig, R"(,"fake":{"empty_200":true})"), 502, "upstream_error");
  expect_error(ask(rig, R"(,"fake":{"gzip_garbage":true})"), 502, "upstream_error");
}

TEST_CASE("an upstream that refuses the seat key does not show it to the caller") {
  Rig rig;
  const Reply reply = ask(rig, R"(,"fake":{"status":401,"error_message":"bad key )" + k_secret + R"("})");
  CHECK(reply.status == 401);
  CHECK(!contains(reply.body, k_secret));
  CHECK(contains(reply.body, "bad key"));
}

TEST_CASE("an upstream without its key is no deployment, and the way to give it one is said") {
  FakeUpstream fake;
  Rig rig(only(fake.base_url(), "secret:work"));
  const std::string message = expect_error(ask(rig), 503, "no_deployment_available");
  CHECK(contains(message, "nemo login --upstream bad"));
  CHECK(fake.summary()["started"] == 0);
  rig.admin("POST", "/upstreams/bad/key", {{"key", "sk-work-0123456789abcdef"}});
  CHECK(ask(rig).status == 200);
}

}  // namespace nemo::test::bad_upstream_test
