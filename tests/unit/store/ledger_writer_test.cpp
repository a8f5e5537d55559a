#include "daemon/store/sqlite/ledger_writer.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/migrations.h"
#include "store_fixture.h"

namespace nemo::test::ledger_writer_test {

using namespace nemo;
using lib::sqlite::Access;
using lib::sqlite::Connection;
using lib::sqlite::Statement;
using store::LedgerWriter;
using store::LedgerWriterOptions;

namespace {

// A migrated file and a clock, for a writer without its store.
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
};

// A disk whose size the test decides: SQLite refuses to grow the file beyond so many pages.
class Disk {
 public:
  void fill() { m_full = true; }
  void free() { m_full = false; }
  void act_on(Connection& connection) const {
    // SQLite takes no limit below the pages that are there: 1 stands for "not one more".
    connection.exec(m_full ? "PRAGMA max_page_count = 1" : "PRAGMA max_page_count = 1000000");
  }

 private:
  std::atomic<bool> m_full{false};
};

LedgerWriterOptions on_disk(const Place& place, const Disk& disk, std::size_t queue_rows = 1000) {
  LedgerWriterOptions options{place.clock, 0, queue_rows, {}};
  options.before_write = [&disk](Connection& connection) { disk.act_on(connection); };
  return options;
}

// Large enough that a few of them need new pages.
call::CallRecord make_large_call(int number) {
  call::CallRecord record = test::make_call("req_" + std::to_string(number));
  record.trace.model_reason = std::string(5000, 'x');
  return record;
}

}  // namespace

TEST_CASE("a row reaches the database without anybody asking") {
  Place place;
  std::promise<void> began;
  std::once_flag once;
  LedgerWriterOptions options{place.clock, 0, 1000, {}};
  options.before_write = [&](Connection&) { std::call_once(once, [&] { began.set_value(); }); };
  LedgerWriter writer(place.file, std::move(options));
  writer.append(test::make_call("req_1"));
  began.get_future().wait();
  writer.flush();
  CHECK(place.number("SELECT count(*) FROM call") == 1);
}

TEST_CASE("what eight threads append is in the database, once each") {
  Place place;
  constexpr int k_threads = 8;
  constexpr int k_each = 1250;
  std::int64_t appended_cost = 0;
  {
    LedgerWriter writer(place.file, {place.clock, 0});
    std::vector<std::thread> threads;
    std::atomic<std::int64_t> cost = 0;
    for (int t = 0; t < k_threads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < k_each; ++i) {
          call::CallRecord record = test::make_call(std::to_string(t) + "/" + std::to_string(i));
          record.cost = NanoUsd{t * 1000 + i};
          cost += record.cost.value;
          writer.append(std::move(record));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    appended_cost = cost;
    writer.flush();
    const auto health = writer.health();
    CHECK(health.appended == 10'000);
    CHECK(health.written == 10'000);
    CHECK(health.waiting == 0);
    CHECK(health.dropped == 0);
    CHECK(health.last_error.empty());
  }
  CHECK(place.number("SELECT count(*) FROM call") == 10'000);
  CHECK(place.number("SELECT count(DISTINCT id) FROM call") == 10'000);
  CHECK(place.number("SELECT sum(cost) FROM call") == appended_cost);
  CHECK(place.number("SELECT sum(cost) FROM usage_daily") == appended_cost);
  CHECK(place.number("SELECT sum(calls) FROM usage_daily") == 10'000);
}

TEST_CASE("rows of one thread keep their order") {
  Place place;
  {
    LedgerWriter writer(place.file, {place.clock, 0});
    for (int i = 0; i < 1000; ++i) writer.append(test::make_call(std::to_string(i)));
  }
  CHECK(place.number("SELECT count(*) FROM call WHERE CAST(id AS INTEGER) = row - 1") == 1000);
}

TEST_CASE("a writer that goes writes what is queued") {
  Place place;
  {
    LedgerWriter writer(place.file, {place.clock, 0});
    for (int i = 0; i < 5000; ++i) writer.append(test::make_call(std::to_string(i)));
  }
  CHECK(place.number("SELECT count(*) FROM call") == 5000);
}

TEST_CASE("a full disk keeps the rows in memory and says so; they are written when there is space again") {
  Place place;
  Disk disk;
  LedgerWriter writer(place.file, on_disk(place, disk));
  writer.append(make_large_call(0));
  writer.flush();
  REQUIRE(writer.health().written == 1);

  disk.fill();
  for (int i = 1; i <= 200; ++i) writer.append(make_large_call(i));
  writer.flush();
  auto health = writer.health();
  CHECK(health.waiting == 200);
  CHECK(health.dropped == 0);
  CHECK(health.last_error.find("free space") != std::string::npos);
  CHECK(health.last_error.find(place.file.string()) != std::string::npos);
  CHECK(place.number("SELECT count(*) FROM call") == 1);
  CHECK(place.number("SELECT sum(calls) FROM usage_daily") == 1);

  disk.free();
  // A flush may meet the attempt that began before there was space.
  while (writer.health().waiting > 0) writer.flush();
  health = writer.health();
  CHECK(health.written == 201);
  CHECK(health.last_error.empty());
  CHECK(place.number("SELECT count(DISTINCT id) FROM call") == 201);
  CHECK(place.number("SELECT count(*) FROM call") == 201);
  CHECK(place.number("SELECT sum(calls) FROM usage_daily") == 201);
}

TEST_CASE("when the queue is full, new rows are dropped and counted, and old ones are kept") {
  Place place;
  Disk disk;
  LedgerWriter writer(place.file, on_disk(place, disk, 100));
  disk.fill();
  for (int i = 0; i < 130; ++i) writer.append(make_large_call(i));
  const auto health = writer.health();
  CHECK(health.appended == 130);
  CHECK(health.waiting == 100);
  CHECK(health.dropped == 30);

  disk.free();
  while (writer.health().waiting > 0) writer.flush();
  CHECK(place.number("SELECT count(*) FROM call") == 100);
  CHECK(place.number("SELECT count(*) FROM call WHERE id = 'req_99'") == 1);
  CHECK(place.number("SELECT count(*) FROM call WHERE id = 'req_100'") == 0);
  writer.append(make_large_call(131));
  writer.flush();
  CHECK(writer.health().waiting == 0);
  CHECK(writer.health().dropped == 30);
}

TEST_CASE("a writer that goes while the disk is full does not wait for space") {
  Place place;
  Disk disk;
  {
    LedgerWriter writer(place.file, on_disk(place, disk));
    disk.fill();
    for (int i = 0; i < 200; ++i) writer.append(make_large_call(i));
  }
  CHECK(place.number("SELECT count(*) FROM call") == 0);
}

TEST_CASE("a row that the database will never take does not hold up the others") {
  Place place;
  {
    Connection connection(place.file, Access::read_write);
    connection.exec(
        "CREATE TRIGGER refuse BEFORE INSERT ON call WHEN new.id = 'req_13' "
        "BEGIN SELECT RAISE(ABORT, 'unlucky'); END");
  }
  LedgerWriter writer(place.file, {place.clock, 0});
  for (int i = 0; i < 300; ++i) writer.append(test::make_call("req_" + std::to_string(i)));
  writer.flush();
  const auto health = writer.health();
  CHECK(health.waiting == 0);
  CHECK(health.written == 299);
  CHECK(health.dropped == 1);
  CHECK(place.number("SELECT count(*) FROM call") == 299);
  CHECK(place.number("SELECT sum(calls) FROM usage_daily") == 299);
}

TEST_CASE("calls that end together are written in one transaction") {
  Place place;
  std::atomic<int> transactions = 0;
  std::mutex gate;
  std::condition_variable opened;
  bool open = false;
  LedgerWriterOptions options{place.clock, 0, 1000, {}};
  options.before_write = [&](Connection&) {
    std::unique_lock lock(gate);
    opened.wait(lock, [&] { return open; });
    ++transactions;
  };
  LedgerWriter writer(place.file, std::move(options));
  writer.append(test::make_call("first"));
  for (int i = 0; i < 500; ++i) writer.append(test::make_call(std::to_string(i)));
  {
    const std::lock_guard lock(gate);
    open = true;
  }
  opened.notify_all();
  writer.flush();
  CHECK(writer.health().written == 501);
  CHECK(transactions <= 2);
}

TEST_CASE(
    "while another process holds the database, rows wait, leases are refused in plain words, and nothing is lost") {
  Place place;
  LedgerWriterOptions options{place.clock, 0, 1000};
  options.before_write = [](Connection& connection) { connection.exec("PRAGMA busy_timeout = 1"); };
  LedgerWriter writer(place.file, std::move(options));
  Connection other(place.file, Access::read_write);
  std::promise<Status> answered;
  {
    const lib::sqlite::Transaction held(other);
    writer.append(test::make_call("req_1"));
    writer.change_leases({{{call::ScopeKind::seat, "anna"}, 20'000, NanoUsd{5}}},
                         [&](const Status& status) { answered.set_value(status); });
    const Status status = answered.get_future().get();
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().kind == ErrorKind::storage);
    CHECK(status.error().message.find("Another program holds it") != std::string::npos);
    writer.flush();
    CHECK(writer.health().waiting == 1);
    CHECK(writer.health().last_error.find("Another program holds it") != std::string::npos);
  }
  while (writer.health().waiting > 0) writer.flush();
  CHECK(writer.health().last_error.empty());
  CHECK(place.number("SELECT count(*) FROM call") == 1);
  CHECK(place.number("SELECT count(*) FROM budget_lease") == 0);
}

TEST_CASE("a lease change does not wait for the rows that came before it, not even those of a batch that has begun") {
  Place place;
  LedgerWriter* asked = nullptr;
  int writes = 0;
  std::promise<void> first_began;
  std::promise<void> all_appended;
  std::promise<std::int64_t> rows_then;
  LedgerWriterOptions options{place.clock, 0, 10'000};
  options.before_write = [&](Connection&) {
    ++writes;
    if (writes == 1) {
      first_began.set_value();
      all_appended.get_future().wait();
    }
    if (writes == 2) {
      asked->change_leases({{{call::ScopeKind::seat, "anna"}, 20'000, NanoUsd{5}}},
                           [&](const Status&) { rows_then.set_value(place.number("SELECT count(*) FROM call")); });
    }
  };
  LedgerWriter writer(place.file, std::move(options));
  asked = &writer;
  writer.append(test::make_call("first"));
  first_began.get_future().wait();
  for (int i = 0; i < 2000; ++i) writer.append(test::make_call(std::to_string(i)));
  all_appended.set_value();
  CHECK(rows_then.get_future().get() < 200);
  writer.flush();
  CHECK(place.number("SELECT count(*) FROM call") == 2001);
}

TEST_CASE("a journal that cannot be written shows in the health, and the call goes on") {
  Place place;
  store::Journal journal(place.folder.path() / "nowhere", 0);
  LedgerWriterOptions options{place.clock, 0, 1000, &journal};
  LedgerWriter writer(place.file, std::move(options));
  call::CallRecord record = test::make_call("req_1");
  writer.secure(record);
  CHECK(record.journal == 0);
  CHECK(writer.health().last_error.find("nowhere") != std::string::npos);
  writer.append(std::move(record));
  writer.flush();
  CHECK(writer.health().written == 1);
  CHECK(place.number("SELECT count(*) FROM call") == 1);
}

TEST_CASE("a row that the full queue refuses stays in its journal") {
  Place place;
  {
    Disk disk;
    disk.fill();
    store::Journal journal(place.folder.path(), 0);
    LedgerWriterOptions options = on_disk(place, disk, 1);
    options.journal = &journal;
    LedgerWriter writer(place.file, std::move(options));
    for (int i = 0; i < 2; ++i) {
      call::CallRecord record = make_large_call(i);
      writer.secure(record);
      CHECK(record.journal == 1);
      writer.append(std::move(record));
    }
    CHECK(writer.health().dropped == 1);
    disk.free();
    while (writer.health().waiting > 0) writer.flush();
  }
  CHECK(place.number("SELECT count(*) FROM call") == 1);
  CHECK(store::find_journal_files(place.folder.path()).size() == 1);
  auto store = test::open_store(place.folder.path(), place.clock);
  CHECK(place.number("SELECT count(DISTINCT id) FROM call") == 2);
  CHECK(place.number("SELECT count(*) FROM call") == 2);
}

}  // namespace nemo::test::ledger_writer_test
