// An event in the middle of upstream's stream that is not JSON: bytes pass where client and upstream speak the same
// dialect; any other client is told that its answer is broken.
#include <doctest/doctest.h>

#include "chunks.h"
#include "office.h"

namespace nemo::test::unreadable_event_test {

using namespace nemo;
using namespace nemo::test;
using call::Surface;

namespace {

const std::string k_unreadable = "data: {\"choices\":[\n\n";
const std::string k_chat = R"({"model":"m","stream":true,"max_tokens":9,"messages":[{"role":"user","content":"hi"}]})";
const std::string k_prompt = R"({"model":"m","stream":true,"prompt":"hi"})";

gateway::Answer ask(Office& office, const std::string& body, Surface surface, const std::string& model = "m") {
  office.live.set(std::make_shared<const gateway::Snapshot>(office.world));
  gateway::Incoming incoming;
  incoming.surface = surface;
  if (surface == Surface::gemini) incoming.path = {model, true};
  incoming.body = body;
  incoming.client_fd = 1000;
  incoming.received_at = std::chrono::steady_clock::now();
  incoming.at = office.clock.wall();
  return office.gateway.answer(std::move(incoming));
}

std::string drained(gateway::Answer& answer) {
  REQUIRE_MESSAGE(answer.stream != nullptr, answer.body);
  std::string all;
  while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
  }
  return all;
}

std::string named(const std::string& name, const std::string& rest) {
  return "event: " + name + "\ndata: {\"type\":\"" + name + "\"" + rest + "}\n\n";
}

std::string text_delta(const std::string& text) {
  return named("content_block_delta", R"(,"index":0,"delta":{"type":"text_delta","text":")" + text + "\"}");
}

// A Messages stream that has said "one".
std::string message_begin() {
  return named("message_start",
               R"(,"message":{"id":"msg_1","type":"message","role":"assistant","model":"x","content":[],)"
               R"("usage":{"input_tokens":5,"output_tokens":1}})") +
         named("content_block_start", R"(,"index":0,"content_block":{"type":"text","text":""})") + text_delta("one");
}
std::string message_end() {
  return named("content_block_stop", ",\"index\":0") +
         named("message_delta", R"(,"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3})") +
         named("message_stop", "");
}

// The answer breaks off there, and upstream is let go.
void check_broken(Office& office, gateway::Answer& answer, const std::string& error, const std::string& good_end) {
  const std::string all = drained(answer);
  CAPTURE(all);
  CHECK(all.find("one") != std::string::npos);
  CHECK(all.find("two") == std::string::npos);
  CHECK(all.find(error) != std::string::npos);
  CHECK(all.find("not JSON") != std::string::npos);
  CHECK(all.find(good_end) == std::string::npos);
  CHECK(office.transport.cancelled() == 1);
  const auto row = office.settle(answer);
  CHECK(row.outcome == call::Outcome::error);
  CHECK(row.error_code == "upstream_error");
  CHECK(row.usage.source == call::UsageSource::partial);
}

}  // namespace

TEST_CASE("each translated surface tells of it as an error in its stream, never as a clean end") {
  struct Case {
    Surface surface;
    std::string body;
    std::string error;
    std::string good_end;
  };
  const std::vector<Case> cases{
      {Surface::anthropic_messages, k_chat, "event: error\n", "message_stop"},
      {Surface::openai_responses, R"({"model":"m","stream":true,"input":"hi"})", "response.failed",
       "response.completed"},
      {Surface::gemini, R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})", "\"error\":", "\"STOP\""},
      {Surface::ollama_chat, k_chat, "{\"error\":", "\"done\":true"},
      {Surface::ollama_generate, k_prompt, "{\"error\":", "\"done\":true"},
      {Surface::mistral_fim, k_prompt, "\"object\":\"error\"", "[DONE]"},
      {Surface::llamacpp_infill, R"({"model":"m","stream":true,"input_prefix":"hi"})", "{\"error\":{\"code\":502",
       "\"stop\":true"},
      {Surface::llamacpp_completion, k_prompt, "{\"error\":{\"code\":502", "\"stop\":true"},
      {Surface::openai_completions, k_prompt, "{\"error\":", "[DONE]"},
  };
  for (const Case& one : cases) {
    CAPTURE(call::to_string(one.surface));
    Office office;
    for (const char* name : {"a", "b", "c"}) office.world.endpoints[name].settings.completions = "chat";
    office.transport.expect(streams({role(), word("one"), k_unreadable + word("two"), finish(), usage(5, 7), done()}));
    auto answer = ask(office, one.body, one.surface);
    check_broken(office, answer, one.error, one.good_end);
  }
}

TEST_CASE("a chat over an upstream that speaks Messages is told of it too") {
  Office office;
  for (const char* name : {"a", "b", "c"}) {
    office.world.endpoints[name].settings.kind = config::UpstreamKind::anthropic;
  }
  office.transport.expect(streams(
      {message_begin(), "event: content_block_delta\ndata: {\"type\":\n\n", text_delta("two") + message_end()}));
  auto answer = ask(office, k_chat, Surface::openai_chat);
  check_broken(office, answer, "data: {\"error\":", "[DONE]");
}

TEST_CASE("where the dialects are the same it passes byte for byte, and so does what follows") {
  struct Case {
    Surface surface;
    std::string body;
    std::string bytes;
  };
  const auto piece = [](const std::string& text) {
    return event(R"({"id":"c","choices":[{"index":0,"text":")" + text + "\"}]}");
  };
  const std::string response = R"(,"response":{"id":"r","object":"response","status":"completed","output":[]})";
  const std::vector<Case> cases{
      {Surface::openai_chat, k_chat, role() + word("one") + k_unreadable + word("two") + finish() + done()},
      {Surface::openai_completions, k_prompt,
       piece("one") + k_unreadable + piece("two") +
           event(R"({"id":"c","choices":[{"index":0,"text":"","finish_reason":"stop"}]})") + done()},
      {Surface::openai_responses, R"({"model":"m","stream":true,"input":"hi"})",
       named("response.created", response) + named("response.output_text.delta", R"(,"delta":"one")") +
           "event: response.output_text.delta\ndata: {\"type\":\n\n" +
           named("response.output_text.delta", R"(,"delta":"two")") + named("response.completed", response)},
      {Surface::anthropic_messages, k_chat,
       message_begin() + "event: content_block_delta\ndata: {\"type\":\n\n" + text_delta("two") + message_end()},
  };
  for (const Case& one : cases) {
    CAPTURE(call::to_string(one.surface));
    Office office;
    auto& settings = office.world.endpoints["a"].settings;
    settings.responses = "native";
    if (one.surface == Surface::anthropic_messages) settings.kind = config::UpstreamKind::anthropic;
    office.transport.expect(streams({one.bytes}));
    auto answer = ask(office, one.body, one.surface);
    CHECK(drained(answer) == one.bytes);
    CHECK(office.transport.cancelled() == 0);
    CHECK(office.settle(answer).outcome == call::Outcome::ok);
  }
}

TEST_CASE("Gemini's own stream passes byte for byte as well") {
  Office office;
  auto& settings = office.world.endpoints["a"].settings;
  settings.kind = config::UpstreamKind::vertex;
  settings.project = "p";
  settings.location = "eu";
  office.deploy("gemini-2.5-flash", "a").upstream_model = "gemini-2.5-flash";
  const auto part = [](const std::string& text, const std::string& more = "") {
    return event(R"({"candidates":[{"content":{"role":"model","parts":[{"text":")" + text + "\"}]}" + more + "}]}");
  };
  const std::string bytes = part("one") + "data: {\"candidates\":[\n\n" + part("two", R"(,"finishReason":"STOP")");
  office.transport.expect(streams({bytes}));
  auto answer =
      ask(office, R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})", Surface::gemini, "gemini-2.5-flash");
  CHECK(drained(answer) == bytes);
  CHECK(office.settle(answer).outcome == call::Outcome::ok);
}

TEST_CASE("an answer with an event in it that nobody could read is not remembered") {
  Office office;
  office.world.settings.lanes["completion"].remember = std::chrono::minutes(10);
  const auto piece = [](const std::string& text, const std::string& more = "") {
    return event(R"({"id":"c","choices":[{"index":0,"text":")" + text + "\"" + more + "}]}");
  };
  office.transport.expect(streams({piece("one"), k_unreadable, piece(" three", R"(,"finish_reason":"stop")"), done()}));
  auto answer = ask(office, k_prompt, Surface::openai_completions);
  drained(answer);
  office.settle(answer);
  office.transport.expect(streams({piece("x", R"(,"finish_reason":"stop")"), done()}));
  auto typed = ask(office, R"({"model":"m","stream":true,"prompt":"hione"})", Surface::openai_completions);
  CHECK(header(typed, "x-nemo-cache") == "miss");
}

TEST_CASE("what cannot be read behind a translated answer's end does not spoil it") {
  Office office;
  office.transport.expect(streams({role(), word("one"), finish(), k_unreadable, k_unreadable, done()}));
  auto answer = ask(office, k_chat, Surface::anthropic_messages);
  const std::string all = drained(answer);
  CHECK(all.find("message_stop") != std::string::npos);
  CHECK(all.find("error") == std::string::npos);
  CHECK(office.settle(answer).outcome == call::Outcome::ok);
}

}  // namespace nemo::test::unreadable_event_test
