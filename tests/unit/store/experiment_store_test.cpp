#include <doctest/doctest.h>

#include "daemon/lib/sqlite/connection.h"
#include "store_fixture.h"

namespace nemo::test::experiment_store_test {

using namespace nemo;
using namespace std::chrono_literals;
using routing::Experiment;
using routing::ExperimentState;
using routing::ExperimentUnit;

namespace {

struct Story {
  test::TempFolder folder;
  test::StillClock clock;
  std::unique_ptr<store::SqliteStore> store = test::open_store(folder.path(), clock);

  void reopen() {
    store.reset();
    store = test::open_store(folder.path(), clock);
  }
  std::vector<Experiment> all() const {
    const auto loaded = store->load_experiments();
    REQUIRE(loaded.ok());
    return *loaded;
  }
  void exec(const char* sql) const {
    lib::sqlite::Connection(folder.path() / "nemo.db", lib::sqlite::Access::read_write).exec(sql);
  }
};

Experiment make_experiment(const std::string& name, WallTime created_at = test::k_today) {
  Experiment experiment;
  experiment.name = name;
  experiment.lane = "completion";
  experiment.arms = {{"gemini-2.5-flash", 70}, {"o'brien\"s \xc3\xbc", 0}};
  experiment.created_at = created_at;
  return experiment;
}

void check_same(const Experiment& read, const Experiment& written) {
  CHECK(read.name == written.name);
  CHECK(read.lane == written.lane);
  CHECK(read.arms == written.arms);
  CHECK(read.unit == written.unit);
  CHECK(read.state == written.state);
  CHECK(read.created_at == written.created_at);
  CHECK(read.started_at == written.started_at);
  CHECK(read.ended_at == written.ended_at);
}

}  // namespace

TEST_CASE("an experiment is read back as it was stored, field by field, by the next daemon too") {
  Story story;
  const Experiment draft = make_experiment("flash-or-pro");
  Experiment done = make_experiment("done", test::k_today + Micros(123'456));
  done.lane = "reasoning";
  done.unit = ExperimentUnit::request;
  done.state = ExperimentState::completed;
  done.started_at = test::k_today + 1h;
  done.ended_at = test::k_today + 48h;
  REQUIRE(story.store->add_experiment(done).ok());
  REQUIRE(story.store->add_experiment(draft).ok());
  for (int round = 0; round < 2; ++round) {
    const auto all = story.all();
    REQUIRE(all.size() == 2);
    // The oldest first, however they came.
    check_same(all[0], draft);
    check_same(all[1], done);
    story.reopen();
  }
}

TEST_CASE("every state and unit of an experiment survives the database") {
  Story story;
  Experiment experiment = make_experiment("one");
  REQUIRE(story.store->add_experiment(experiment).ok());
  for (const auto state :
       {ExperimentState::draft, ExperimentState::running, ExperimentState::paused, ExperimentState::completed}) {
    for (const auto unit : {ExperimentUnit::seat, ExperimentUnit::request}) {
      experiment.state = state;
      experiment.unit = unit;
      REQUIRE(story.store->update_experiment(experiment).ok());
      check_same(story.all().at(0), experiment);
    }
  }
}

TEST_CASE("a name is taken once, and the experiment that has it stays as it is") {
  Story story;
  const Experiment first = make_experiment("flash-or-pro");
  REQUIRE(story.store->add_experiment(first).ok());
  Experiment second = first;
  second.lane = "reasoning";
  const Status refused = story.store->add_experiment(second);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::conflict);
  CHECK(refused.error().message.find("flash-or-pro") != std::string::npos);
  REQUIRE(story.all().size() == 1);
  check_same(story.all()[0], first);
}

TEST_CASE("a change replaces the experiment of its name and no other") {
  Story story;
  const Experiment other = make_experiment("a-other");
  REQUIRE(story.store->add_experiment(other).ok());
  Experiment changed = make_experiment("b-changed");
  REQUIRE(story.store->add_experiment(changed).ok());
  changed.arms = {{"codestral-2501", 1}};
  changed.state = ExperimentState::running;
  changed.started_at = test::k_today + 2h;
  REQUIRE(story.store->update_experiment(changed).ok());
  const auto all = story.all();
  REQUIRE(all.size() == 2);
  check_same(all[0], other);
  check_same(all[1], changed);
}

TEST_CASE("a change of an experiment that nobody made is not found") {
  Story story;
  const Status refused = story.store->update_experiment(make_experiment("none"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::not_found);
  CHECK(story.all().empty());
}

TEST_CASE("an experiment whose arms cannot be read is told of by its name, and does not run as another") {
  Story story;
  REQUIRE(story.store->add_experiment(make_experiment("broken")).ok());
  for (const char* arms :
       {"'[{'", "'{}'", "'[1]'", "'[{\"model\":\"m\"}]'", "'[{\"model\":\"m\",\"weight\":\"1\"}]'"}) {
    story.exec(("UPDATE experiment SET arms = " + std::string(arms)).c_str());
    const auto loaded = story.store->load_experiments();
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().kind == ErrorKind::storage);
    CHECK(loaded.error().message.find("broken") != std::string::npos);
  }
}

TEST_CASE("a state that nobody knows does not run") {
  Story story;
  REQUIRE(story.store->add_experiment(make_experiment("odd")).ok());
  story.exec("UPDATE experiment SET state = 'ramping', unit = 'galaxy'");
  CHECK(story.all().at(0).state == ExperimentState::paused);
  CHECK(story.all().at(0).unit == ExperimentUnit::seat);
}

}  // namespace nemo::test::experiment_store_test
