// A stop text that is found in a stream here, not upstream: the client has its answer, and upstream is cut off.
#include <doctest/doctest.h>

#include "chunks.h"
#include "office.h"

namespace nemo::test::early_end_test {

using namespace nemo;
using namespace nemo::test;

namespace {

const std::string k_hole = R"({"model":"m","prompt":"x = ","suffix":";\n","stop":["<|end|>"],"stream":true)";

// Its model only chats.
struct ChatOnlyOffice : Office {
  ChatOnlyOffice() {
    for (const char* name : {"a", "b", "c"}) world.endpoints[name].settings.completions = "chat";
    world.settings.lanes["completion"].remember = std::chrono::minutes(10);
  }
  gateway::Answer complete(const std::string& more = "", call::Surface surface = call::Surface::openai_completions) {
    return ask(k_hole + more + "}", surface);
  }
};

std::string drained(gateway::Answer& answer) {
  REQUIRE(answer.stream != nullptr);
  std::string all;
  while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
  }
  return all;
}

std::string choice(int index, const std::string& text) {
  return event(R"({"id":"c","choices":[{"index":)" + std::to_string(index) + R"(,"delta":{"content":")" + text +
               R"("}}]})");
}

// Waiting for more of it without a limit is a failure of the test.
ScriptedAnswer endless(std::vector<std::string> pieces) {
  return streams(std::move(pieces), Ending::silent);
}

}  // namespace

TEST_CASE("a stop text that is found here ends the stream, and upstream's call with it") {
  for (const char* more : {"", R"(,"nemo_cache":false)"}) {
    CAPTURE(more);
    ChatOnlyOffice office;
    office.transport.expect(endless({role(), word("one <|e"), word("nd|> two")}));
    auto answer = office.complete(more);
    const std::string all = drained(answer);
    CHECK(office.transport.cancelled() == 1);
    CHECK(all.find(R"("text":"one ")") != std::string::npos);
    CHECK(all.find(R"("finish_reason":"stop")") != std::string::npos);
    CHECK(all.find("two") == std::string::npos);
    CHECK(all.ends_with(done()));
    const auto row = office.settle(answer);
    CHECK(row.outcome == call::Outcome::ok);
    CHECK(row.error_code.empty());
    CHECK(row.usage.source == call::UsageSource::partial);
    CHECK(row.usage.output_tokens == 4);  // fifteen bytes were streamed
    CHECK(row.usage.input_tokens > 0);
    CHECK(row.cost == NanoUsd{row.usage.input_tokens * 1'000 + 4 * 10'000});
    CHECK(office.world.table.deployments[0].gauge->figures("completion", routing::Answering::streamed, {}).in_flight ==
          0);
  }
}

TEST_CASE("a client that asked for usage is told of what was streamed until the stop text") {
  ChatOnlyOffice office;
  office.transport.expect(endless({role(), word("one <|end|> two")}));
  auto answer = office.complete(R"(,"stream_options":{"include_usage":true})");
  const std::string all = drained(answer);
  CHECK(all.find("\"completion_tokens\":4") != std::string::npos);
  CHECK(all.find("\"nemo_cost\":\"0.0000") != std::string::npos);
  CHECK(all.ends_with(done()));
}

TEST_CASE("usage that comes along with the stop text is what counts") {
  ChatOnlyOffice office;
  office.transport.expect(streams({role(), word("one <|end|>") + finish() + usage(5, 7) + done()}));
  auto answer = office.complete();
  drained(answer);
  CHECK(office.transport.cancelled() == 0);
  const auto row = office.settle(answer);
  CHECK(row.usage.source == call::UsageSource::provider);
  CHECK(row.usage.output_tokens == 7);
}

TEST_CASE("of several answers each has to come to its stop text") {
  ChatOnlyOffice office;
  office.transport.expect(endless({choice(0, "a<|end|>"), choice(1, "b"), choice(0, "never"), choice(1, "c<|end|>x")}));
  auto answer = office.complete(R"(,"n":2)");
  const std::string all = drained(answer);
  CHECK(office.transport.cancelled() == 1);
  CHECK(all.find(R"("text":"b")") != std::string::npos);
  CHECK(all.find(R"("text":"c")") != std::string::npos);
  CHECK(all.find("never") == std::string::npos);
  CHECK(office.settle(answer).outcome == call::Outcome::ok);
}

TEST_CASE("a deployment whose calls are read to their end is not cut off") {
  ChatOnlyOffice office;
  office.world.table.deployments[0].drain_on_disconnect = true;
  office.transport.expect(streams({role(), word("one <|end|>"), word("two"), finish(), usage(5, 7), done()}));
  auto answer = office.complete();
  CHECK(drained(answer).find("two") == std::string::npos);
  CHECK(office.transport.cancelled() == 0);
  CHECK(office.settle(answer).usage.source == call::UsageSource::provider);
}

TEST_CASE("what ends at a stop text is remembered as whole") {
  ChatOnlyOffice office;
  office.transport.expect(endless({role(), word("one two<|end|>")}));
  auto answer = office.complete();
  drained(answer);
  office.settle(answer);
  auto typed = office.ask(R"({"model":"m","prompt":"x = one","suffix":";\n","stop":["<|end|>"]})",
                          call::Surface::openai_completions);
  CHECK(header(typed, "x-nemo-cache") == "type-through");
  CHECK(typed.body.find(R"("text":" two","index":0,"logprobs":null,"finish_reason":"stop")") != std::string::npos);
}

TEST_CASE("every surface of completions ends complete, in its own way") {
  struct Case {
    call::Surface surface;
    std::string body;
    std::string end;
  };
  const std::vector<Case> cases{
      {call::Surface::mistral_fim, k_hole + "}", "data: [DONE]\n\n"},
      {call::Surface::llamacpp_infill,
       R"({"model":"m","input_prefix":"x = ","input_suffix":";\n","stop":["<|end|>"],"stream":true})", "\"stop\":true"},
      {call::Surface::ollama_generate, R"({"model":"m","prompt":"x = ","suffix":";\n","options":{"stop":["<|end|>"]}})",
       "\"done\":true"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.body);
    ChatOnlyOffice office;
    office.transport.expect(endless({role(), word("one <|end|> two")}));
    auto answer = office.ask(one.body, one.surface);
    const std::string all = drained(answer);
    CHECK(office.transport.cancelled() == 1);
    CHECK(all.find("one ") != std::string::npos);
    CHECK(all.find("two") == std::string::npos);
    CHECK(all.find(one.end) != std::string::npos);
    CHECK(all.find("error") == std::string::npos);
    CHECK(office.settle(answer).outcome == call::Outcome::ok);
  }
}

TEST_CASE("an answer that is not streamed is waited for as ever") {
  ChatOnlyOffice office;
  office.transport.expect(says(200, good_answer(5, 7)));
  auto answer = office.ask(R"({"model":"m","prompt":"x = ","suffix":";\n","stop":["<llo>","`l"]})",
                           call::Surface::openai_completions);
  CHECK(answer.body.find(R"("text":"hello")") != std::string::npos);
  CHECK(office.transport.cancelled() == 0);
  CHECK(office.settle(answer).usage.source == call::UsageSource::provider);
}

}  // namespace nemo::test::early_end_test
