// Completions that are served from what is known, as a call sees them. (Those that wait for each other run in whole
// daemons: tests/integration/join_test.cpp.)
#include <doctest/doctest.h>

#include "chunks.h"
#include "office.h"

namespace nemo::test::beside_editor_test {

using namespace nemo;
using namespace nemo::test;

namespace {

struct EditorOffice : Office {
  EditorOffice() {
    world.catalog = catalog::Catalog({{"m", model({"chat", "fim"})}, {"other", model({"chat", "fim"})}});
    deploy("other", "b");
    world.settings.lanes["completion"].remember = std::chrono::minutes(10);
  }
  gateway::Answer complete(const std::string& prompt, const std::string& more = "", const std::string& key = "",
                           const std::string& asked = "m") {
    return ask(R"({"model":")" + asked + R"(","prompt":")" + prompt + "\"" + more + "}",
               call::Surface::openai_completions, key);
  }
  void expect_text(const std::string& text, const std::string& reason = "stop") {
    transport.expect(says(200, R"({"object":"text_completion","choices":[{"index":0,"text":")" + text +
                                   R"(","finish_reason":")" + reason +
                                   R"("}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}})"));
  }
  std::size_t calls() const { return transport.requests().size(); }
  call::CallRecord end(gateway::Answer answer) {
    if (answer.stream) {
      std::string all;
      while (answer.stream->next(all, -1) == gateway::AnswerStream::Step::more) {
      }
      answer.stream->client_left();
    }
    return settle(answer);
  }
};

std::string piece(const std::string& text, const std::string& reason = "") {
  return event(R"({"id":"c","choices":[{"index":0,"text":")" + text + R"(","finish_reason":)" +
               (reason.empty() ? "null" : "\"" + reason + "\"") + "}]}");
}

}  // namespace

TEST_CASE("the rest of an answer is served with its reason, for nothing") {
  EditorOffice office;
  office.expect_text("one two", "length");
  office.end(office.complete("x = "));
  auto typed = office.complete("x = one");
  CHECK(typed.body.find(R"("text":" two")") != std::string::npos);
  CHECK(typed.body.find(R"("finish_reason":"length")") != std::string::npos);
  const auto row = office.end(std::move(typed));
  CHECK(row.cache == "type-through");
  CHECK(row.cost == NanoUsd{0});
  CHECK(row.usage.source == call::UsageSource::none);
  CHECK(row.model == "m");
  CHECK(row.upstream.empty());
  CHECK(row.trace.attempts.empty());
  CHECK(office.calls() == 1);
}

TEST_CASE("a stream is heard piece by piece, pairs of surrogates that it cuts in two included") {
  EditorOffice office;
  office.transport.expect(streams({piece("a\\ud83d"), piece("\\ude00b"), piece("", "stop"), done()}));
  office.end(office.complete("x = ", R"(,"stream":true)"));
  auto typed = office.complete("x = a");
  CHECK(typed.body.find("\"text\":\"\xF0\x9F\x98\x80"
                        "b\"") != std::string::npos);
}

TEST_CASE("an answer that ended in another way than it should is not remembered") {
  struct Case {
    ScriptedAnswer answer;
    bool stream;
  };
  const std::vector<ScriptedAnswer> answers{
      streams({piece("one two"), done()}),                                // no reason
      streams({piece("one two", "content_filter"), done()}),              // held back
      streams({piece("one two")}, Ending::broken),                        // cut off
      streams({piece("one two"), event(R"({"error":{"message":"x"}})")})  // failed
  };
  for (const ScriptedAnswer& answer : answers) {
    EditorOffice office;
    office.transport.expect(answer);
    office.end(office.complete("x = ", R"(,"stream":true)"));
    office.expect_text("again");
    CHECK(office.complete("x = one").body.find("again") != std::string::npos);
    CHECK(office.calls() == 2);
  }
}

TEST_CASE("another model is another question, whatever it is called") {
  EditorOffice office;
  office.world.table.aliases["quick"] = "m";
  office.expect_text("one two");
  office.end(office.complete("x = "));
  CHECK(header(office.complete("x = one", "", "", "nemo/completion"), "x-nemo-cache") == "type-through");
  CHECK(header(office.complete("x = one", "", "", "quick"), "x-nemo-cache") == "type-through");
  office.expect_text("three");
  CHECK(header(office.complete("x = one", "", "", "other"), "x-nemo-cache") == "miss");
  office.world.table.lanes["completion"].model = "other";
  office.expect_text("four");
  CHECK(header(office.complete("x = on", "", "", "nemo/completion"), "x-nemo-cache") == "miss");
}

TEST_CASE("what a key may not use is not shown to it") {
  EditorOffice office;
  access::NewKey key = access::make_key("local", "", office.clock.wall());
  key.record.models = {"other"};
  office.keys.replace({key.record});
  office.expect_text("one two");
  office.end(office.complete("x = "));
  CHECK(office.complete("x = one", "", std::string(key.text.expose())).status == 403);
  CHECK(office.calls() == 1);
}

TEST_CASE("time makes it forget") {
  EditorOffice office;
  office.expect_text("one two");
  office.end(office.complete("x = "));
  office.clock.advance(std::chrono::minutes(9));
  CHECK(header(office.complete("x = one"), "x-nemo-cache") == "type-through");
  office.clock.advance(std::chrono::minutes(2));
  office.expect_text("three");
  CHECK(header(office.complete("x = one"), "x-nemo-cache") == "miss");
}

TEST_CASE("an exhausted budget does not stop what costs nothing") {
  EditorOffice office;
  access::NewKey key = access::make_key("local", "", office.clock.wall());
  office.keys.replace({key.record});
  const std::string text(key.text.expose());
  office.expect_text("one two");
  office.end(office.complete("x = ", "", text));
  office.budgets.configure(budget::Calendar(lib::TimeZone::utc()),
                           {{call::Scope{call::ScopeKind::key, key.record.id}, {{call::Window::total, NanoUsd{0}}}}});
  CHECK(office.complete("y = ", "", text).status == 402);
  CHECK(header(office.complete("x = one", "", text), "x-nemo-cache") == "type-through");
}

TEST_CASE("a client that leaves in the middle leaves no half answer behind, and upstream is let go") {
  EditorOffice office;
  office.transport.expect(streams({piece("one")}, Ending::client_leaves));
  auto answer = office.complete("x = ", R"(,"stream":true)");
  std::string out;
  CHECK(answer.stream->next(out, 1000) == gateway::AnswerStream::Step::more);
  CHECK(answer.stream->next(out, 1000) == gateway::AnswerStream::Step::client_gone);
  answer.stream->client_left();
  CHECK(office.transport.cancelled() == 1);
  CHECK(office.settle(answer, gateway::Delivery::client_gone).outcome == call::Outcome::cancelled);
  answer = {};
  office.expect_text("two");
  CHECK(header(office.complete("x = o"), "x-nemo-cache") == "miss");
}

TEST_CASE("a stream that a newer keystroke disagrees with ends as if it were complete, and is paid for so far") {
  EditorOffice office;
  office.transport.expect(streams({piece("alpha")}, Ending::silent));
  auto older = office.complete("v: ", R"(,"stream":true)");
  std::string out;
  CHECK(older.stream->next(out, 1000) == gateway::AnswerStream::Step::more);
  office.expect_text("ega");
  auto newer = office.complete("v: om");
  CHECK(newer.body.find("\"ega\"") != std::string::npos);
  out.clear();
  CHECK(older.stream->next(out, 1000) == gateway::AnswerStream::Step::end);
  CHECK(out.find(R"("finish_reason":"stop")") != std::string::npos);
  CHECK(out.ends_with("data: [DONE]\n\n"));
  older.stream->client_left();
  const auto row = office.settle(older);
  CHECK(row.outcome == call::Outcome::cancelled);
  CHECK(row.error_code == "superseded");
  CHECK(row.usage.source == call::UsageSource::partial);
  CHECK(row.usage.output_tokens > 0);
  CHECK(office.settle(newer).outcome == call::Outcome::ok);
  older = {};
  CHECK(header(office.complete("v: ome"), "x-nemo-cache") == "type-through");  // its half answer is not remembered
}

TEST_CASE("a stream is read along from where the other one has typed to") {
  EditorOffice office;
  office.transport.expect(streams({piece("alpha"), piece(" beta"), piece("", "stop"), done()}));
  auto leads = office.complete("v: ", R"(,"stream":true)");
  std::string out;
  CHECK(leads.stream->next(out, 1000) == gateway::AnswerStream::Step::more);
  auto reads = office.complete("v: al", R"(,"stream":true)");
  CHECK(header(reads, "x-nemo-cache") == "join");
  while (leads.stream->next(out, 1000) == gateway::AnswerStream::Step::more) {
  }
  std::string read;
  while (reads.stream->next(read, -1) == gateway::AnswerStream::Step::more) {
  }
  CHECK(read.find(R"("text":"pha")") != std::string::npos);
  CHECK(read.find(R"("text":" beta)") != std::string::npos);
  CHECK(read.ends_with("data: [DONE]\n\n"));
  CHECK(office.settle(reads).cache == "join");
  CHECK(office.settle(leads).cost > NanoUsd{0});
  CHECK(office.calls() == 1);
}

TEST_CASE("one whose leader fails after it has been given something is told so") {
  EditorOffice office;
  office.transport.expect(streams({piece("alpha")}, Ending::broken));
  auto leads = office.complete("v: ", R"(,"stream":true)");
  std::string out;
  CHECK(leads.stream->next(out, 1000) == gateway::AnswerStream::Step::more);
  auto reads = office.complete("v: al", R"(,"stream":true)");
  CHECK(leads.stream->next(out, 1000) == gateway::AnswerStream::Step::end);
  std::string read;
  while (reads.stream->next(read, -1) == gateway::AnswerStream::Step::more) {
  }
  CHECK(read.find("pha") != std::string::npos);
  CHECK(read.find("\"error\"") != std::string::npos);
  CHECK(read.find("[DONE]") == std::string::npos);
  CHECK(office.settle(reads).outcome == call::Outcome::error);
}

TEST_CASE("a rest that is served is the suggestion that it comes from: shown once, accepted once") {
  EditorOffice office;
  office.expect_text("one two");
  CHECK(office.end(office.complete("x = ")).suggested_bytes == 7);
  const auto rest = office.end(office.complete("x = o"));
  CHECK(rest.cache == "type-through");
  CHECK(rest.suggested_bytes == 0);
  office.expect_text("three");
  office.end(office.complete("x = one two;"));
  CHECK(office.ledger.rows()[0].accepted == true);
  CHECK(office.ledger.rows()[0].accepted_bytes == 7);
  CHECK(!office.ledger.rows()[1].accepted);
}

TEST_CASE("a rest of what its own client never saw is what was shown") {
  EditorOffice office;
  office.expect_text("one two");
  auto left = office.complete("x = ");
  CHECK(office.settle(left, gateway::Delivery::client_gone).suggested_bytes == 0);
  const auto rest = office.end(office.complete("x = o"));
  CHECK(rest.cache == "type-through");
  CHECK(rest.suggested_bytes == 6);
  office.expect_text("three");
  office.end(office.complete("x = one two"));
  CHECK(office.ledger.rows()[1].accepted_bytes == 6);
  CHECK(!office.ledger.rows()[0].accepted);
}

}  // namespace nemo::test::beside_editor_test
