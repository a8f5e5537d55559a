// Tokens written to the providers' caches in the sums: they are billed apart, so no sum may lose them.
#include <doctest/doctest.h>

#include "daemon/lib/sqlite/connection.h"
#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/sqlite/migrations.h"
#include "store_fixture.h"

namespace nemo::test::usage_cache_write_test {

using namespace nemo;
using ledger::UsageGroup;
using ledger::UsageQuery;

namespace {

std::int64_t written_in(store::SqliteStore& store, const UsageQuery& query) {
  const auto rows = store.call_history().usage(query);
  REQUIRE(rows.ok());
  std::int64_t sum = 0;
  for (const ledger::UsageRow& row : *rows) sum += row.cache_write_tokens;
  return sum;
}

}  // namespace

TEST_CASE(
    "what was written to providers' caches is in the sums by whatever group, of whole days and of parts of them") {
  constexpr UsageGroup k_groups[] = {UsageGroup::key,  UsageGroup::seat,     UsageGroup::team,   UsageGroup::model,
                                     UsageGroup::lane, UsageGroup::day,      UsageGroup::hour,   UsageGroup::client,
                                     UsageGroup::tag,  UsageGroup::upstream, UsageGroup::project};
  test::TempFolder folder;
  const test::StillClock clock;
  const auto store = test::open_store(folder.path(), clock);
  std::mt19937 random(20261123);
  const WallTime since = test::k_today + std::chrono::hours(31);
  const WallTime until = test::k_today + std::chrono::hours(24 * 7 + 5);
  std::int64_t all = 0;
  std::int64_t between = 0;
  for (int i = 0; i < 500; ++i) {
    const call::CallRecord record = test::make_random_call(random, i);
    all += record.usage.cache_write_tokens;
    if (record.at >= since && record.at < until) between += record.usage.cache_write_tokens;
    store->request_log().append(record);
  }
  store->flush();
  REQUIRE(between > 0);
  REQUIRE(between < all);
  for (const UsageGroup by : k_groups) {
    CAPTURE(static_cast<int>(by));
    CHECK(written_in(*store, {by, {}, {}}) == all);
    CHECK(written_in(*store, {by, since, until}) == between);
  }
}

TEST_CASE("daily sums from before know what the calls that are still there wrote, each in its own group") {
  using lib::sqlite::Access;
  using lib::sqlite::Connection;
  using lib::sqlite::Statement;
  test::TempFolder folder;
  const test::StillClock clock;
  const auto file = folder.path() / "nemo.db";
  {
    Connection connection(file, Access::read_write);
    REQUIRE(store::migrate(connection, store::all_migrations().first(10), clock.wall(), file).ok());
    const auto insert = [&](std::int64_t at, const char* seat, const char* project, int written) {
      Statement(connection,
                "INSERT INTO call (id, at, key, seat, team, surface, lane, requested_model, model, upstream, "
                "deployment, outcome, http_status, error_code, stream, latency, overhead, input_tokens, cached_tokens, "
                "output_tokens, reasoning_tokens, usage_source, cost, cache, attempts, experiment, arm, client, tags, "
                "cache_write_tokens, project) VALUES ('x', ?, 'k', ?, '', 'anthropic-messages', '', 'm', 'm', 'u', "
                "'d', 'ok', 200, '', 0, 5, 1, 10, 2, 3, 1, 'provider', 100, 'miss', 1, '', '', 'curl', '[]', ?, ?)")
          .bind_all(at, seat, written, project)
          .run();
      Statement(connection,
                "INSERT INTO usage_daily VALUES (?, 'k', ?, '', 'm', '', 'curl', 'u', ?, 1, 0, 10, 2, 3, 1, 100) "
                "ON CONFLICT DO UPDATE SET calls = calls + 1, input_tokens = input_tokens + 10, cost = cost + 100")
          .bind_all(at < 0 ? -1 : at / 86'400'000'000, seat, project)
          .run();
    };
    insert(5, "anna", "", 1);
    insert(86'400'000'000 - 1, "anna", "", 20);
    insert(86'400'000'000, "anna", "", 300);
    insert(6, "anna", "/srv/api", 4'000);
    insert(-1, "ben", "", 50'000);
    insert(7, "ben", "", 0);
    insert(8, "carl", "", 600'000);
    connection.exec("DELETE FROM call WHERE seat = 'carl'");
  }
  const auto store = test::open_store(folder.path(), clock);
  const auto seats = store->call_history().usage({UsageGroup::seat, {}, {}});
  REQUIRE(seats.ok());
  REQUIRE(seats->size() == 3);
  for (const ledger::UsageRow& row : *seats) {
    CAPTURE(row.group);
    CHECK(row.cache_write_tokens == (row.group == "anna" ? 4'321 : row.group == "ben" ? 50'000 : 0));
  }
  const auto projects = store->call_history().usage({UsageGroup::project, {}, {}});
  REQUIRE(projects.ok());
  for (const ledger::UsageRow& row : *projects) {
    if (row.group == "/srv/api") CHECK(row.cache_write_tokens == 4'000);
  }
  CHECK(written_in(*store, {UsageGroup::hour, {}, {}}) == 54'321);
}

}  // namespace nemo::test::usage_cache_write_test
