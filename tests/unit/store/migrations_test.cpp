#include "daemon/store/sqlite/migrations.h"

#include <doctest/doctest.h>

#include <vector>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/call_rows.h"
#include "store_fixture.h"

using namespace nemo;
using lib::sqlite::Access;
using lib::sqlite::Connection;
using lib::sqlite::Statement;
using store::Migration;

namespace {

struct Database {
  test::TempFolder folder;
  std::filesystem::path file = folder.path() / "nemo.db";
  Connection connection{file, Access::read_write};

  Status migrate(std::span<const Migration> migrations) {
    return store::migrate(connection, migrations, test::k_today, file);
  }
  std::int64_t number(const std::string& sql) {
    Statement statement(connection, sql);
    REQUIRE(statement.step());
    return statement.integer(0);
  }
};

}  // namespace

TEST_CASE("migrations are numbered without a gap, named after their file, and are in order") {
  const auto all = store::all_migrations();
  REQUIRE_FALSE(all.empty());
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i].number == static_cast<int>(i) + 1);
    CHECK(std::stoi(std::string(all[i].name.substr(0, 4))) == all[i].number);
    CHECK_FALSE(all[i].sql.empty());
  }
}

TEST_CASE("every table is STRICT") {
  Database database;
  REQUIRE(database.migrate(store::all_migrations()).ok());
  CHECK(database.number("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
                        "AND name NOT LIKE 'sqlite_%' AND strict = 0") == 0);
  CHECK(database.number("SELECT count(*) FROM pragma_table_list WHERE name = 'call'") == 1);
}

TEST_CASE("each migration is recorded by its name, once") {
  Database database;
  REQUIRE(database.migrate(store::all_migrations()).ok());
  REQUIRE(database.migrate(store::all_migrations()).ok());
  for (const Migration& migration : store::all_migrations()) {
    Statement row(database.connection, "SELECT count(*), min(applied_at) FROM schema_migration WHERE name = ?");
    row.bind(1, migration.name);
    REQUIRE(row.step());
    CHECK(row.integer(0) == 1);
    CHECK(row.integer(1) == test::k_today.time_since_epoch().count());
  }
}

TEST_CASE("a database from before the daily sums gets them from its rows") {
  test::TempFolder folder;
  const test::StillClock clock;
  const auto file = folder.path() / "nemo.db";
  {
    Connection connection(file, Access::read_write);
    REQUIRE(store::migrate(connection, store::all_migrations().first(1), clock.wall(), file).ok());
    for (int i = 0; i < 10; ++i) {
      Statement insert(connection,
                       "INSERT INTO call (id, at, key, seat, team, surface, lane, requested_model, model, upstream, "
                       "deployment, outcome, http_status, error_code, stream, latency, overhead, input_tokens, "
                       "cached_tokens, output_tokens, reasoning_tokens, usage_source, cost, cache, attempts, "
                       "experiment, arm, client, tags) VALUES ('x', ?, 'k', ?, '', 'openai-chat', '', 'm', 'm', 'u', "
                       "'d', ?, 200, '', 0, 5, 1, 10, 2, 3, 1, 'provider', 100, 'miss', 1, '', '', 'curl', '[]')");
      const WallTime at = test::k_today + i * std::chrono::hours(6);
      insert.bind_all(at.time_since_epoch().count(), i % 2 == 0 ? "anna" : "ben", i == 0 ? "error" : "ok").run();
    }
  }
  auto store = test::open_store(folder.path(), clock);
  store->request_log().append(test::make_call("new", test::k_today));
  store->flush();
  const auto days = store->call_history().usage({ledger::UsageGroup::day, {}, {}});
  REQUIRE(days.ok());
  REQUIRE(days->size() == 3);
  CHECK(days->at(0).group == "2026-11-22");
  CHECK(days->at(0).calls == 5);
  CHECK(days->at(0).errors == 1);
  CHECK(days->at(0).input_tokens == 140);
  CHECK(days->at(0).cost == NanoUsd{1900});
  CHECK(days->at(2).group == "2026-11-24");
  CHECK(days->at(2).calls == 2);
}

TEST_CASE("a migration that fails leaves no trace, and those before it stay") {
  Database database;
  const std::vector<Migration> broken = {{1, "0001_good", "CREATE TABLE good (a INTEGER) STRICT;"},
                                         {2, "0002_bad",
                                          "CREATE TABLE half (a INTEGER) STRICT; INSERT INTO nowhere "
                                          "VALUES (1);"}};
  CHECK_THROWS_AS((void)database.migrate(broken), lib::sqlite::Failure);
  CHECK(database.number("SELECT count(*) FROM sqlite_master WHERE name = 'good'") == 1);
  CHECK(database.number("SELECT count(*) FROM sqlite_master WHERE name = 'half'") == 0);
  CHECK(database.number("SELECT max(number) FROM schema_migration") == 1);

  const std::vector<Migration> mended = {broken[0], {2, "0002_bad", "CREATE TABLE half (a INTEGER) STRICT;"}};
  REQUIRE(database.migrate(mended).ok());
  CHECK(database.number("SELECT max(number) FROM schema_migration") == 2);
}

TEST_CASE("a number under another name is another history, and refused") {
  Database database;
  const std::vector<Migration> ours = {{1, "0001_ours", "CREATE TABLE ours (a INTEGER) STRICT;"}};
  const std::vector<Migration> theirs = {{1, "0001_theirs", "CREATE TABLE theirs (a INTEGER) STRICT;"}};
  REQUIRE(database.migrate(theirs).ok());
  const Status refused = database.migrate(ours);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("0001_theirs") != std::string::npos);
  CHECK(database.number("SELECT count(*) FROM sqlite_master WHERE name = 'ours'") == 0);
}
