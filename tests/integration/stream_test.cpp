// What becomes of a stream on its way through: its bytes, its end, and the row of a stream that breaks.
#include <doctest/doctest.h>

#include "harness.h"
#include "raw_upstream.h"
#include "shared/money.h"

namespace nemo::test::stream_test {

using namespace nemo::test;

namespace {

constexpr const char* k_prompt = "hello there";  // 3 tokens, and 3 for the message

Json streamed(const Json& script, bool with_usage = false) {
  Json body = {{"model", "gemini-2.5-flash"},
               {"stream", true},
               {"messages", Json::array({{{"role", "user"}, {"content", k_prompt}}})},
               {"fake", script}};
  if (with_usage) body["stream_options"] = {{"include_usage", true}};
  return body;
}

Reply ask(Rig& rig, const Json& script, bool with_usage = false) {
  return rig.post("/v1/chat/completions", streamed(script, with_usage).dump());
}

// What the fake upstream itself sends for a request that asks for usage.
Reply ask_upstream(Rig& rig, const Json& script) {
  const std::string body = streamed(script, true).dump();
  Client client(rig.upstream.port());
  client.send("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  return client.receive();
}

std::string without_usage(std::string events) {
  const auto usage = events.find(",\"choices\":[],\"usage\":");
  REQUIRE(usage != std::string::npos);
  const auto begin = events.rfind("data: ", usage);
  const auto end = events.find("data: ", usage);
  return events.erase(begin, end - begin);
}

// Answers are numbered by the fake upstream; everything else in them follows from the request.
std::string unnumbered(std::string events) {
  for (auto at = events.find("\"id\":\"fake-"); at != std::string::npos; at = events.find("\"id\":\"fake-", at + 1)) {
    events.erase(at + 11, events.find('"', at + 11) - at - 11);
  }
  return events;
}

Json only_row(Rig& rig) {
  const auto rows = rig.rows(1);
  REQUIRE(rows.size() == 1);
  return rows[0];
}

std::string toml_of(const std::string& base_url, const std::string& more = "") {
  return "[[upstream]]\nname = \"raw\"\nkind = \"openai\"\nbase_url = \"" + base_url + "\"\n" + more;
}

constexpr const char* k_word =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word\"},\"finish_reason\":null}]}\n\n";

// The stream ended with an error event that a client can read, as its last event.
void check_ends_with_error(const Reply& reply) {
  const auto events = stream_events(reply.body);
  REQUIRE(!events.empty());
  CHECK(reply.body.find("[DONE]") == std::string::npos);
  CHECK(reply.body.ends_with("\n\n"));
  const Json last = Json::parse(events.back(), nullptr, false);
  REQUIRE(last.is_object());
  REQUIRE(last.contains("error"));
  CHECK(!last["error"]["message"].get<std::string>().empty());
}

}  // namespace

TEST_CASE("a stream leaves as it came, whatever its framing") {
  const std::vector<Json> framings = {Json::object(),
                                      {{"crlf", true}},
                                      {{"comments", true}},
                                      {{"event_lines", true}},
                                      {{"unicode", true}},
                                      {{"split", "bytes"}, {"unicode", true}},
                                      {{"split", "utf8"}, {"unicode", true}},
                                      {{"split", "bytes"}, {"crlf", true}, {"comments", true}, {"event_lines", true}},
                                      {{"close_delimited", true}},
                                      {{"role_chunk", false}},
                                      {{"huge_chunk_bytes", 300'000}, {"tokens", 8}}};
  Rig rig;
  for (const Json& framing : framings) {
    CAPTURE(framing.dump());
    const std::string sent = unnumbered(ask_upstream(rig, framing).body);
    const Reply hidden = ask(rig, framing);
    CHECK(hidden.status == 200);
    CHECK(hidden.whole);
    if (!framing.contains("crlf") && !framing.contains("comments") && !framing.contains("event_lines")) {
      CHECK(unnumbered(hidden.body) == without_usage(sent));
    }
    CHECK(hidden.body.find("prompt_tokens") == std::string::npos);
    CHECK(stream_text(hidden.body) == stream_text(sent));
    CHECK(stream_events(hidden.body).back() == "[DONE]");
    // Asked for usage: the cost is put into the usage event, and nothing else changes.
    std::string shown = unnumbered(ask(rig, framing, true).body);
    const auto cost = shown.find(",\"nemo_cost\":\"");
    REQUIRE(cost != std::string::npos);
    shown.erase(cost, shown.find('"', cost + 14) + 1 - cost);
    CHECK(shown == sent);
  }
}

TEST_CASE("a chunk larger than any buffer passes whole") {
  Rig rig;
  const Json script = {{"huge_chunk_bytes", 6'000'000}, {"tokens", 2}};
  CHECK(unnumbered(ask(rig, script).body) == without_usage(unnumbered(ask_upstream(rig, script).body)));
  CHECK(only_row(rig)["output_tokens"] == 2);
}

TEST_CASE("a stream that lacks its last newline or its [DONE] is completed") {
  const std::vector<Json> framings = {{{"no_final_newline", true}},
                                      {{"no_done", true}},
                                      {{"no_done", true}, {"no_final_newline", true}},
                                      {{"no_done", true}, {"close_delimited", true}},
                                      {{"no_final_newline", true}, {"close_delimited", true}},
                                      {{"no_done", true}, {"no_usage", true}}};
  Rig rig;
  for (const Json& framing : framings) {
    for (const bool with_usage : {false, true}) {
      CAPTURE(framing.dump());
      CAPTURE(with_usage);
      const Reply reply = ask(rig, framing, with_usage);
      CHECK(reply.whole);
      CHECK(reply.body.ends_with("data: [DONE]\n\n"));
      const auto events = stream_events(reply.body);
      CHECK(std::count(events.begin(), events.end(), "[DONE]") == 1);
      for (std::size_t i = 0; i + 1 < events.size(); ++i) CHECK(Json::parse(events[i], nullptr, false).is_object());
    }
  }
  for (const Json& row : rig.rows(framings.size() * 2)) CHECK(row["status"] == "ok");
}

TEST_CASE("a stream without usage is billed by an estimate, not by nothing") {
  Rig rig;
  const Reply reply = ask(rig, {{"no_usage", true}});
  const Json row = only_row(rig);
  CHECK(row["status"] == "ok");
  CHECK(row["usage_source"] == "estimated");
  CHECK(row["input_tokens"].get<int>() > 0);
  const auto text = static_cast<int>(stream_text(reply.body).size());
  CHECK(row["output_tokens"] == (text + 3) / 4);
  CHECK(row["cost"] != "0");
}

TEST_CASE("usage that rides on the finish chunk is billed") {
  Rig rig;
  const Reply reply = ask(rig, {{"usage_on_finish", true}, {"cached_tokens", 2}, {"reasoning_tokens", 5}});
  CHECK(stream_events(reply.body).back() == "[DONE]");
  const Json row = only_row(rig);
  CHECK(row["usage_source"] == "provider");
  CHECK(row["input_tokens"] == 6);
  CHECK(row["cached_tokens"] == 2);
  CHECK(row["output_tokens"] == 17);
  CHECK(row["reasoning_tokens"] == 5);
  CHECK(row["cost"] == nemo::to_dollars({4 * 300 + 2 * 30 + 17 * 2500}));
}

TEST_CASE("an event that is not JSON before any content ends as 502") {
  Rig rig;
  const Reply reply = ask(rig, {{"malformed", "json"}, {"malformed_after", 0}});
  CHECK(reply.status == 502);
  CHECK(reply.json()["error"]["code"] == "upstream_error");
  CHECK(only_row(rig)["status"] == "error");
}

TEST_CASE("an event that is not JSON in the middle neither stops the stream nor hides what follows") {
  Rig rig;
  for (const char* kind : {"json", "garbage"}) {
    CAPTURE(kind);
    const Reply reply = ask(rig, {{"malformed", kind}, {"malformed_after", 4}});
    CHECK(reply.status == 200);
    CHECK(stream_events(reply.body).back() == "[DONE]");
  }
  for (const Json& row : rig.rows(2)) {
    CHECK(row["status"] == "ok");
    CHECK(row["usage_source"] == "provider");
  }
}

TEST_CASE("a stream cut before anything came is a 502 with an error body") {
  Rig rig;
  for (const char* cut : {"reset", "close", "truncate_chunked"}) {
    CAPTURE(cut);
    const Reply reply = ask(rig, {{"cut_after_chunks", 0}, {"cut", cut}});
    CHECK(reply.status == 502);
    CHECK(reply.json()["error"]["code"] == "upstream_error");
  }
  CHECK(ask(rig, {{"cut_before_head", true}}).status == 502);
  for (const Json& row : rig.rows(4)) {
    CHECK(row["status"] == "error");
    CHECK(row["http_status"] == 502);
    CHECK(row["cost"] == "0");
  }
}

TEST_CASE("a stream cut in the middle ends with an error event, and its row has what was streamed") {
  Rig rig;
  for (const bool close_delimited : {false, true}) {
    for (const char* cut : {"reset", "close", "truncate_chunked"}) {
      CAPTURE(cut);
      CAPTURE(close_delimited);
      const Reply reply =
          ask(rig, {{"cut_after_chunks", 5}, {"cut", cut}, {"close_delimited", close_delimited}, {"chunk_ms", 2}});
      CHECK(reply.status == 200);
      CHECK(!stream_text(reply.body).empty());
      check_ends_with_error(reply);
      for (const std::string& event : stream_events(reply.body)) CHECK(Json::parse(event, nullptr, false).is_object());
    }
  }
  for (const Json& row : rig.rows(6)) {
    CHECK(row["status"] == "error");
    CHECK(row["error_code"] == "upstream_error");
    CHECK(row["usage_source"] == "partial");
    CHECK(row["output_tokens"].get<int>() > 0);
    CHECK(row["cost"] != "0");
  }
}

TEST_CASE("a stream of several choices that breaks after the first has finished is broken") {
  constexpr const char* k_finish = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
  constexpr const char* k_other =
      "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"half\"},\"finish_reason\":null}]}\n\n";
  RawUpstream raw([&](const RawCall& call) {
    call.send_stream_head();
    call.send(std::string(k_word) + k_other + k_finish + k_other);
  });
  Rig rig({toml_of(raw.base_url()), "", {}, true});
  Json body = streamed({});
  body["n"] = 2;
  check_ends_with_error(rig.post("/v1/chat/completions", body.dump()));
  CHECK(only_row(rig)["status"] == "error");
}

TEST_CASE("an error event in the middle reaches the client without secrets, and nothing after it says all is well") {
  Rig rig;
  const Reply reply =
      ask(rig, {{"error_event_after", 4}, {"error_message", "overloaded, your key sk-secret1234567890 is fine"}});
  CHECK(reply.status == 200);
  check_ends_with_error(reply);
  CHECK(reply.body.find("overloaded") != std::string::npos);
  CHECK(reply.body.find("sk-secret1234567890") == std::string::npos);
  const Json row = only_row(rig);
  CHECK(row["status"] == "error");
  CHECK(row["usage_source"] == "partial");
  CHECK(row["cost"] != "0");
}

TEST_CASE("an error event as the first event is an error answer, not a stream") {
  Rig rig;
  const Reply reply = ask(rig, {{"error_event_after", 0}, {"error_message", "no sk-secret1234567890 today"}});
  CHECK(reply.status == 502);
  CHECK(reply.body.find("today") != std::string::npos);
  CHECK(reply.body.find("sk-secret1234567890") == std::string::npos);
}

TEST_CASE("an empty 200 is an error, streamed or not") {
  Rig rig;
  CHECK(ask(rig, {{"empty_200", true}}).status == 502);
  Json plain = streamed({{"empty_200", true}});
  plain["stream"] = false;
  CHECK(rig.post("/v1/chat/completions", plain.dump()).status == 502);
  for (const Json& row : rig.rows(2)) CHECK(row["status"] == "error");
}

TEST_CASE("a plain answer that is cut, not JSON, or not what its encoding says is a 502") {
  const std::vector<Json> faults = {{{"cut_after_chunks", 1}}, {{"cut_after_chunks", 1}, {"cut", "close"}},
                                    {{"malformed", "json"}},   {{"malformed", "garbage"}},
                                    {{"gzip_garbage", true}},  {{"cut_before_head", true}}};
  Rig rig;
  for (const Json& fault : faults) {
    CAPTURE(fault.dump());
    Json body = streamed(fault);
    body["stream"] = false;
    const Reply reply = rig.post("/v1/chat/completions", body.dump());
    CHECK(reply.status == 502);
    CHECK(reply.json()["error"]["code"] == "upstream_error");
  }
}

TEST_CASE("a stream that stalls ends after the idle timeout with an error event") {
  Rig rig({"", "idle_timeout = \"500ms\"", {}, false});
  check_ends_with_error(ask(rig, {{"stall_after_chunks", 4}}));
  const Json row = only_row(rig);
  CHECK(row["status"] == "error");
  CHECK(row["error_code"] == "upstream_timeout");
  CHECK(row["usage_source"] == "partial");
  // Upstream is let go, not left open.
  CHECK(eventually([&] { return rig.upstream.summary()["open"] == 0; }));
}

TEST_CASE("an upstream that says nothing in time is a 504") {
  Rig rig({"", "first_token_timeout = \"500ms\"", {}, false});
  for (const Json& script : std::vector<Json>{{{"stall_after_chunks", 0}}, {{"delay_ms", 600'000}}}) {
    CAPTURE(script.dump());
    const Reply reply = ask(rig, script);
    CHECK(reply.status == 504);
    CHECK(reply.json()["error"]["code"] == "upstream_timeout");
  }
  for (const Json& row : rig.rows(2)) CHECK(row["http_status"] == 504);
}

TEST_CASE("a body that upstream never ends after [DONE] does not keep the client waiting") {
  RawUpstream raw([](const RawCall& call) {
    call.send_stream_head();
    call.send(std::string(k_word) + "data: [DONE]\n\n");
    call.wait_for_close();
  });
  Rig rig({toml_of(raw.base_url()), "", {}, true});
  const Reply reply = ask(rig, {});
  CHECK(reply.whole);
  CHECK(stream_events(reply.body).back() == "[DONE]");
  CHECK(only_row(rig)["status"] == "ok");
}

TEST_CASE("content reaches the client while upstream is still at work") {
  Rig rig;
  Client client(rig.port());
  client.send(rig.request("POST", "/v1/chat/completions", streamed({{"stall_after_chunks", 3}}).dump()));
  std::string seen;
  while (seen.find("\"content\":\" ") == std::string::npos) seen += client.receive_some();
  CHECK(rig.upstream.summary()["open"] == 1);
}

}  // namespace nemo::test::stream_test
