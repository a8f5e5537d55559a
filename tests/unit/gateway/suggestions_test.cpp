// When a completion counts as suggested: before its client can act on it.
#include <doctest/doctest.h>

#include "chunks.h"
#include "office.h"

namespace nemo::test::suggestions_test {

using namespace nemo;
using namespace nemo::test;

namespace {

struct SuggestingOffice : Office {
  SuggestingOffice() { world.catalog = catalog::Catalog({{"m", model({"chat", "fim"})}}); }

  // A completion that suggests `text`, whole; it has not been ended.
  gateway::Answer suggest(const std::string& prompt, const std::string& text) {
    transport.expect(says(200, R"({"object":"text_completion","choices":[{"index":0,"text":")" + text +
                                   R"(","finish_reason":"stop"}]})"));
    return ask(R"({"model":"nemo/completion","prompt":")" + prompt + "\"}", call::Surface::openai_completions);
  }
  const call::CallRecord row(const std::string& id) const {
    for (const auto& row : ledger.rows()) {
      if (row.id == id) return row;
    }
    FAIL("no such row");
    return {};
  }
};

std::string piece(const std::string& text, const std::string& reason = "null") {
  return event(R"({"choices":[{"index":0,"text":")" + text + R"(","finish_reason":)" + reason + "}]}");
}

}  // namespace

TEST_CASE("a prompt that comes before the last call has its row finds what that call suggested") {
  SuggestingOffice office;
  auto first = office.suggest("def add(", "a, b):");
  auto second = office.suggest("def add(a, b):", "x");
  CHECK(office.ledger.rows().empty());
  office.settle(second);
  const std::string id = office.settle(first).id;
  CHECK(office.row(id).suggested_bytes == 6);
  CHECK(office.row(id).accepted == true);
  CHECK(office.row(id).accepted_bytes == 6);
  CHECK(office.ledger.health().verdicts_dropped == 0);
}

TEST_CASE("a streamed suggestion is told with the last bytes, not after them") {
  SuggestingOffice office;
  office.transport.expect(streams({piece("a, "), piece("b):", "\"stop\""), done()}));
  auto first =
      office.ask(R"({"model":"nemo/completion","stream":true,"prompt":"def add("})", call::Surface::openai_completions);
  std::string all;
  CHECK(first.stream->next(all, 1000) == gateway::AnswerStream::Step::more);
  CHECK(office.ledger.secured().empty());
  while (all.find("[DONE]") == std::string::npos) first.stream->next(all, 1000);
  REQUIRE(office.ledger.secured().size() == 1);
  CHECK(office.ledger.secured()[0].suggested_bytes == 6);
  auto second = office.suggest("def add(a, b):", "x");
  office.settle(second);
  CHECK(office.row(office.settle(first).id).accepted == true);
}

TEST_CASE("what a client did not wait for to the end is taken back, and can be suggested anew") {
  SuggestingOffice office;
  auto left = office.suggest("def add(", "a, b):");
  const std::string lost = office.settle(left, gateway::Delivery::client_gone).id;
  auto again = office.suggest("def add(", "a, b):");
  const std::string shown = office.settle(again).id;
  auto next = office.suggest("def add(a, b):", "x");
  office.settle(next);
  CHECK(office.row(lost).suggested_bytes == 0);
  CHECK(!office.row(lost).accepted);
  CHECK(office.row(shown).suggested_bytes == 6);
  CHECK(office.row(shown).accepted == true);
}

TEST_CASE("a stream that is read on without its client suggests nothing") {
  SuggestingOffice office;
  office.world.table.deployments[0].drain_on_disconnect = true;
  ScriptedAnswer answer = streams({piece("a, ")}, Ending::client_leaves);
  answer.after_client = {piece("b):", "\"stop\""), done()};
  office.transport.expect(std::move(answer));
  auto first =
      office.ask(R"({"model":"nemo/completion","stream":true,"prompt":"def add("})", call::Surface::openai_completions);
  std::string all;
  auto step = gateway::AnswerStream::Step::more;
  while (step == gateway::AnswerStream::Step::more) step = first.stream->next(all, 1000);
  CHECK(step == gateway::AnswerStream::Step::client_gone);
  first.stream->client_left();
  auto second = office.suggest("def add(a, b):", "x");
  office.settle(second);
  const std::string id = office.settle(first, gateway::Delivery::client_gone).id;
  CHECK(office.row(id).suggested_bytes == 0);
  CHECK(!office.row(id).accepted);
}

}  // namespace nemo::test::suggestions_test
