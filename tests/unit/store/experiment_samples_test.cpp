#include <doctest/doctest.h>

#include <algorithm>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/experiment_rows.h"
#include "store_fixture.h"

namespace nemo::test::experiment_samples_test {

using namespace nemo;
using namespace std::chrono_literals;
using lib::sqlite::Access;
using lib::sqlite::Connection;

namespace {

struct Story {
  test::TempFolder folder;
  test::StillClock clock;
  std::unique_ptr<store::SqliteStore> store = test::open_store(folder.path(), clock);

  void write(const std::vector<call::CallRecord>& records) const {
    for (const call::CallRecord& record : records) store->request_log().append(record);
    store->flush();
  }
  ledger::ExperimentSamples samples(const std::string& experiment) const {
    const auto found = store->call_history().experiment_samples(experiment);
    REQUIRE(found.ok());
    return *found;
  }
};

call::CallRecord call_of(const std::string& id, const std::string& experiment, const std::string& arm) {
  call::CallRecord record = test::make_call(id);
  record.experiment = experiment;
  record.arm = record.model = arm;
  return record;
}

}  // namespace

TEST_CASE("the samples of an experiment are its calls, arm by arm, with all that a report asks for") {
  Story story;
  call::CallRecord taken = call_of("a", "flash-or-pro", "flash");
  taken.outcome = call::Outcome::cancelled;
  taken.ttft = Micros(0);
  taken.latency = Micros(777);
  taken.cost = NanoUsd{9'007'199'254'740'993};
  taken.accepted = true;
  call::CallRecord plain = call_of("b", "flash-or-pro", "pro");
  plain.accepted = false;
  story.write({taken, plain, call_of("c", "flash-or-pro", "pro"), call_of("d", "other", "pro"), test::make_call("e")});

  const auto samples = story.samples("flash-or-pro");
  CHECK(samples.complete);
  REQUIRE(samples.arms.size() == 2);
  CHECK(samples.arms[0].arm == "flash");
  REQUIRE(samples.arms[0].samples.size() == 1);
  const ledger::ExperimentSample& sample = samples.arms[0].samples[0];
  CHECK(sample.outcome == call::Outcome::cancelled);
  CHECK(sample.ttft == Micros(0));
  CHECK(sample.latency == Micros(777));
  CHECK(sample.cost == NanoUsd{9'007'199'254'740'993});
  CHECK(sample.input_tokens == 100);
  CHECK(sample.output_tokens == 30);
  CHECK(sample.accepted == true);
  CHECK(samples.arms[1].arm == "pro");
  REQUIRE(samples.arms[1].samples.size() == 2);
  // The newest row first.
  CHECK_FALSE(samples.arms[1].samples[0].accepted.has_value());
  CHECK_FALSE(samples.arms[1].samples[0].ttft.has_value());
  CHECK(samples.arms[1].samples[1].accepted == false);
}

TEST_CASE("an answer of another model is no sample of the arm that was drawn; an error of the call is") {
  Story story;
  std::vector<call::CallRecord> calls;
  for (const auto outcome :
       {call::Outcome::ok, call::Outcome::cancelled, call::Outcome::error, call::Outcome::refused}) {
    calls.push_back(call_of("arm's " + std::string(to_string(outcome)), "x", "flash"));
    calls.back().outcome = outcome;
    calls.push_back(calls.back());
    calls.back().id = "fallback's " + std::string(to_string(outcome));
    calls.back().model = "pro";
  }
  story.write(calls);
  const auto samples = story.samples("x");
  REQUIRE(samples.arms.size() == 1);
  CHECK(samples.arms[0].arm == "flash");
  std::vector<call::Outcome> outcomes;
  for (const auto& sample : samples.arms[0].samples) outcomes.push_back(sample.outcome);
  const auto count = [&](call::Outcome outcome) { return std::count(outcomes.begin(), outcomes.end(), outcome); };
  CHECK(count(call::Outcome::ok) == 1);
  CHECK(count(call::Outcome::cancelled) == 1);
  CHECK(count(call::Outcome::error) == 2);
  CHECK(count(call::Outcome::refused) == 2);
}

TEST_CASE("calls of no experiment are nobody's samples, not even of the empty name") {
  Story story;
  story.write({test::make_call("a")});
  CHECK(story.samples("").arms.empty());
  CHECK(story.samples("none").arms.empty());
}

TEST_CASE("of more calls than asked for the newest are samples, and the rest is told of") {
  Story story;
  std::vector<call::CallRecord> records;
  for (int i = 0; i < 5; ++i) {
    records.push_back(call_of(std::to_string(i), "one", "flash"));
    // The first written are the newest.
    records.back().at = test::k_today - i * 1min;
    records.back().latency = Micros(i);
  }
  story.write(records);
  Connection connection(story.folder.path() / "nemo.db", Access::read_only);
  const auto three = store::load_samples(connection, "one", 3);
  CHECK_FALSE(three.complete);
  REQUIRE(three.arms.size() == 1);
  REQUIRE(three.arms[0].samples.size() == 3);
  for (int i = 0; i < 3; ++i) CHECK(three.arms[0].samples[static_cast<std::size_t>(i)].latency == Micros(i));
  const auto five = store::load_samples(connection, "one", 5);
  CHECK(five.complete);
  CHECK(five.arms.at(0).samples.size() == 5);
}

TEST_CASE("finding an experiment's calls does not go through everybody's") {
  const Story story;
  Connection connection(story.folder.path() / "nemo.db", Access::read_only);
  lib::sqlite::Statement plan(connection,
                              "EXPLAIN QUERY PLAN SELECT arm FROM call WHERE experiment = 'x' AND experiment <> '' "
                              "ORDER BY at DESC, row DESC LIMIT 5");
  std::string steps;
  while (plan.step()) steps += std::string(plan.text(3)) + "\n";
  CHECK(steps.find("call_by_experiment") != std::string::npos);
  CHECK(steps.find("TEMP B-TREE") == std::string::npos);
}

}  // namespace nemo::test::experiment_samples_test
