// Experiments as calls show them, and whether what a completion suggested was taken.
#include <doctest/doctest.h>

#include "chunks.h"
#include "office.h"

namespace nemo::test::experiment_test {

using namespace nemo;
using namespace nemo::test;

namespace {

struct ExperimentalOffice : Office {
  ExperimentalOffice() {
    deploy("other", "b");
    world.catalog = catalog::Catalog({{"m", model({"chat", "fim"})}, {"other", model({"chat"})}});
    routing::Experiment experiment;
    experiment.name = "quick-or-good";
    experiment.state = routing::ExperimentState::running;
    experiment.lane = "reasoning";
    experiment.arms = {{"other", 1}};
    world.table.experiments = {experiment};
  }
  void on_completions() {
    world.table.experiments[0].lane = "completion";
    world.table.experiments[0].arms = {{"m", 1}};
  }

  gateway::Answer ask_lane(const std::string& lane) {
    transport.expect(says(200, good_answer()));
    return ask(R"({"model":"nemo/)" + lane + R"(","messages":[{"role":"user","content":"hi"}]})");
  }
  // A completion that suggests `text` (JSON-escaped); its id.
  std::string complete(const std::string& prompt, const std::string& text, const std::string& more = "") {
    transport.expect(says(200, R"({"object":"text_completion","choices":[{"index":0,"text":")" + text +
                                   R"(","finish_reason":"stop"}]})"));
    return end(ask(R"({"model":"nemo/completion","prompt":")" + prompt + "\"" + more + "}",
                   call::Surface::openai_completions));
  }
  std::string end(gateway::Answer answer, gateway::Delivery delivery = gateway::Delivery::complete) {
    CHECK(answer.status == 200);
    if (answer.stream) {
      std::string all;
      while (answer.stream->next(all, 1000) == gateway::AnswerStream::Step::more) {
      }
    }
    return settle(answer, delivery).id;
  }
  std::optional<bool> verdict(const std::string& id) const {
    for (const auto& row : ledger.rows()) {
      if (row.id == id) return row.accepted;
    }
    FAIL("no such row");
    return {};
  }
};

}  // namespace

TEST_CASE("a call of a running experiment says so in its header and in its row") {
  ExperimentalOffice office;
  auto answer = office.ask_lane("reasoning");
  CHECK(header(answer, "x-nemo-ab-test") == "quick-or-good=other");
  CHECK(header(answer, "x-nemo-model") == "other");
  const auto row = office.settle(answer);
  CHECK(row.experiment == "quick-or-good");
  CHECK(row.arm == "other");
  CHECK(row.model == "other");
  CHECK(row.trace.model_reason.find("quick-or-good") != std::string::npos);
}

TEST_CASE("a row keeps the arm that was drawn beside the model that answered in its stead") {
  ExperimentalOffice office;
  office.world.settings.routing.num_retries = 1;
  office.transport.expect(says(503, "{}"));
  office.transport.expect(says(200, good_answer()));
  auto answer =
      office.ask(R"({"model":"nemo/reasoning","nemo_fallbacks":["m"],"messages":[{"role":"user","content":"hi"}]})");
  CHECK(answer.status == 200);
  const auto row = office.settle(answer);
  CHECK(row.experiment == "quick-or-good");
  CHECK(row.arm == "other");
  CHECK(row.model == "m");
}

TEST_CASE("an experiment leaves other lanes and named models alone") {
  ExperimentalOffice office;
  auto other_lane = office.ask_lane("completion");
  CHECK(header(other_lane, "x-nemo-ab-test").empty());
  CHECK(office.settle(other_lane).experiment.empty());
  office.transport.expect(says(200, good_answer()));
  auto named = office.chat();
  CHECK(header(named, "x-nemo-ab-test").empty());
  CHECK(header(named, "x-nemo-model") == "m");
  CHECK(office.settle(named).arm.empty());
}

TEST_CASE("a suggestion that stands in the next prompt was accepted, and the ledger is told") {
  ExperimentalOffice office;
  office.on_completions();
  const std::string first = office.complete("def add(", "a, b):\\n    return a + b");
  CHECK(!office.verdict(first));
  const std::string second = office.complete("def add(a, b):\\n    return a + b\\n", "x = 7");
  CHECK(office.verdict(first) == true);
  CHECK(!office.verdict(second));
  CHECK(office.ledger.rows()[0].suggested_bytes == 23);
  CHECK(office.ledger.rows()[0].accepted_bytes == 23);
}

TEST_CASE("a suggestion of which a beginning was taken counts as accepted, and the ledger knows up to where") {
  ExperimentalOffice office;
  office.on_completions();
  const std::string first = office.complete("def add(", "a, b):\\n    return a + b");
  office.complete("def add(a, b):\\n", "pass");
  for (int i = 0; i < 5; ++i) office.complete("something else", "   ");
  CHECK(office.verdict(first) == true);
  CHECK(office.ledger.rows()[0].accepted_bytes == 7);
}

TEST_CASE("a suggestion that is not taken within five prompts was not accepted") {
  ExperimentalOffice office;
  office.on_completions();
  const std::string first = office.complete("x = ", "compute()");
  for (int i = 0; i < 5; ++i) {
    CHECK(!office.verdict(first));
    office.complete("something else", "   ");
  }
  CHECK(office.verdict(first) == false);
}

TEST_CASE("a streamed suggestion is judged as a whole one is") {
  ExperimentalOffice office;
  office.on_completions();
  const auto piece = [](const std::string& text) {
    return event(R"({"choices":[{"index":0,"text":")" + text + R"("}]})");
  };
  office.transport.expect(streams({piece("ret"), piece("urn a\\n"),
                                   event(R"({"choices":[{"index":0,"text":"","finish_reason":"stop"}]})"), done()}));
  const std::string id = office.end(office.ask(R"({"model":"nemo/completion","stream":true,"prompt":"def f(a):"})",
                                               call::Surface::openai_completions));
  office.complete("def f(a):\\n    return a\\n", "x");
  CHECK(office.verdict(id) == true);
}

TEST_CASE("what stood behind the cursor already tells nothing") {
  ExperimentalOffice office;
  office.on_completions();
  const std::string id = office.complete("def f(", "first, second):", R"(,"suffix":"first, second):\n    pass")");
  office.complete("def f(first, second):", "x", R"(,"suffix":"\n    pass")");
  CHECK(!office.verdict(id));
}

TEST_CASE("a follow-up chat repeats the answer, and that is not acceptance") {
  ExperimentalOffice office;
  office.on_completions();
  office.transport.expect(says(200, good_answer()));
  const std::string id =
      office.end(office.ask(R"({"model":"nemo/completion","messages":[{"role":"user","content":"hi"}]})"));
  office.transport.expect(says(200, good_answer()));
  office.end(office.ask(
      R"({"model":"nemo/completion","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":"hello"},)"
      R"({"role":"user","content":"go on"}]})"));
  CHECK(!office.verdict(id));
  office.complete("hello", "world");
  CHECK(!office.verdict(id));
}

TEST_CASE("what a client did not wait for was not suggested") {
  ExperimentalOffice office;
  office.on_completions();
  office.transport.expect(says(200, R"({"choices":[{"index":0,"text":"return a"}]})"));
  const std::string id =
      office.end(office.ask(R"({"model":"nemo/completion","prompt":"def f(a):"})", call::Surface::openai_completions),
                 gateway::Delivery::client_gone);
  office.complete("def f(a): return a", "x");
  CHECK(!office.verdict(id));
}

TEST_CASE("a suggestion is judged whether or not an experiment runs") {
  ExperimentalOffice office;
  office.world.table.experiments.clear();
  const std::string id = office.complete("def add(", "a, b):");
  office.complete("def add(a, b):", "x");
  CHECK(office.verdict(id) == true);
}

TEST_CASE("of several answers to one prompt nobody knows which one was shown") {
  ExperimentalOffice office;
  const std::string id = office.complete("def add(", "a, b):", R"(,"n":2)");
  office.complete("def add(a, b):", "x");
  CHECK(!office.verdict(id));
  CHECK(office.ledger.rows()[0].suggested_bytes == 0);
}

}  // namespace nemo::test::experiment_test
