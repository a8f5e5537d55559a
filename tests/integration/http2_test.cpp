#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/upstream/transfer.h"
#include "tls_front.h"

namespace nemo::test::http2_test {

using namespace nemo::test;

namespace {

constexpr std::int64_t k_word_bytes = 65'536;

std::string streamed(const Json& fake) {
  return Json{{"model", "gemini-2.5-flash"},
              {"stream", true},
              {"messages", Json::array({{{"role", "user"}, {"content", "go"}}})},
              {"fake", fake}}
      .dump();
}

Rig::Options behind(const TlsFront& front, const std::string& more) {
  Rig::Options options;
  options.own_upstream = true;
  options.toml = "[[upstream]]\nname = \"front\"\nkind = \"openai\"\nbase_url = \"" + front.base_url() +
                 "\"\nkey = \"env:FAKE_KEY\"\n" + more;
  return options;
}

std::string trusting(const TlsFront& front) {
  return "ca_file = \"" + front.ca_file() + "\"\n";
}

// Events that hold a whole word. To parse so many megabytes would take a sanitizer most of a minute.
std::int64_t large_events(const std::string& body) {
  const auto events = stream_events(body);
  return std::count_if(events.begin(), events.end(), [](const std::string& event) {
    return static_cast<std::int64_t>(event.size()) > k_word_bytes && event.back() == '}';
  });
}

// The fake upstream behind a TLS front behind the daemon.
struct Service {
  Service() : front(backend.port()), rig(behind(front, trusting(front))) { backend.reset(); }
  FakeUpstream backend;
  TlsFront front;
  Rig rig;

  // A client that has asked and reads when it is told to.
  Client ask(const Json& fake) const {
    Client client(rig.port());
    client.send(rig.request("POST", "/v1/chat/completions", streamed(fake)));
    return client;
  }
  // What the backend knows of the call with this number, counted from 0.
  Json call(std::size_t number) {
    const Json journal = backend.journal();
    return number < journal.size() ? journal[number] : Json{{"state", "not there"}, {"chunks_sent", 0}};
  }
  bool has_sent(std::size_t number, std::int64_t chunks) {
    return eventually([&] { return call(number)["chunks_sent"].get<std::int64_t>() >= chunks; });
  }
  bool call_is(std::size_t number, const std::string& state) {
    return eventually([&] { return call(number)["state"] == state; });
  }
};

std::int64_t count_of_calls(FakeUpstream& backend, const char* what) {
  return backend.summary()[what].get<std::int64_t>();
}

}  // namespace

TEST_CASE("calls that run at once share one HTTP/2 connection") {
  Service service;
  constexpr int k_calls = 40;
  std::vector<Client> clients;
  for (int i = 0; i < k_calls; ++i) {
    clients.push_back(service.ask({{"hold", true}, {"content", "answer " + std::to_string(i)}}));
  }
  REQUIRE(eventually([&] { return count_of_calls(service.backend, "open") == k_calls; }));
  service.backend.release();
  for (int i = 0; i < k_calls; ++i) {
    const Reply reply = clients[static_cast<std::size_t>(i)].receive();
    CHECK(reply.status == 200);
    CHECK(reply.whole);
    CHECK(stream_text(reply.body) == "answer " + std::to_string(i));
  }
  CHECK(eventually([&] { return service.front.access_log().size() > k_calls; }));  // the model list is one more
  for (const auto& line : service.front.access_log()) CHECK(line.protocol == "h2");
  CHECK(service.front.connections().size() == 1);
}

TEST_CASE("a stream that its client leaves is reset alone: the connection stays and its siblings go on") {
  Service service;
  Client leaving = service.ask({{"tokens", 1'000'000}, {"chunk_ms", 5}});
  REQUIRE(service.has_sent(0, 3));
  Client staying = service.ask({{"tokens", 100}, {"hold_after_chunks", 3}});
  REQUIRE(service.has_sent(1, 3));
  leaving.close();
  CHECK(service.call_is(0, "cancelled"));
  CHECK(service.call(1)["state"] == "open");
  service.backend.release();
  const Reply reply = staying.receive();
  CHECK(reply.whole);
  CHECK(stream_events(reply.body).back() == "[DONE]");
  CHECK(service.call_is(1, "completed"));
  CHECK(service.rig.post("/v1/chat/completions", streamed({{"tokens", 3}})).status == 200);
  CHECK(eventually([&] { return service.front.access_log().size() == 5; }));  // one carries the reset out
  CHECK(service.front.connections().size() == 1);
}

TEST_CASE("a call that its client leaves before the answer's head is reset alone too") {
  Service service;
  Client leaving = service.ask({{"delay_ms", 60'000}});
  REQUIRE(service.call_is(0, "open"));
  Client staying = service.ask({{"tokens", 50}, {"hold_after_chunks", 1}});
  REQUIRE(service.has_sent(1, 1));
  leaving.close();
  CHECK(service.call_is(0, "cancelled"));
  CHECK(service.call(1)["state"] == "open");
  service.backend.release();
  CHECK(staying.receive().whole);
  CHECK(service.call_is(1, "completed"));
  CHECK(service.rig.post("/v1/chat/completions", streamed({{"tokens", 3}})).status == 200);
  // The front writes no line for the one that got no head; one carries its reset out.
  CHECK(eventually([&] { return service.front.access_log().size() == 4; }));
  CHECK(service.front.connections().size() == 1);
}

TEST_CASE(
    "a call that is left while nothing else is on its connection is reset at once, before the head and in the answer") {
  for (const Json& script : {Json{{"hold", true}}, Json{{"tokens", 10}, {"hold_after_chunks", 3}}}) {
    CAPTURE(script.dump());
    Service service;
    CHECK(service.rig.post("/v1/chat/completions", streamed({{"tokens", 3}})).status == 200);
    Client leaving = service.ask(script);
    REQUIRE(service.call_is(1, "open"));
    if (!script.contains("hold")) REQUIRE(service.has_sent(1, 3));
    leaving.close();
    CHECK(service.call_is(1, "cancelled"));
    CHECK(service.rig.post("/v1/chat/completions", streamed({{"tokens", 3}})).status == 200);
    CHECK(service.front.connections().size() == 1);
  }
}

TEST_CASE("a client that does not read holds none of its siblings back, and gets all of it when it reads on") {
  Service service;
  constexpr std::int64_t k_words = 384;  // 24 MiB: more than sockets hold, less than a shared pipe may
  static_assert(k_words * k_word_bytes < static_cast<std::int64_t>(nemo::upstream::k_shared_pipe_limit));
  Client stuck = service.ask({{"tokens", k_words}, {"huge_chunk_bytes", k_word_bytes}});
  REQUIRE(service.has_sent(0, 1));
  for (int i = 0; i < 10; ++i) {
    const Reply sibling = service.rig.post("/v1/chat/completions", streamed({{"tokens", 20}, {"chunk_ms", 1}}));
    CHECK(sibling.whole);
    CHECK(stream_events(sibling.body).back() == "[DONE]");
  }
  CHECK(service.call_is(0, "completed"));  // all of it waits in the daemon
  const Reply sibling = service.rig.post("/v1/chat/completions", streamed({{"tokens", 20}}));
  CHECK(sibling.whole);
  const Reply late = stuck.receive();
  CHECK(late.whole);
  CHECK(large_events(late.body) == k_words);
  CHECK(stream_events(late.body).back() == "[DONE]");
  CHECK(service.front.connections().size() == 1);
}

TEST_CASE("a client that does not read for too long loses its own stream only, and is told so") {
  Service service;
  constexpr std::int64_t k_words = 4096;  // 256 MiB
  Client sibling = service.ask({{"tokens", 400}, {"hold_after_chunks", 3}});
  REQUIRE(service.has_sent(0, 3));
  Client stuck = service.ask({{"tokens", k_words}, {"huge_chunk_bytes", k_word_bytes}});
  CHECK(service.call_is(1, "cancelled"));
  CHECK(service.call(0)["state"] == "open");
  service.backend.release();
  // What upstream got rid of was bounded: the pipe, and what sockets and the front hold.
  constexpr auto k_bound = static_cast<std::int64_t>(nemo::upstream::k_shared_pipe_limit) + (std::int64_t{32} << 20);
  CHECK(service.call(1)["chunks_sent"].get<std::int64_t>() * k_word_bytes < k_bound);
  const Reply whole = sibling.receive();
  CHECK(whole.whole);
  CHECK(stream_events(whole.body).back() == "[DONE]");
  const Reply broken = stuck.receive();
  REQUIRE(!stream_events(broken.body).empty());
  const Json last = Json::parse(stream_events(broken.body).back(), nullptr, false);
  CHECK(last["error"]["code"] == "upstream_error");
  CHECK(service.rig.post("/v1/chat/completions", streamed({{"tokens", 3}})).status == 200);
  CHECK(eventually([&] { return service.front.access_log().size() == 5; }));
  CHECK(service.front.connections().size() == 1);
}

TEST_CASE("over HTTP/1.1 a client that does not read holds upstream back, and gets all of it when it reads on") {
  Rig rig;
  constexpr std::int64_t k_words = 640;  // 40 MiB
  Client slow(rig.port());
  slow.send(
      rig.request("POST", "/v1/chat/completions", streamed({{"tokens", k_words}, {"huge_chunk_bytes", k_word_bytes}})));
  REQUIRE(eventually([&] { return rig.upstream.summary()["open"] == 1; }));
  // It does not get on while siblings come and go.
  const auto chunks_sent = [&] { return rig.upstream.journal()[0]["chunks_sent"].get<std::int64_t>(); };
  CHECK(eventually([&] {
    const std::int64_t before = chunks_sent();
    CHECK(rig.post("/v1/chat/completions", streamed({{"tokens", 50}, {"chunk_ms", 1}})).whole);
    return before > 0 && chunks_sent() == before;
  }));
  const Json held = rig.upstream.journal()[0];
  CHECK(held["state"] == "open");
  constexpr std::int64_t k_bound = std::int64_t{32} << 20;  // the pipe, and what four socket buffers hold
  CHECK(held["chunks_sent"].get<std::int64_t>() * k_word_bytes < k_bound);
  const Reply late = slow.receive();
  CHECK(late.whole);
  CHECK(large_events(late.body) == k_words);
  CHECK(eventually([&] { return rig.upstream.journal()[0]["state"] == "completed"; }));
}

TEST_CASE("http2 = false keeps a TLS upstream on HTTP/1.1") {
  FakeUpstream backend;
  const TlsFront front(backend.port());
  Rig rig(behind(front, trusting(front) + "http2 = false\n"));
  CHECK(rig.post("/v1/chat/completions", streamed({{"tokens", 3}})).whole);
  CHECK(eventually([&] { return front.access_log().size() == 2; }));
  for (const auto& line : front.access_log()) CHECK(line.protocol == "http/1.1");
}

TEST_CASE("an upstream whose certificate is not trusted is a 502 that says what to set") {
  FakeUpstream backend;
  const TlsFront front(backend.port());
  Rig rig(behind(front, ""));
  const Reply reply = rig.post("/v1/chat/completions", streamed({{"tokens", 3}}));
  CHECK(reply.status == 502);
  const Json error = reply.json()["error"];
  CHECK(error["code"] == "upstream_error");
  CHECK(error["message"].get<std::string>().find("ca_file") != std::string::npos);
  CHECK(count_of_calls(backend, "started") == 0);
}

TEST_CASE("clear text sent to a TLS port is a 502 that names the upstream") {
  FakeUpstream backend;
  const TlsFront front(backend.port());
  Rig::Options options;
  options.own_upstream = true;
  options.toml = "[[upstream]]\nname = \"front\"\nkind = \"openai\"\nbase_url = \"http" + front.base_url().substr(5) +
                 "\"\nkey = \"env:FAKE_KEY\"\n";
  Rig rig(options);
  const Reply reply = rig.post("/v1/chat/completions", streamed({{"tokens", 3}}));
  CHECK(reply.status == 502);
  CHECK(reply.json()["error"]["code"] == "upstream_error");
  CHECK(reply.json()["error"]["message"].get<std::string>().find("127.0.0.1") != std::string::npos);
}

}  // namespace nemo::test::http2_test
