// What happens when the client leaves: upstream is let go at once, at any stage, and the call is billed for what it
// was.
#include <doctest/doctest.h>

#include "harness.h"
#include "raw_upstream.h"

namespace nemo::test::cancel_test {

using namespace nemo::test;

namespace {

constexpr int k_prompt_words = 40;

Json chat(bool stream, const Json& script) {
  std::string prompt;
  for (int i = 0; i < k_prompt_words; ++i) prompt += "word ";
  return {{"model", "gemini-2.5-flash"},
          {"stream", stream},
          {"messages", Json::array({{{"role", "user"}, {"content", prompt}}})},
          {"fake", script}};
}

bool upstream_has_call(Rig& rig) {
  return eventually([&] { return rig.upstream.summary()["started"] == 1; });
}

// How soon is for scripts/bench to measure.
bool upstream_is_let_go(Rig& rig) {
  return eventually([&] { return rig.upstream.summary()["cancelled"] == 1; });
}

std::string read_until(Client& client, std::string_view what) {
  std::string seen;
  while (seen.find(what) == std::string::npos) {
    const std::string some = client.receive_some();
    REQUIRE(!some.empty());
    seen += some;
  }
  return seen;
}

void check_cancelled_row(Rig& rig) {
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["status"] == "cancelled");
  CHECK(rows[0]["error_code"] == "client_gone");
  CHECK(rows[0]["usage_source"] == "partial");
  CHECK(rows[0]["input_tokens"].get<int>() >= k_prompt_words);
  CHECK(rows[0]["cost"] != "0");
  CHECK(rows[0]["model"] == "gemini-2.5-flash");
}

std::string deployment(const std::string& more) {
  return "[[deployment]]\nmodel = \"gemini-2.5-flash\"\nupstream = \"fake\"\n" + more;
}

std::string toml_of(const RawUpstream& raw) {
  return "[[upstream]]\nname = \"raw\"\nkind = \"openai\"\nbase_url = \"" + raw.base_url() + "\"\n";
}

}  // namespace

TEST_CASE("a client that leaves before upstream has answered lets upstream go") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    Client client(rig.port());
    client.send(rig.request("POST", "/v1/chat/completions", chat(stream, {{"delay_ms", 600'000}}).dump()));
    REQUIRE(upstream_has_call(rig));
    client.close();
    CHECK(upstream_is_let_go(rig));
    check_cancelled_row(rig);
    CHECK(rig.rows(1)[0]["output_tokens"] == 0);
  }
}

TEST_CASE("a client that leaves before the first token lets upstream go") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("POST", "/v1/chat/completions", chat(true, {{"first_token_ms", 600'000}}).dump()));
  REQUIRE(eventually([&] {
    const Json journal = rig.upstream.journal();
    return journal.size() == 1 && !journal[0]["first_byte_ms"].is_null();
  }));
  client.close();
  CHECK(upstream_is_let_go(rig));
  check_cancelled_row(rig);
}

TEST_CASE("a client that leaves after the role and before any content lets upstream go") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("POST", "/v1/chat/completions", chat(true, {{"stall_after_chunks", 1}}).dump()));
  read_until(client, "assistant");
  client.close();
  CHECK(upstream_is_let_go(rig));
  check_cancelled_row(rig);
}

TEST_CASE("a client that leaves in the middle of a stream lets upstream go and pays for what was streamed") {
  for (const Json& script : std::vector<Json>{{{"stall_after_chunks", 4}}, {{"chunk_ms", 20}, {"tokens", 100'000}}}) {
    CAPTURE(script.dump());
    Rig rig;
    Client client(rig.port());
    client.send(rig.request("POST", "/v1/chat/completions", chat(true, script).dump()));
    read_until(client, "\"content\":\" ");
    client.close();
    CHECK(upstream_is_let_go(rig));
    check_cancelled_row(rig);
    const Json row = rig.rows(1)[0];
    CHECK(row["http_status"] == 200);
    CHECK(row["output_tokens"].get<int>() > 0);
    CHECK(!row["ttft_ms"].is_null());
  }
}

TEST_CASE("a client that leaves during a plain answer lets upstream go") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("POST", "/v1/chat/completions", chat(false, {{"stall_after_chunks", 1}}).dump()));
  REQUIRE(upstream_has_call(rig));
  client.close();
  CHECK(upstream_is_let_go(rig));
  check_cancelled_row(rig);
}

TEST_CASE("of very many calls at once each is let go with its own client") {
  constexpr std::size_t k_calls = 100;  // more than the daemon serves each on a loop of its own
  Rig rig;
  std::vector<Client> clients;
  for (std::size_t i = 0; i < k_calls; ++i) clients.emplace_back(rig.port());
  for (std::size_t i = 0; i < k_calls; ++i) {
    const Json script = i % 2 == 0 ? Json{{"delay_ms", 600'000}} : Json{{"stall_after_chunks", 4}};
    clients[i].send(rig.request("POST", "/v1/chat/completions", chat(true, script).dump()));
  }
  for (std::size_t i = 1; i < k_calls; i += 2) read_until(clients[i], "\"content\":\" ");
  REQUIRE(eventually([&] { return rig.upstream.summary()["started"] == k_calls; }));
  CHECK(rig.upstream.summary()["cancelled"] == 0);
  clients.erase(clients.begin(), clients.begin() + k_calls / 2);
  CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == k_calls / 2; }));
  clients.clear();
  CHECK(eventually([&] { return rig.upstream.summary()["cancelled"] == k_calls; }));
  const auto rows = rig.rows(k_calls);
  REQUIRE(rows.size() == k_calls);
  for (const Json& row : rows) {
    CHECK(row["status"] == "cancelled");
    CHECK(row["usage_source"] == "partial");
    CHECK(row["cost"] != "0");
  }
}

TEST_CASE("a client that resets its connection is one that left") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("POST", "/v1/chat/completions", chat(true, {{"stall_after_chunks", 4}}).dump()));
  read_until(client, "\"content\":\" ");
  const linger at_once{1, 0};
  ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  client.close();
  CHECK(upstream_is_let_go(rig));
  check_cancelled_row(rig);
}

TEST_CASE("a client that leaves is not tried elsewhere") {
  FakeUpstream first, second;
  Rig::Options options;
  options.own_upstream = true;
  for (const auto& [name, upstream] : {std::pair{"first", &first}, std::pair{"second", &second}}) {
    options.toml += std::string("[[upstream]]\nname = \"") + name + "\"\nkind = \"openai\"\nbase_url = \"" +
                    upstream->base_url() + "\"\n";
  }
  Rig rig(options);
  Client client(rig.port());
  client.send(rig.request("POST", "/v1/chat/completions", chat(true, {{"delay_ms", 600'000}}).dump()));
  // Either of the two: nothing ranks them.
  const auto started = [&] { return first.summary()["started"].get<int>() + second.summary()["started"].get<int>(); };
  REQUIRE(eventually([&] { return started() == 1; }));
  client.close();
  check_cancelled_row(rig);
  CHECK(eventually(
      [&] { return first.summary()["cancelled"].get<int>() + second.summary()["cancelled"].get<int>() == 1; }));
  CHECK(started() == 1);
}

TEST_CASE("with on_disconnect = drain a left stream is read to its end and billed as upstream states it") {
  Rig rig({"", deployment("on_disconnect = \"drain\"\n"), {}, false});
  Client client(rig.port());
  client.send(
      rig.request("POST", "/v1/chat/completions", chat(true, {{"hold_after_chunks", 4}, {"tokens", 30}}).dump()));
  read_until(client, "\"content\":\" ");
  client.close();
  REQUIRE(rig.waits_with(1));
  rig.upstream.release();
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["status"] == "cancelled");
  CHECK(rows[0]["usage_source"] == "provider");
  CHECK(rows[0]["output_tokens"] == 30);
  const Json call = rig.upstream.journal()[0];
  CHECK(call["state"] == "completed");
  CHECK(call["billed"]["input_tokens"] == rows[0]["input_tokens"]);
}

TEST_CASE("with on_disconnect = drain a call that was left before its answer came is billed as upstream states it") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig({"", deployment("on_disconnect = \"drain\"\n"), {}, false});
    Client client(rig.port());
    client.send(rig.request("POST", "/v1/chat/completions", chat(stream, {{"hold", true}, {"tokens", 30}}).dump()));
    REQUIRE(upstream_has_call(rig));
    client.close();
    REQUIRE(rig.waits_with(1));
    rig.upstream.release();
    const auto rows = rig.rows(1);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0]["status"] == "cancelled");
    CHECK(rows[0]["usage_source"] == "provider");
    CHECK(rows[0]["output_tokens"] == 30);
    CHECK(rig.upstream.journal()[0]["state"] == "completed");
  }
}

TEST_CASE("a client that closes right after [DONE] has its whole answer: that is no cancel") {
  // Upstream is slow to end its body, so the daemon still waits for that when the client leaves.
  RawUpstream raw([](const RawCall& call) {
    call.send_stream_head();
    call.send(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"all\"},\"finish_reason\":\"stop\"}]}\n\n"
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,\"total_tokens\":10}}\n\n"
        "data: [DONE]\n\n");
    call.wait_for_close();
  });
  Rig rig({toml_of(raw), "", {}, true});
  Client client(rig.port());
  client.send(rig.request("POST", "/v1/chat/completions", chat(true, Json::object()).dump()));
  read_until(client, "[DONE]");
  client.close();
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["status"] == "ok");
  CHECK(rows[0]["usage_source"] == "provider");
  CHECK(rows[0]["input_tokens"] == 9);
}

TEST_CASE("a client that closes its sending half is told so and lets upstream go") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("POST", "/v1/chat/completions", chat(false, {{"delay_ms", 600'000}}).dump()));
  REQUIRE(upstream_has_call(rig));
  client.half_close();
  const Reply reply = client.receive();
  CHECK(reply.status == 499);
  CHECK(reply.json()["error"]["code"] == "client_gone");
  CHECK(client.receive_some().empty());
  CHECK(upstream_is_let_go(rig));
  check_cancelled_row(rig);
}

TEST_CASE("a second request that comes before the first is answered is answered after it") {
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    Rig rig;
    Client client(rig.port());
    const auto request = [&](const Json& script) {
      return rig.request("POST", "/v1/chat/completions", chat(stream, script).dump());
    };
    client.send(request({{"content", "one"}, {"hold", true}}) + request({{"content", "two"}}) +
                rig.request("GET", "/health", ""));
    REQUIRE(upstream_has_call(rig));
    REQUIRE(rig.waits_with(1));
    rig.upstream.release();
    for (const char* content : {"one", "two"}) {
      const Reply reply = client.receive();
      CHECK(reply.status == 200);
      CHECK(reply.whole);
      CHECK(reply.body.find(std::string("\"content\":\"") + content + "\"") != std::string::npos);
    }
    CHECK(client.receive().json()["status"] == "ok");
    CHECK(rig.rows(2).size() == 2);
    CHECK(rig.upstream.summary()["cancelled"] == 0);
  }
}

TEST_CASE("a connection serves on after a stream, and a cancel on one connection leaves the others alone") {
  Rig rig;
  Client leaving(rig.port());
  Client staying(rig.port());
  staying.send(
      rig.request("POST", "/v1/chat/completions", chat(true, {{"hold_after_chunks", 4}, {"tokens", 30}}).dump()));
  REQUIRE(upstream_has_call(rig));
  leaving.send(rig.request("POST", "/v1/chat/completions", chat(true, {{"stall_after_chunks", 4}}).dump()));
  read_until(leaving, "\"content\":\" ");
  leaving.close();
  CHECK(upstream_is_let_go(rig));
  rig.upstream.release();
  for (int i = 0; i < 2; ++i) {
    const Reply reply = staying.receive();
    CHECK(reply.whole);
    CHECK(stream_events(reply.body).back() == "[DONE]");
    if (i == 0) staying.send(rig.request("POST", "/v1/chat/completions", chat(true, Json::object()).dump()));
  }
  CHECK(rig.rows(3).size() == 3);
}

}  // namespace nemo::test::cancel_test
