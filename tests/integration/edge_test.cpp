// The HTTP edge under clients that are slow, old, odd or many.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <zlib.h>

#include <filesystem>
#include <thread>

#include "error_shape.h"
#include "harness.h"

namespace nemo::test::edge_test {

using namespace nemo::test;
using std::chrono::milliseconds;

namespace {

const std::string k_chat = "/v1/chat/completions";

std::string hello(const Json& more = Json::object()) {
  Json body = Json::parse(R"({"model":"gemini-2.5-flash","messages":[{"role":"user","content":"hello there"}]})");
  body.update(more);
  return body.dump();
}

std::string streamed(const Json& script = Json::object()) {
  return hello({{"stream", true}, {"fake", script}});
}

Rig::Options with_patience(milliseconds head, milliseconds body) {
  Rig::Options options;
  options.patience.head = head;
  options.patience.body = body;
  return options;
}

std::string head_of_chat(const Rig& rig, const std::string& framing, const std::string& version = "HTTP/1.1") {
  return "POST " + k_chat + " " + version + "\r\nHost: localhost\r\nAuthorization: Bearer " + rig.key() +
         "\r\nContent-Type: application/json\r\n" + framing + "\r\n";
}

std::string length_of(const std::string& body) {
  return "Content-Length: " + std::to_string(body.size()) + "\r\n";
}

std::size_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

void allow_descriptors(rlim_t wanted) {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE(limit.rlim_max >= wanted);
  limit.rlim_cur = std::max(limit.rlim_cur, wanted);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

// Reads until `part` has come.
bool receive_until(Client& client, const std::string& part) {
  std::string all;
  while (!contains(all, part)) {
    const std::string some = client.receive_some();
    if (some.empty()) return false;
    all += some;
  }
  return true;
}

std::string gzip(const std::string& text) {
  z_stream zip{};
  constexpr int k_gzip_window = 15 + 16;
  deflateInit2(&zip, Z_BEST_COMPRESSION, Z_DEFLATED, k_gzip_window, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&zip, text.size()), '\0');
  zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  zip.avail_in = static_cast<uInt>(text.size());
  zip.next_out = reinterpret_cast<Bytef*>(out.data());
  zip.avail_out = static_cast<uInt>(out.size());
  deflate(&zip, Z_FINISH);
  out.resize(zip.total_out);
  deflateEnd(&zip);
  return out;
}

}  // namespace

TEST_CASE("a head that comes too slowly is refused and its connection closed, while others are served") {
  Rig rig(with_patience(milliseconds(200), milliseconds(30'000)));
  Client slow(rig.port());
  slow.send("POST /v1/chat/completions HTTP/1.1\r\nHost: loc");
  CHECK(rig.post(k_chat, hello()).status == 200);
  // Bytes now and then do not win it more time.
  CHECK(eventually([&] { return !slow.send("a") || ::recv(slow.fd(), nullptr, 0, MSG_DONTWAIT | MSG_PEEK) == 0; }));
  Client silent(rig.port());
  silent.send("GET /health HTTP/1.1\r\n");
  CHECK(contains(expect_error(silent.receive(), 408, "invalid_request"), "head"));
  CHECK(silent.receive_some().empty());
  CHECK(rig.post(k_chat, hello()).status == 200);
}

TEST_CASE("a body that stops coming is refused") {
  Rig rig(with_patience(milliseconds(30'000), milliseconds(100)));
  Client client(rig.port());
  client.send(head_of_chat(rig, "Content-Length: 500\r\n") + "{\"model\":");
  CHECK(contains(expect_error(client.receive(), 408, "invalid_request"), "body"));
  Client in_chunks(rig.port());
  in_chunks.send(head_of_chat(rig, "Transfer-Encoding: chunked\r\n") + "9\r\n{\"model\":\r\n");
  CHECK(contains(expect_error(in_chunks.receive(), 408, "invalid_request"), "body"));
  CHECK(rig.upstream.summary()["started"] == 0);
}

TEST_CASE("a client that waits for 100 Continue is told to go on, and is then answered") {
  Rig rig;
  Client client(rig.port());
  client.send(head_of_chat(rig, "Expect: 100-continue\r\n" + length_of(hello())));
  CHECK(receive_until(client, "HTTP/1.1 100 Continue\r\n\r\n"));
  client.send(hello());
  CHECK(client.receive().status == 200);
}

TEST_CASE("bodies in chunks, and compressed ones, are read whole") {
  Rig rig;
  const std::string body = hello({{"user", std::string(5'000, 'u')}});
  Client client(rig.port());
  std::string in_chunks = head_of_chat(rig, "Transfer-Encoding: chunked\r\n");
  char size[20];
  std::snprintf(size, sizeof size, "%zX", body.size() - 10);
  in_chunks += "a\r\n" + body.substr(0, 10) + "\r\n" + size + ";name=value\r\n" + body.substr(10) + "\r\n0\r\n\r\n";
  client.send(in_chunks);
  CHECK(client.receive().status == 200);
  const std::string packed = gzip(body);
  client.send(head_of_chat(rig, "Content-Encoding: gzip\r\n" + length_of(packed)) + packed);
  CHECK(client.receive().status == 200);
  const Json journal = rig.upstream.journal();
  const Json& calls = journal.is_array() ? journal : journal["calls"];
  REQUIRE(calls.size() == 2);
  for (const Json& call : calls) CHECK(call["body"] == body);
}

TEST_CASE("an HTTP/1.0 client is answered and closed, unless it asks for the connection to stay") {
  Rig rig;
  Client once(rig.port());
  once.send(head_of_chat(rig, length_of(hello()), "HTTP/1.0") + hello());
  const Reply reply = once.receive();
  CHECK(reply.status == 200);
  CHECK(reply.header("transfer-encoding").empty());
  CHECK(once.receive_some().empty());
  Client kept(rig.port());
  for (int i = 0; i < 2; ++i) {
    kept.send(head_of_chat(rig, "Connection: Keep-Alive\r\n" + length_of(hello()), "HTTP/1.0") + hello());
    CHECK(kept.receive().status == 200);
  }
}

TEST_CASE("a stream to an HTTP/1.0 client has no chunk framing and ends with the connection") {
  Rig rig;
  for (const char* connection : {"", "Connection: Keep-Alive\r\n"}) {
    CAPTURE(connection);
    Client client(rig.port());
    client.send(head_of_chat(rig, connection + length_of(streamed()), "HTTP/1.0") + streamed());
    const Reply reply = client.receive();
    CHECK(reply.status == 200);
    CHECK(reply.header("transfer-encoding").empty());
    CHECK(stream_events(reply.body).back() == "[DONE]");
    CHECK(client.receive_some().empty());
  }
}

TEST_CASE("one connection carries fifty requests, streams among them") {
  Rig rig;
  Client client(rig.port());
  for (int i = 0; i < 50; ++i) {
    const bool stream = i % 3 == 0;
    client.send(rig.request("POST", k_chat, stream ? streamed() : hello()));
    const Reply reply = client.receive();
    CHECK(reply.status == 200);
    CHECK(reply.whole);
  }
  CHECK(rig.rows(50).size() == 50);
}

TEST_CASE("a refused body that was read leaves the connection usable") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("POST", k_chat, "no json"));
  expect_error(client.receive(), 400, "invalid_request");
  client.send(rig.request("POST", k_chat, hello()));
  CHECK(client.receive().status == 200);
}

TEST_CASE("requests sent one after the other without waiting are answered in order") {
  Rig rig;
  Client client(rig.port());
  const std::string first = hello({{"fake", {{"content", "first"}, {"hold", true}}}});
  const std::string second = hello({{"fake", {{"content", "second"}}}});
  client.send(rig.request("POST", k_chat, first) + rig.request("POST", k_chat, second) +
              rig.request("GET", "/health", ""));
  REQUIRE(eventually([&] { return rig.upstream.summary()["started"] == 1; }));
  REQUIRE(rig.waits_with(1));
  rig.upstream.release();
  CHECK(client.receive().json()["choices"][0]["message"]["content"] == "first");
  CHECK(client.receive().json()["choices"][0]["message"]["content"] == "second");
  CHECK(client.receive().json()["status"] == "ok");
}

TEST_CASE("an offer to upgrade to another protocol is passed over") {
  Rig rig;
  const Reply reply =
      rig.post(k_chat, hello(),
               {"Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"});
  CHECK(reply.status == 200);
}

TEST_CASE("HEAD is answered as GET without a body") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("HEAD", "/v1/models", ""));
  CHECK(receive_until(client, "\r\n\r\n"));
  client.send(rig.request("GET", "/health", ""));
  CHECK(client.receive().json()["status"] == "ok");
}

TEST_CASE("a client that closes its sending side has left: in the head, in the body, and while it waits") {
  Rig rig;
  Client in_head(rig.port());
  in_head.send("GET /health HTT");
  in_head.half_close();
  CHECK(in_head.receive_some().empty());
  Client in_body(rig.port());
  in_body.send(head_of_chat(rig, "Content-Length: 500\r\n") + "{");
  in_body.half_close();
  expect_error(in_body.receive(), 400, "invalid_request");
  CHECK(in_body.receive_some().empty());
  Client waiting(rig.port());
  waiting.send(rig.request("POST", k_chat, hello({{"fake", {{"delay_ms", 600'000}}}})));
  CHECK(eventually([&] { return rig.upstream.summary()["open"] == 1; }));
  waiting.half_close();
  CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == 1; }));
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["status"] == "cancelled");
}

TEST_CASE("a client that never reads its large stream holds nobody else up, and is given up in the end") {
  Rig::Options options;
  options.patience.send = milliseconds(300);
  Rig rig(options);
  Client deaf(rig.port());
  deaf.send(rig.request("POST", k_chat, streamed({{"tokens", 4'000}, {"huge_chunk_bytes", 16'384}})));
  CHECK(eventually([&] { return rig.upstream.summary()["started"] == 1; }));
  for (int i = 0; i < 5; ++i) CHECK(rig.post(k_chat, streamed()).whole);
  CHECK(eventually([&] { return rig.admin("GET", "/status")["open_calls"] == 0; }));
  const auto rows = rig.rows(6);
  REQUIRE(rows.size() == 6);
  const auto cancelled = std::count_if(rows.begin(), rows.end(), [](const Json& row) {
    return row["status"] == "cancelled" && row["usage_source"] == "partial";
  });
  CHECK(cancelled == 1);
}

TEST_CASE("idle connections hold no threads") {
  Rig rig;
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 300; ++i) {
    idle.push_back(std::make_unique<Client>(rig.port()));
    idle.back()->send(rig.request("GET", "/health", ""));
    CHECK(idle.back()->receive().status == 200);
  }
  CHECK(rig.admin("GET", "/status")["open_connections"] == 300);
  CHECK(eventually([] { return threads() < 40; }));
  for (auto& client : idle) {
    client->send(rig.request("GET", "/health", ""));
    CHECK(client->receive().status == 200);
  }
}

TEST_CASE("an idle connection is closed when its time is up") {
  Rig::Options options;
  options.patience.idle = milliseconds(100);
  Rig rig(options);
  Client client(rig.port());
  client.send(rig.request("GET", "/health", ""));
  CHECK(client.receive().status == 200);
  CHECK(client.receive_some().empty());
}

TEST_CASE("a thousand streams are open at once, and all end when upstream goes on or their clients leave") {
  allow_descriptors(8'192);
  Rig rig;
  constexpr std::size_t k_streams = 1'000;
  const std::string stalled = streamed({{"tokens", 20}, {"stall_after_chunks", 3}});
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < k_streams; ++i) {
    clients.push_back(std::make_unique<Client>(rig.port()));
    REQUIRE(clients.back()->send(rig.request("POST", k_chat, stalled)));
  }
  for (auto& client : clients) REQUIRE(receive_until(*client, "data: {"));
  CHECK(rig.upstream.summary()["open"] == k_streams);
  CHECK(rig.admin("GET", "/status")["open_calls"] == k_streams);
  CHECK(rig.post(k_chat, hello()).status == 200);
  for (auto& client : clients) client->close();
  CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == k_streams; }));
  CHECK(eventually([&] { return rig.admin("GET", "/status")["open_calls"] == 0; }));
  CHECK(eventually([&] { return rig.admin("GET", "/status")["ledger"]["written"] == k_streams + 1; }));
  CHECK(eventually([] { return threads() < 40; }));
}

TEST_CASE("a thousand streams that upstream lets rest all come to their whole end") {
  allow_descriptors(8'192);
  Rig rig;
  constexpr std::size_t k_streams = 1'000;
  const std::string resting = streamed({{"tokens", 4}, {"hold_after_chunks", 2}});
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < k_streams; ++i) {
    clients.push_back(std::make_unique<Client>(rig.port()));
    REQUIRE(clients.back()->send(rig.request("POST", k_chat, resting)));
  }
  REQUIRE(eventually([&] { return rig.upstream.summary()["open"] == k_streams; }));
  rig.upstream.release();
  std::size_t whole = 0;
  for (auto& client : clients) {
    const Reply reply = client->receive();
    if (reply.whole && stream_events(reply.body).back() == "[DONE]") ++whole;
  }
  CHECK(whole == k_streams);
  CHECK(rig.upstream.summary()["models"]["gemini-2.5-flash"]["completed"]["calls"] == k_streams);
}

TEST_CASE("without require_key no key and foreign keys are the seat local; a key that looks like ours must be right") {
  Rig::Options options;
  options.toml = "require_key = false";
  Rig rig(options);
  CHECK(rig.post(k_chat, hello(), {"Authorization:"}).status == 200);
  CHECK(rig.post(k_chat, hello(), {"Authorization: Bearer sk-proj-of-somebody"}).status == 200);
  CHECK(rig.post(k_chat, hello(), {"x-api-key: ollama"}).status == 200);
  CHECK(rig.post(k_chat, hello()).status == 200);
  expect_error(rig.post(k_chat, hello(), {"Authorization: Bearer sk-nemo-wrong"}), 401, "invalid_api_key");
  const auto rows = rig.rows(5);
  REQUIRE(rows.size() == 5);
  std::map<std::string, int> seats;
  for (const Json& row : rows) ++seats[row["seat"].get<std::string>()];
  CHECK(seats["local"] == 3);
  CHECK(seats["tester"] == 1);
  CHECK(seats[""] == 1);
}

}  // namespace nemo::test::edge_test
