#include "daemon/store/sqlite/migrations.h"

#include <doctest/doctest.h>

#include <vector>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/call_rows.h"
#include "store_fixture.h"

namespace nemo::test::migrations_test {

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

TEST_CASE("a database from before budgets keeps its keys and calls, and every dollar is spent once") {
  test::TempFolder folder;
  const test::StillClock clock;
  const auto file = folder.path() / "nemo.db";
  const auto micros = [](std::chrono::minutes after) { return (test::k_today + after).time_since_epoch().count(); };
  {
    Connection connection(file, Access::read_write);
    REQUIRE(store::migrate(connection, store::all_migrations().first(3), clock.wall(), file).ok());
    const auto insert_key = [&](const char* id, const char* team, std::int64_t created) {
      const std::vector<std::uint8_t> hash(32, static_cast<std::uint8_t>(id[4]));
      Statement(connection, "INSERT INTO virtual_key VALUES (?, ?, 'wxyz', 'anna', ?, '[]', ?, NULL, NULL)")
          .bind_all(id, std::span<const std::uint8_t>(hash), team, created)
          .run();
    };
    insert_key("key_a", "core", 20);
    insert_key("key_b", "core", 10);
    insert_key("key_c", "", 30);
    insert_key("key_d", "tools", 40);
    const auto insert_call = [&](std::int64_t at, const char* key, const char* team, std::int64_t cost) {
      Statement(
          connection,
          "INSERT INTO call (id, at, key, seat, team, surface, lane, requested_model, model, upstream, deployment, "
          "outcome, http_status, error_code, stream, latency, overhead, input_tokens, cached_tokens, "
          "output_tokens, reasoning_tokens, usage_source, cost, cache, attempts, experiment, arm, client, tags) "
          "VALUES ('x', ?, ?, 'anna', ?, 'openai-chat', '', 'm', 'm', 'u', 'd', 'ok', 200, '', 0, 5, 1, 10, 2, 3, "
          "1, 'provider', ?, 'miss', 1, '', '', 'curl', '[]')")
          .bind_all(at, key, team, cost)
          .run();
      Statement(connection,
                "INSERT INTO usage_daily VALUES (?, ?, 'anna', ?, 'm', '', 'curl', 'u', 1, 0, 10, 2, 3, 1, ?) "
                "ON CONFLICT DO UPDATE SET calls = calls + 1, cost = cost + excluded.cost")
          .bind_all(at / store::k_micros_in_day, key, team, cost)
          .run();
    };
    using namespace std::chrono_literals;
    insert_call(micros(0min), "key_a", "core", 1000);  // removed below: only the daily sum knows it
    insert_call(micros(14min), "key_a", "core", 1);
    insert_call(micros(15min), "key_a", "core", 20);
    insert_call(micros(29min), "key_c", "", 300);
    insert_call(micros(-24h), "key_a", "core", 4000);
    insert_call(micros(-24h + 30min), "key_a", "core", 50'000);  // removed, as the one before it
    connection.exec("DELETE FROM call WHERE cost IN (1000, 4000, 50000)");
  }
  const auto store = test::open_store(folder.path(), clock);
  const auto directory = store->load_directory();
  REQUIRE(directory.ok());
  REQUIRE(directory->keys.size() == 4);
  CHECK(directory->keys[0].id == "key_b");
  CHECK_FALSE(directory->keys[0].last_used_at.has_value());
  CHECK(directory->keys[1].id == "key_a");
  CHECK(directory->keys[1].team == "core");
  CHECK(directory->keys[1].last_used_at == test::k_today + std::chrono::minutes(15));
  CHECK_FALSE(directory->keys[1].old_secret.has_value());
  REQUIRE(directory->teams.size() == 2);
  CHECK(directory->teams[0].name == "core");
  CHECK(directory->teams[0].created_at == WallTime(Micros(10)));
  CHECK(directory->teams[1].name == "tools");
  CHECK(directory->terms.empty());

  const auto spend = store->load_spend();
  REQUIRE(spend.ok());
  const budget::Slot today = budget::slot_of(test::k_today);
  const auto spent = [&](call::ScopeKind kind, const char* name, budget::Slot slot) {
    std::int64_t sum = 0;
    for (const budget::SpendRow& row : *spend) {
      if (row.scope == call::Scope{kind, name} && row.slot == slot) sum += row.cost.value;
    }
    return sum;
  };
  using call::ScopeKind;
  CHECK(spent(ScopeKind::key, "key_a", today) == 1001);
  CHECK(spent(ScopeKind::key, "key_a", today + 1) == 20);
  CHECK(spent(ScopeKind::key, "key_a", today - 96) == 54'000);
  CHECK(spent(ScopeKind::key, "key_c", today + 1) == 300);
  CHECK(spent(ScopeKind::seat, "anna", today + 1) == 320);
  CHECK(spent(ScopeKind::team, "core", today + 1) == 20);
  CHECK(spent(ScopeKind::team, "core", today) == 1001);
  std::int64_t of_seat = 0;
  for (const budget::SpendRow& row : *spend) of_seat += row.scope.kind == ScopeKind::seat ? row.cost.value : 0;
  CHECK(of_seat == 55'321);
  for (const budget::SpendRow& row : *spend) CHECK_FALSE(row.scope.name.empty());

  const auto calls = store->call_history().find_calls({});
  REQUIRE(calls.ok());
  REQUIRE(calls->size() == 3);
  CHECK(calls->at(0).record.reserved == NanoUsd{0});
  CHECK(calls->at(0).record.budget_fallback.empty());
}

TEST_CASE("a database from before experiments keeps its calls, with nothing written to a cache and nothing accepted") {
  test::TempFolder folder;
  const test::StillClock clock;
  const auto file = folder.path() / "nemo.db";
  {
    Connection connection(file, Access::read_write);
    REQUIRE(store::migrate(connection, store::all_migrations().first(6), clock.wall(), file).ok());
    connection.exec(
        "INSERT INTO call (id, at, key, seat, team, surface, lane, requested_model, model, upstream, deployment, "
        "outcome, http_status, error_code, stream, latency, overhead, input_tokens, cached_tokens, output_tokens, "
        "reasoning_tokens, usage_source, cost, cache, attempts, experiment, arm, client, tags, reserved, "
        "estimated_tokens, budget_fallback) VALUES ('old', 5, 'k', 'anna', '', 'openai-chat', '', 'm', 'm', 'u', 'd', "
        "'ok', 200, '', 0, 5, 1, 10, 2, 3, 1, 'provider', 100, 'miss', 1, 'flash-or-pro', 'm', 'curl', '[]', 9, 8, "
        "'dear')");
  }
  const auto store = test::open_store(folder.path(), clock);
  const auto found = store->call_history().find_call("old");
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->usage == call::Usage{10, 2, 3, 1, call::UsageSource::provider});
  CHECK((*found)->budget_fallback == "dear");
  CHECK_FALSE((*found)->accepted.has_value());
  const auto samples = store->call_history().experiment_samples("flash-or-pro");
  REQUIRE(samples.ok());
  REQUIRE(samples->arms.size() == 1);
  CHECK(samples->arms[0].samples.size() == 1);
  const auto experiments = store->load_experiments();
  REQUIRE(experiments.ok());
  CHECK(experiments->empty());
}

TEST_CASE("a database from before projects keeps its calls and daily sums, which belong to none") {
  test::TempFolder folder;
  const test::StillClock clock;
  const auto file = folder.path() / "nemo.db";
  {
    Connection connection(file, Access::read_write);
    REQUIRE(store::migrate(connection, store::all_migrations().first(8), clock.wall(), file).ok());
    connection.exec(
        "INSERT INTO call (id, at, key, seat, team, surface, lane, requested_model, model, upstream, deployment, "
        "outcome, http_status, error_code, stream, latency, overhead, input_tokens, cached_tokens, output_tokens, "
        "reasoning_tokens, usage_source, cost, cache, attempts, experiment, arm, client, tags) VALUES ('old', 5, 'k', "
        "'anna', '', 'openai-chat', '', 'm', 'm', 'u', 'd', 'ok', 200, '', 0, 5, 1, 10, 2, 3, 1, 'provider', 100, "
        "'miss', 1, '', '', 'curl', '[]')");
    connection.exec(
        "INSERT INTO usage_daily VALUES (0, 'k', 'anna', '', 'm', '', 'curl', 'u', 1, 0, 10, 2, 3, 1, 100), "
        "(-7, 'k', 'ben', '', 'm', '', 'curl', 'u', 4, 2, 20, 0, 6, 0, 700)");
  }
  const auto store = test::open_store(folder.path(), clock);
  const auto old = store->call_history().find_call("old");
  REQUIRE(old.ok());
  REQUIRE(old->has_value());
  CHECK((*old)->origin == call::Origin{});
  call::CallRecord record = test::make_call("new");
  record.origin = {"node", "/home/anna/api", "main"};
  store->request_log().append(record);
  store->flush();
  const auto projects = store->call_history().usage({ledger::UsageGroup::project, {}, {}});
  REQUIRE(projects.ok());
  REQUIRE(projects->size() == 2);
  CHECK(projects->at(0).group == "/home/anna/api");
  CHECK(projects->at(0).cost == NanoUsd{1500});
  CHECK(projects->at(1).group.empty());
  CHECK(projects->at(1).calls == 5);
  CHECK(projects->at(1).errors == 2);
  CHECK(projects->at(1).input_tokens == 30);
  CHECK(projects->at(1).cost == NanoUsd{800});
  const auto seats = store->call_history().usage({ledger::UsageGroup::seat, {}, {}});
  REQUIRE(seats.ok());
  REQUIRE(seats->size() == 2);
  CHECK(seats->at(0).group == "anna");
  CHECK(seats->at(0).cost == NanoUsd{1600});
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

}  // namespace nemo::test::migrations_test
