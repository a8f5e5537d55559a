// What a deployment is sent beside what the client said: fields that its upstream would refuse, and betas.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "chunks.h"
#include "office.h"

namespace nemo::test::wire_test {

using namespace nemo;
using namespace nemo::test;
using call::Surface;
using Json = nlohmann::json;

namespace {

const std::string k_hi = R"("messages":[{"role":"user","content":"hi"}])";
const std::string k_ollama = R"({"model":"m","stream":false,"think":"high","options":{"top_k":20},)" + k_hi + "}";
const std::string k_chat = R"({"model":"m","top_k":20,"reasoning_effort":"high",)" + k_hi + "}";

// "m" reasons if `capabilities` say so, and is served at that address.
Json sent(const std::string& base_url, std::vector<std::string> capabilities, const std::string& body,
          Surface surface = Surface::ollama_chat, config::UpstreamKind kind = config::UpstreamKind::openai) {
  Office office;
  office.world.catalog = catalog::Catalog({{"m", model(std::move(capabilities))}});
  auto& settings = office.world.endpoints["a"].settings;
  settings.base_url = base_url;
  settings.kind = kind;
  settings.project = "p";
  settings.location = "eu";
  office.transport.expect(says(200, good_answer()));
  auto answer = office.ask(body, surface);
  CHECK_MESSAGE(answer.status == 200, answer.body);
  office.settle(answer);
  return Json::parse(office.transport.requests().at(0).body);
}

const char* const k_strict_urls[] = {"https://api.openai.com/v1", "https://x.openai.azure.com/openai/v1",
                                     "https://api.mistral.ai:443/v1",
                                     "https://generativelanguage.googleapis.com/v1beta/openai"};

}  // namespace

TEST_CASE("OpenAI's own host and its like get no top_k from other APIs' calls") {
  for (const char* url : k_strict_urls) {
    CAPTURE(url);
    CHECK_FALSE(sent(url, {"chat", "reasoning"}, k_ollama).contains("top_k"));
  }
  for (const char* url :
       {"http://127.0.0.1:11434/v1", "https://openrouter.ai/api/v1", "https://api.openai.com.local"}) {
    CAPTURE(url);
    CHECK(sent(url, {"chat"}, k_ollama)["top_k"] == 20);
  }
  CHECK(sent("https://api.openai.com/v1", {"chat"}, k_ollama, Surface::ollama_chat,
             config::UpstreamKind::nemo)["top_k"] == 20);
  CHECK_FALSE(sent("", {"chat"}, k_ollama, Surface::ollama_chat, config::UpstreamKind::vertex).contains("top_k"));
}

TEST_CASE("they get reasoning_effort for models that reason, and others get it as it is") {
  for (const char* url : k_strict_urls) {
    CAPTURE(url);
    CHECK(sent(url, {"chat", "reasoning"}, k_ollama)["reasoning_effort"] == "high");
    CHECK_FALSE(sent(url, {"chat"}, k_ollama).contains("reasoning_effort"));
  }
  CHECK(sent("http://127.0.0.1:11434/v1", {"chat"}, k_ollama)["reasoning_effort"] == "high");
}

TEST_CASE("what the client itself says in OpenAI's form is its own affair") {
  const Json body = sent("https://api.openai.com/v1", {"chat"}, k_chat, Surface::openai_chat);
  CHECK(body["top_k"] == 20);
  CHECK(body["reasoning_effort"] == "high");
}

TEST_CASE("a hole that a chat fills carries the format of its answer, and no more than the host takes") {
  Office office;
  auto& settings = office.world.endpoints["a"].settings;
  settings.base_url = "https://api.openai.com/v1";
  settings.completions = "chat";
  office.transport.expect(says(200, good_answer()));
  auto answer = office.ask(
      R"({"model":"m","stream":false,"prompt":"hi","format":{"type":"object"},"think":true,"options":{"top_k":20}})",
      Surface::ollama_generate);
  CHECK(answer.status == 200);
  const Json body = Json::parse(office.transport.requests().at(0).body);
  CHECK(body["response_format"]["type"] == "json_schema");
  CHECK(body["response_format"]["json_schema"]["schema"] == Json{{"type", "object"}});
  CHECK_FALSE(body.contains("top_k"));
  CHECK_FALSE(body.contains("reasoning_effort"));
}

TEST_CASE("Claude on Vertex is asked for the betas that the client asked for, and for their fields") {
  for (const bool asks : {true, false}) {
    CAPTURE(asks);
    Office office;
    auto& settings = office.world.endpoints["a"].settings;
    settings.kind = config::UpstreamKind::vertex;
    settings.project = "p";
    settings.location = "eu";
    office.deploy("claude-sonnet-4-5@20250929", "a").upstream_model = "claude-sonnet-4-5@20250929";
    office.transport.expect(says(200, R"({"id":"msg_1","type":"message","role":"assistant","model":"x",)"
                                      R"("content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn",)"
                                      R"("usage":{"input_tokens":1,"output_tokens":1}})"));
    office.live.set(std::make_shared<const gateway::Snapshot>(office.world));
    gateway::Incoming incoming;
    incoming.surface = Surface::anthropic_messages;
    incoming.body = R"({"model":"claude-sonnet-4-5@20250929","max_tokens":9,"context_management":{},)" + k_hi + "}";
    incoming.dialect_headers = {"anthropic-version: 2023-06-01"};
    if (asks) incoming.dialect_headers.push_back("anthropic-beta: context-management-2025-06-27,other");
    incoming.received_at = std::chrono::steady_clock::now();
    incoming.at = office.clock.wall();
    auto answer = office.gateway.answer(std::move(incoming));
    REQUIRE(office.transport.requests().size() == 1);
    const auto& request = office.transport.requests()[0];
    CHECK(std::count(request.headers.begin(), request.headers.end(),
                     "anthropic-beta: context-management-2025-06-27,other") == (asks ? 1 : 0));
    for (const std::string& header : request.headers) CHECK_FALSE(header.starts_with("anthropic-version"));
    CHECK(answer.status == 200);
    const Json body = Json::parse(request.body);
    CHECK(body.contains("context_management") == asks);
    CHECK(body["anthropic_version"] == "vertex-2023-10-16");
    CHECK_FALSE(body.contains("anthropic_beta"));
    office.settle(answer);
  }
}

}  // namespace nemo::test::wire_test
