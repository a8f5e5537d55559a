// The recorded typing, played through the memory: what it saves, and that it never says what the model would not.
#include "typing_trace.h"

#include <doctest/doctest.h>

#include "daemon/completion/memory.h"

namespace nemo::test::typing_trace_test {

using namespace nemo;
using namespace nemo::completion;
using namespace nemo::test;

namespace {

struct Silent final : Bell {
  void ring() noexcept override {}
};

struct Tally {
  int served = 0;
  int asked = 0;
  int wrong = 0;
  std::size_t saved_bytes = 0;  // of prompts and answers that no upstream saw
};

Tally play(const std::vector<TypedRequest>& requests) {
  Tally tally;
  Memory memory;
  Silent bell;
  for (const TypedRequest& request : requests) {
    auto asked = std::make_shared<Asked>();
    asked->has_hole = true;
    asked->seat = "ann";
    asked->prefix = request.prefix;
    asked->suffix = request.suffix;
    auto joined = memory.join(asked, WallTime{}, bell);
    if (const auto* rest = std::get_if<Memory::Rest>(&joined)) {
      ++tally.served;
      const bool is_right = rest->ending == Ending::by_itself
                                ? rest->text == request.answer && !request.cut
                                : request.answer.starts_with(rest->text) && !rest->text.empty();
      if (!is_right) {
        ++tally.wrong;
        MESSAGE("served: " << rest->text << "\nmodel:  " << request.answer << "\nat:     "
                           << request.prefix.substr(request.prefix.size() -
                                                    std::min<std::size_t>(80, request.prefix.size())));
      }
      tally.saved_bytes += request.prefix.size() + request.suffix.size() + rest->text.size();
      continue;
    }
    ++tally.asked;
    const auto& lead = std::get<std::shared_ptr<Lead>>(joined);
    lead->append(request.answer);
    lead->end(request.cut ? Ending::by_length : Ending::by_itself, WallTime(Micros(1)));
  }
  return tally;
}

}  // namespace

TEST_CASE("of a recorded typing more than half needs no upstream, and nothing is reused wrongly") {
  const auto requests = play_trace(NEMO_TEST_DATA "/typing/trace.jsonl");
  REQUIRE(requests.size() > 500);
  const Tally tally = play(requests);
  CHECK(tally.wrong == 0);
  CHECK(tally.served * 2 >= static_cast<int>(requests.size()));
  MESSAGE(tally.served << " of " << requests.size() << " completions needed no upstream call; some "
                       << tally.saved_bytes / 4 << " tokens were not sent");
}

}  // namespace nemo::test::typing_trace_test
