#include "daemon/stream/stream_tap.h"

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <memory>
#include <utility>

namespace nemo::test::stream_tap_test {

using namespace nemo::stream;
using nemo::SteadyTime;
using nemo::call::Usage;
using nemo::call::UsageSource;

namespace {

// Says what the test tells it to, in order.
class ScriptedReader final : public ChunkReader {
 public:
  explicit ScriptedReader(std::deque<ChunkFacts> facts, bool is_malformed = false)
      : m_facts(std::move(facts)), m_is_malformed(is_malformed) {}

  ChunkFacts read(const SseEvent& /*event*/, bool& malformed) override {
    malformed = m_is_malformed;
    ChunkFacts facts = m_facts.front();
    m_facts.pop_front();
    return facts;
  }

 private:
  std::deque<ChunkFacts> m_facts;
  bool m_is_malformed;
};

StreamTap tap_of(std::deque<ChunkFacts> facts, UsageFrames frames = UsageFrames::show) {
  return {std::make_unique<ScriptedReader>(std::move(facts)), frames};
}

SteadyTime at(int milliseconds) {
  return SteadyTime(std::chrono::milliseconds(milliseconds));
}

ChunkFacts content(std::size_t bytes) {
  ChunkFacts facts;
  facts.has_content = true;
  facts.content_bytes = bytes;
  return facts;
}

ChunkFacts usage_only(std::int64_t output) {
  ChunkFacts facts;
  facts.only_usage = true;
  facts.usage = Usage{5, 0, output, 0, UsageSource::provider};
  return facts;
}

ChunkFacts finish() {
  ChunkFacts facts;
  facts.finished = 1;
  return facts;
}

ChunkFacts of_choice(std::int64_t index, ChunkFacts facts) {
  facts.highest_choice = index;
  return facts;
}

ChunkFacts broken(std::string message) {
  ChunkFacts facts;
  facts.is_error = true;
  facts.error_message = std::move(message);
  return facts;
}

const SseEvent k_event{"data: x\n\n", "", "x"};

}  // namespace

TEST_CASE("the first content sets the time, later content does not move it") {
  StreamTap tap = tap_of({{}, content(3), content(4)});
  tap.look(k_event, at(10));
  CHECK_FALSE(tap.saw_content());
  tap.look(k_event, at(20));
  tap.look(k_event, at(30));
  CHECK(tap.first_content_at() == at(20));
  CHECK(tap.content_bytes() == 7);
  CHECK(tap.content_events() == 2);
}

TEST_CASE("a stream commits once, with the first content, finish or usage") {
  for (const ChunkFacts& first : {content(1), finish(), usage_only(2)}) {
    StreamTap tap = tap_of({{}, first, content(1)});
    CHECK_FALSE(tap.look(k_event, at(1)).commits);
    CHECK(tap.look(k_event, at(2)).commits);
    CHECK_FALSE(tap.look(k_event, at(3)).commits);
  }
}

TEST_CASE("an error before any content does not commit and is reported with its message") {
  StreamTap tap = tap_of({broken("quota exceeded"), broken("later")});
  const TapResult result = tap.look(k_event, at(1));
  CHECK_FALSE(result.commits);
  CHECK(result.is_error);
  CHECK(result.forward);
  tap.look(k_event, at(2));
  CHECK(tap.error_message() == "quota exceeded");
}

TEST_CASE("an error without a message is still an error") {
  StreamTap tap = tap_of({broken("")});
  tap.look(k_event, at(1));
  CHECK(tap.saw_error());
}

TEST_CASE("a frame of nothing but usage is hidden when the client did not ask, and its numbers are kept") {
  StreamTap tap = tap_of({usage_only(7)}, UsageFrames::hide);
  CHECK_FALSE(tap.look(k_event, at(1)).forward);
  REQUIRE(tap.usage());
  CHECK(tap.usage()->output_tokens == 7);
}

TEST_CASE("a frame of nothing but usage is shown to a client that asked") {
  StreamTap tap = tap_of({usage_only(7)});
  CHECK(tap.look(k_event, at(1)).forward);
}

TEST_CASE("usage that comes with content is never hidden") {
  ChunkFacts both = content(2);
  both.usage = Usage{5, 0, 1, 0, UsageSource::provider};
  StreamTap tap = tap_of({both}, UsageFrames::hide);
  CHECK(tap.look(k_event, at(1)).forward);
}

TEST_CASE("an answer of several choices is finished when each of them is") {
  StreamTap tap = tap_of({content(1), of_choice(1, content(1)), finish(), of_choice(1, finish())});
  for (int i = 0; i < 3; ++i) {
    tap.look(k_event, at(i));
    CHECK_FALSE(tap.finished());
  }
  tap.look(k_event, at(3));
  CHECK(tap.finished());
}

TEST_CASE("the end marker is seen and never hidden") {
  ChunkFacts end;
  end.end_marker = true;
  StreamTap tap = tap_of({end}, UsageFrames::hide);
  const TapResult result = tap.look(k_event, at(1));
  CHECK(result.forward);
  CHECK_FALSE(result.commits);
  CHECK(tap.saw_end_marker());
  CHECK_FALSE(tap.finished());
}

TEST_CASE("the usage that upstream stated last counts") {
  StreamTap tap = tap_of({usage_only(1), usage_only(9), content(1)});
  for (int i = 0; i < 3; ++i) tap.look(k_event, at(i));
  CHECK(tap.usage()->output_tokens == 9);
}

TEST_CASE("data that nobody can read is remembered as malformed") {
  StreamTap tap(std::make_unique<ScriptedReader>(std::deque<ChunkFacts>{{}}, true), UsageFrames::hide);
  CHECK_FALSE(tap.saw_malformed());
  CHECK(tap.look(k_event, at(1)).forward);
  CHECK(tap.saw_malformed());
}

}  // namespace nemo::test::stream_tap_test
