#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/ledger_writer.h"
#include "daemon/store/sqlite/migrations.h"
#include "store_fixture.h"

namespace nemo::test::verdicts_test {

using namespace nemo;
using lib::sqlite::Access;
using lib::sqlite::Connection;
using lib::sqlite::Statement;
using store::LedgerWriter;
using store::LedgerWriterOptions;

namespace {

struct Place {
  test::TempFolder folder;
  test::StillClock clock;
  std::filesystem::path file = folder.path() / "nemo.db";

  Place() {
    Connection connection(file, Access::read_write);
    REQUIRE(store::migrate(connection, store::all_migrations(), clock.wall(), file).ok());
  }
  std::int64_t number(const std::string& sql) const {
    Connection connection(file, Access::read_only);
    Statement statement(connection, sql);
    REQUIRE(statement.step());
    return statement.integer(0);
  }
  LedgerWriterOptions options(std::function<void(Connection&)> before_write = {}) const {
    LedgerWriterOptions options{clock, 0, 1000};
    options.before_write = std::move(before_write);
    return options;
  }
  void exec(const char* sql) const { Connection(file, Access::read_write).exec(sql); }
};

}  // namespace

TEST_CASE("a verdict is in its call's row, whether the row was written before it or still waits") {
  const Place place;
  LedgerWriter writer(place.file, place.options());
  for (const char* id : {"taken", "not", "nobody knows"}) writer.append(test::make_call(id));
  writer.flush();
  writer.mark_accepted("taken", true);
  writer.append(test::make_call("queued"));
  writer.mark_accepted("queued", true);
  writer.mark_accepted("not", false);
  writer.flush();
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted = 1 AND id IN ('taken', 'queued')") == 2);
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted = 0 AND id = 'not'") == 1);
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted IS NULL") == 1);
  CHECK(writer.health().verdicts_dropped == 0);
}

TEST_CASE("a verdict says up to where a suggestion was accepted") {
  const Place place;
  LedgerWriter writer(place.file, place.options());
  for (const char* id : {"partly", "not"}) writer.append(test::make_call(id));
  writer.mark_accepted("partly", 12);
  writer.mark_accepted("not", 0);
  writer.flush();
  CHECK(place.number("SELECT accepted_bytes FROM call WHERE id = 'partly' AND accepted = 1") == 12);
  CHECK(place.number("SELECT accepted_bytes FROM call WHERE id = 'not' AND accepted = 0") == 0);
}

TEST_CASE("a verdict is written without anybody asking") {
  const Place place;
  std::promise<void> began_second;
  std::atomic<int> writes = 0;
  LedgerWriter writer(place.file, place.options([&](Connection&) {
    if (++writes == 2) began_second.set_value();
  }));
  writer.append(test::make_call("req"));
  writer.flush();
  writer.mark_accepted("req", true);
  began_second.get_future().wait();
  writer.flush();
  CHECK(place.number("SELECT accepted FROM call") == 1);
}

TEST_CASE("the last verdict on a call counts, and of an id that came twice the newest row has it") {
  const Place place;
  LedgerWriter writer(place.file, place.options());
  writer.append(test::make_call("req"));
  writer.append(test::make_call("req"));
  writer.mark_accepted("req", true);
  writer.mark_accepted("req", false);
  writer.flush();
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted IS NULL AND row = 1") == 1);
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted = 0 AND row = 2") == 1);
}

TEST_CASE("a verdict on a call that has no row is dropped and counted, and holds up no other") {
  const Place place;
  LedgerWriter writer(place.file, place.options());
  writer.append(test::make_call("req"));
  writer.mark_accepted("gone", true);
  writer.mark_accepted("req", true);
  writer.flush();
  CHECK(writer.health().verdicts_dropped == 1);
  CHECK(writer.health().last_error.empty());
  CHECK(place.number("SELECT accepted FROM call") == 1);
}

TEST_CASE("a verdict keeps to its row while storage fails, and both are written when it works again") {
  const Place place;
  std::atomic<bool> fails = true;
  LedgerWriter writer(place.file, place.options([&](Connection&) {
    if (fails) throw lib::sqlite::Failure(0, "no");
  }));
  writer.append(test::make_call("req"));
  writer.mark_accepted("req", true);
  writer.flush();
  CHECK(writer.health().waiting == 1);
  fails = false;
  while (writer.health().waiting > 0) writer.flush();
  writer.flush();
  CHECK(place.number("SELECT accepted FROM call") == 1);
  CHECK(writer.health().last_error.empty());
}

TEST_CASE("a verdict that cannot be written is tried again, shows meanwhile, and rows are not written twice") {
  const Place place;
  std::atomic<bool> fails = false;
  LedgerWriter writer(place.file, place.options([&](Connection&) {
    if (fails) throw lib::sqlite::Failure(0, "no verdicts today");
  }));
  writer.append(test::make_call("req"));
  writer.flush();
  fails = true;
  writer.mark_accepted("req", true);
  writer.flush();
  CHECK(writer.health().last_error.find("no verdicts today") != std::string::npos);
  fails = false;
  while (!writer.health().last_error.empty()) writer.flush();
  CHECK(place.number("SELECT accepted FROM call") == 1);
  CHECK(place.number("SELECT count(*) FROM call") == 1);
}

TEST_CASE("more verdicts than the queue holds are dropped and counted, and rows are not") {
  const Place place;
  std::promise<void> began;
  std::promise<void> all_given;
  auto given = all_given.get_future().share();
  std::atomic<int> writes = 0;
  LedgerWriterOptions options = place.options([&](Connection&) {
    if (++writes == 1) {
      began.set_value();
      given.wait();
    }
  });
  options.queue_verdicts = 3;
  LedgerWriter writer(place.file, std::move(options));
  writer.append(test::make_call("first"));
  began.get_future().wait();
  for (int i = 0; i < 10; ++i) {
    const std::string id = std::to_string(i);
    writer.append(test::make_call(id));
    writer.mark_accepted(id, true);
  }
  CHECK(writer.health().verdicts_dropped == 7);
  all_given.set_value();
  writer.flush();
  CHECK(place.number("SELECT count(*) FROM call") == 11);
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted = 1") == 3);
  // There is room again.
  writer.mark_accepted("9", true);
  writer.flush();
  CHECK(writer.health().verdicts_dropped == 7);
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted = 1") == 4);
}

TEST_CASE("verdicts that a rule of the schema refuses are dropped and hold up nothing") {
  const Place place;
  place.exec("CREATE TRIGGER refuse BEFORE UPDATE ON call BEGIN SELECT RAISE(ABORT, 'unlucky'); END");
  LedgerWriter writer(place.file, place.options());
  writer.append(test::make_call("req"));
  writer.mark_accepted("req", true);
  writer.append(test::make_call("next"));
  writer.flush();
  CHECK(writer.health().verdicts_dropped == 1);
  CHECK(writer.health().last_error.empty());
  CHECK(place.number("SELECT count(*) FROM call") == 2);
}

TEST_CASE(
    "a verdict waits for its row when that is batches away, and more verdicts than a transaction takes come through") {
  const Place place;
  std::promise<void> began;
  std::promise<void> all_given;
  auto given = all_given.get_future().share();
  std::atomic<int> writes = 0;
  LedgerWriterOptions options = place.options([&](Connection&) {
    if (++writes == 1) {
      began.set_value();
      given.wait();
    }
  });
  options.queue_rows = 10'000;
  LedgerWriter writer(place.file, std::move(options));
  writer.append(test::make_call("first"));
  began.get_future().wait();
  for (int i = 0; i < 5000; ++i) writer.append(test::make_call(std::to_string(i)));
  writer.mark_accepted("4999", true);
  all_given.set_value();
  writer.flush();
  CHECK(place.number("SELECT accepted FROM call WHERE id = '4999'") == 1);
  for (int i = 0; i < 1200; ++i) writer.mark_accepted(std::to_string(i), false);
  writer.flush();
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted = 0") == 1200);
  CHECK(writer.health().verdicts_dropped == 0);
}

TEST_CASE("verdicts of many threads, more than one transaction takes, are all written before the end") {
  const Place place;
  constexpr int k_threads = 4;
  constexpr int k_each = 600;
  {
    LedgerWriter writer(place.file, LedgerWriterOptions{place.clock, 0});
    std::vector<std::thread> threads;
    for (int t = 0; t < k_threads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < k_each; ++i) {
          const std::string id = std::to_string(t) + "/" + std::to_string(i);
          writer.append(test::make_call(id));
          writer.mark_accepted(id, i % 2 == 0);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted = 1") == k_threads * k_each / 2);
  CHECK(place.number("SELECT count(*) FROM call WHERE accepted = 0") == k_threads * k_each / 2);
}

TEST_CASE("a verdict changes no sum and no spending") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  store->request_log().append(test::make_call("req"));
  store->flush();
  const auto before = store->call_history().usage({ledger::UsageGroup::day, {}, {}});
  store->request_log().mark_accepted("req", true);
  store->flush();
  const auto after = store->call_history().usage({ledger::UsageGroup::day, {}, {}});
  REQUIRE(before.ok());
  REQUIRE(after.ok());
  REQUIRE(after->size() == 1);
  CHECK(after->at(0).calls == before->at(0).calls);
  CHECK(after->at(0).cost == before->at(0).cost);
  CHECK(after->at(0).input_tokens == before->at(0).input_tokens);
  CHECK((*store->call_history().find_call("req"))->accepted == true);
}

}  // namespace nemo::test::verdicts_test
