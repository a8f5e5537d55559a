// A call whose upstream speaks Anthropic's Messages: where it goes, and what is billed of it.
#include <doctest/doctest.h>

#include "chunks.h"
#include "office.h"

namespace nemo::test::anthropic_test {

using namespace nemo;
using namespace nemo::test;

namespace {

struct AnthropicOffice : Office {
  AnthropicOffice() {
    world.endpoints["a"].settings.kind = config::UpstreamKind::anthropic;
    world.table.deployments.erase(world.table.deployments.begin() + 1, world.table.deployments.end());
    catalog::ModelOverride priced = model({"chat"});
    priced.price->cached_input = NanoUsd{100'000'000};
    priced.price->cache_write = NanoUsd{1'250'000'000};
    world.catalog = catalog::Catalog({{"m", priced}});
  }
};

std::string named(const std::string& name, const std::string& data) {
  return "event: " + name + "\ndata: " + data + "\n\n";
}
std::string start() {
  return named("message_start",
               R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"x",)"
               R"("content":[],"usage":{"input_tokens":25,"cache_read_input_tokens":10,)"
               R"("cache_creation_input_tokens":5,"output_tokens":1}}})") +
         named("content_block_start",
               R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
}
std::string text(const std::string& text) {
  return named("content_block_delta",
               R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" + text + R"("}})");
}
std::string stop(int output) {
  return named("content_block_stop", R"({"type":"content_block_stop","index":0})") +
         named("message_delta",
               R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":)" +
                   std::to_string(output) + "}}") +
         named("message_stop", R"({"type":"message_stop"})");
}

// 25 as they are, 10 read from the cache, 5 written to it.
constexpr std::int64_t k_cost_of_input = 25 * 1'000 + 10 * 100 + 5 * 1'250;

}  // namespace

TEST_CASE("Anthropic is asked at /messages, with its key and its version") {
  AnthropicOffice office;
  office.transport.expect(streams({start(), text("hello"), stop(3)}));
  auto answer = office.chat_stream();
  REQUIRE(office.transport.requests().size() == 1);
  const auto& request = office.transport.requests()[0];
  CHECK(request.url == "http://a.test/v1/messages");
  CHECK(request.key_header == "x-api-key");
  CHECK(request.bearer.expose() == "key-of-a");
  CHECK(std::count(request.headers.begin(), request.headers.end(), "anthropic-version: 2023-06-01") == 1);
  std::string all;
  while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
  }
  CHECK(all.find("\"content\":\"hello\"") != std::string::npos);
  CHECK(all.ends_with(done()));
  const auto row = office.settle(answer);
  CHECK(row.usage.source == call::UsageSource::provider);
  CHECK(row.usage.input_tokens == 40);
  CHECK(row.usage.cached_tokens == 10);
  CHECK(row.usage.output_tokens == 3);
  CHECK(row.cost == NanoUsd{k_cost_of_input + 3 * 10'000});
}

TEST_CASE("a client that leaves an Anthropic stream pays for the input as it was stated, and the output as it came") {
  AnthropicOffice office;
  office.transport.expect(streams({start(), text("hello wor")}, Ending::client_leaves));
  auto answer = office.chat_stream();
  REQUIRE(answer.stream != nullptr);
  std::string all;
  auto step = gateway::AnswerStream::Step::more;
  while (step == gateway::AnswerStream::Step::more) step = answer.stream->next(all, 1000);
  CHECK(step == gateway::AnswerStream::Step::client_gone);
  answer.stream->client_left();
  const auto row = office.settle(answer, gateway::Delivery::client_gone);
  CHECK(row.outcome == call::Outcome::cancelled);
  CHECK(row.usage.source == call::UsageSource::partial);
  CHECK(row.usage.input_tokens == 40);
  CHECK(row.usage.cached_tokens == 10);
  CHECK(row.usage.cache_write_tokens == 5);
  CHECK(row.usage.output_tokens == 3);  // nine bytes
  CHECK(row.cost == NanoUsd{k_cost_of_input + 3 * 10'000});
}

TEST_CASE("an Anthropic stream that breaks ends with an error and is billed as far as it came") {
  AnthropicOffice office;
  office.transport.expect(streams({start(), text("hello wor")}, Ending::broken));
  auto answer = office.chat_stream();
  std::string all;
  while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
  }
  CHECK(all.find("\"error\"") != std::string::npos);
  CHECK(all.find("[DONE]") == std::string::npos);
  const auto row = office.settle(answer);
  CHECK(row.outcome == call::Outcome::error);
  CHECK(row.usage.source == call::UsageSource::partial);
  CHECK(row.cost == NanoUsd{k_cost_of_input + 3 * 10'000});
}

TEST_CASE("an error event of Anthropic's before any content is tried elsewhere") {
  AnthropicOffice office;
  office.deploy("m", "b");
  office.transport.expect(streams(
      {start(), named("error", R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})")}));
  office.transport.expect(streams({role(), word("from-b"), finish(), usage(1, 1), done()}));
  auto answer = office.chat_stream();
  std::string all;
  while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
  }
  CHECK(all.find("from-b") != std::string::npos);
  const auto row = office.settle(answer);
  CHECK(row.trace.attempts.at(0).error.find("Overloaded") != std::string::npos);
  CHECK(row.cost == NanoUsd{11'000});  // what the first had stated is not billed to the second
}

}  // namespace nemo::test::anthropic_test
