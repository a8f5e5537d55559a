#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "daemon/lib/sqlite/statement.h"
#include "store_fixture.h"

namespace nemo::test::usage_test {

using namespace nemo;
using namespace std::chrono_literals;
using ledger::UsageGroup;
using ledger::UsageQuery;
using ledger::UsageRow;

namespace {

struct Sum {
  std::int64_t calls = 0, errors = 0, input = 0, cached = 0, output = 0, cost = 0;
  bool operator==(const Sum&) const = default;
  Sum& operator+=(const Sum& more) {
    calls += more.calls;
    errors += more.errors;
    input += more.input;
    cached += more.cached;
    output += more.output;
    cost += more.cost;
    return *this;
  }
};
using Sums = std::map<std::string, Sum>;

Sum sum_of(const call::CallRecord& record) {
  return {1,
          record.outcome == call::Outcome::ok ? 0 : 1,
          record.usage.input_tokens,
          record.usage.cached_tokens,
          record.usage.output_tokens,
          record.cost.value};
}

Sum total_of(const Sums& sums) {
  Sum total;
  for (const auto& [group, sum] : sums) total += sum;
  return total;
}

std::string tags_of(const call::CallRecord& record) {
  std::string group;
  for (const std::string& tag : std::set<std::string>(record.tags.begin(), record.tags.end()))
    group += (group.empty() ? "" : ", ") + tag;
  return group;
}

std::string group_of(const call::CallRecord& record, UsageGroup by) {
  const std::string time = to_rfc3339(record.at);
  switch (by) {
    case UsageGroup::key:
      return record.key;
    case UsageGroup::seat:
      return record.seat;
    case UsageGroup::team:
      return record.team;
    case UsageGroup::model:
      return record.model;
    case UsageGroup::lane:
      return record.lane;
    case UsageGroup::day:
      return time.substr(0, 10);
    case UsageGroup::hour:
      return time.substr(0, 10) + " " + time.substr(11, 2) + ":00";
    case UsageGroup::client:
      return record.client;
    case UsageGroup::upstream:
      return record.upstream;
    case UsageGroup::tag:
      return tags_of(record);
    case UsageGroup::project:
      return record.origin.project;
  }
  return {};
}

// What the answer has to be, summed the slow way.
Sums expected(const std::vector<call::CallRecord>& records, const UsageQuery& query) {
  Sums sums;
  for (const call::CallRecord& record : records) {
    if (query.since && record.at < *query.since) continue;
    if (query.until && record.at >= *query.until) continue;
    sums[group_of(record, query.by)] += sum_of(record);
  }
  return sums;
}

std::vector<UsageRow> ask(store::SqliteStore& store, const UsageQuery& query) {
  const auto rows = store.call_history().usage(query);
  REQUIRE(rows.ok());
  return *rows;
}

Sums found(store::SqliteStore& store, const UsageQuery& query) {
  Sums sums;
  for (const UsageRow& row : ask(store, query))
    sums[row.group] = {row.calls, row.errors, row.input_tokens, row.cached_tokens, row.output_tokens, row.cost.value};
  return sums;
}

// Without the days whose hours nobody knows any more.
Sums only_hours(Sums sums) {
  std::erase_if(sums, [](const auto& one) { return one.first.find(':') == std::string::npos; });
  return sums;
}

constexpr UsageGroup k_all_groups[] = {UsageGroup::key,  UsageGroup::seat,     UsageGroup::team,   UsageGroup::model,
                                       UsageGroup::lane, UsageGroup::day,      UsageGroup::hour,   UsageGroup::client,
                                       UsageGroup::tag,  UsageGroup::upstream, UsageGroup::project};

std::vector<call::CallRecord> write_random_calls(store::SqliteStore& store, int count) {
  std::mt19937 random(20261122);
  std::vector<call::CallRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(test::make_random_call(random, i));
    store.request_log().append(records.back());
  }
  store.flush();
  return records;
}

}  // namespace

TEST_CASE("usage equals the sum of the calls, by every group and for every stretch of time") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const auto records = write_random_calls(*store, 2000);

  using Time = std::optional<WallTime>;
  const WallTime day0 = test::k_today;
  const std::vector<std::pair<Time, Time>> stretches = {
      {std::nullopt, std::nullopt},
      {day0 + 48h, std::nullopt},                // on a day's edge
      {std::nullopt, day0 + 72h},                //
      {day0 + 24h, day0 + 96h},                  //
      {day0 + 7h + 1us, std::nullopt},           // within a day
      {std::nullopt, day0 + 200h + 30min},       //
      {day0 + 30h + 17min, day0 + 170h + 3min},  // whole days between two rests
      {day0 + 30h + 17min, day0 + 60h},          // no whole day between two rests
      {day0 + 30h, day0 + 31h},                  // within one day
      {day0 + 30h, day0 + 30h},                  // nothing
      {day0 + 50h, day0 + 30h},                  // the wrong way round
      {records[7].at, records[7].at + 1us},      // one call
      {day0 + 1000h, std::nullopt},              // after all
      {std::nullopt, day0 - 1000h},              // before all
  };
  for (const UsageGroup by : k_all_groups) {
    for (const auto& [since, until] : stretches) {
      const UsageQuery query{by, since, until};
      const Sums should_be = expected(records, query);
      CHECK(found(*store, query) == should_be);
    }
  }
  CHECK(expected(records, {UsageGroup::key, records[7].at, records[7].at + 1us}).size() == 1);
}

TEST_CASE("a call before 1970 counts in its own day and hour") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const std::vector<call::CallRecord> records = {
      test::make_call("a", WallTime(-1us)), test::make_call("b", WallTime(-25h)), test::make_call("c", WallTime(0us))};
  for (const auto& record : records) store->request_log().append(record);
  store->flush();
  for (const UsageGroup by : {UsageGroup::day, UsageGroup::hour}) {
    for (const Micros since : {Micros(-25h), Micros(-24h), Micros(-1h), Micros(-1us), Micros(0)})
      CHECK(found(*store, {by, WallTime(since), {}}) == expected(records, {by, WallTime(since), {}}));
  }
}

TEST_CASE("the dearest group comes first, days and hours in their order") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const auto records = write_random_calls(*store, 300);
  for (const UsageGroup by : k_all_groups) {
    const auto rows = ask(*store, {by, {}, {}});
    REQUIRE(rows.size() > 1);
    const bool is_time = by == UsageGroup::day || by == UsageGroup::hour;
    CHECK(std::is_sorted(rows.begin(), rows.end(), [&](const UsageRow& a, const UsageRow& b) {
      return is_time ? a.group < b.group : a.cost > b.cost;
    }));
  }
}

TEST_CASE("what a project has used is known after its calls have left the ledger") {
  const test::TempFolder folder;
  test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const auto records = write_random_calls(*store, 500);
  clock.set(test::k_today + std::chrono::days(400));
  store->set_retention_days(30);
  store->flush();
  const Sums sums = found(*store, {UsageGroup::project, {}, {}});
  CHECK(sums.size() == 4);
  CHECK(sums == expected(records, {UsageGroup::project, {}, {}}));
}

TEST_CASE("a retention of 0 days keeps everything") {
  const test::TempFolder folder;
  test::StillClock clock;
  auto store = test::open_store(folder.path(), clock, 30);
  const auto records = write_random_calls(*store, 200);
  clock.set(test::k_today + std::chrono::days(10'000));
  store->set_retention_days(0);
  store->flush();
  CHECK(found(*store, {UsageGroup::hour, {}, {}}) == expected(records, {UsageGroup::hour, {}, {}}));
}

TEST_CASE("rows older than the retention go, newer ones and all daily sums stay") {
  const test::TempFolder folder;
  test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  // More old rows than one step of the removal takes.
  const auto records = write_random_calls(*store, 2500);
  clock.set(test::k_today + std::chrono::days(35));
  store->set_retention_days(30);
  store->flush();

  const WallTime cutoff = test::k_today + std::chrono::days(5);
  CHECK(only_hours(found(*store, {UsageGroup::hour, {}, {}})) == expected(records, {UsageGroup::hour, cutoff, {}}));
  CHECK(found(*store, {UsageGroup::seat, {}, {}}) == expected(records, {UsageGroup::seat, {}, {}}));
  CHECK(found(*store, {UsageGroup::day, {}, {}}) == expected(records, {UsageGroup::day, {}, {}}));
}

TEST_CASE("the rows of every group add up to one total, also when calls have left the ledger") {
  const test::TempFolder folder;
  test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const auto records = write_random_calls(*store, 1000);
  clock.set(test::k_today + std::chrono::days(35) + 5h);
  store->set_retention_days(30);  // to within a day
  store->flush();
  const std::vector<std::pair<std::optional<WallTime>, std::optional<WallTime>>> stretches = {
      {std::nullopt, std::nullopt},
      {test::k_today + 48h, std::nullopt},
      {std::nullopt, test::k_today + 100h},
      {test::k_today + 7h, test::k_today + 150h + 1us},
      {test::k_today + 96h, test::k_today + 240h}};
  for (const auto& [since, until] : stretches) {
    const Sum total = total_of(found(*store, {UsageGroup::key, since, until}));
    CHECK(total.calls > 0);
    for (const UsageGroup by : k_all_groups) CHECK(total_of(found(*store, {by, since, until})) == total);
  }
  CHECK(total_of(found(*store, {UsageGroup::tag, {}, {}})) == total_of(expected(records, {UsageGroup::tag, {}, {}})));
  const Sums hours = found(*store, {UsageGroup::hour, {}, {}});
  const Sums days = expected(records, {UsageGroup::day, {}, {}});
  CHECK(hours.at("2026-11-23") == days.at("2026-11-23"));
  CHECK_FALSE(hours.contains("2026-11-28"));
}

TEST_CASE("experiments, verdicts and writes to a provider's cache leave every sum equal to its calls") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  auto records = write_random_calls(*store, 600);
  for (std::size_t i = 0; i < records.size(); i += 3) store->request_log().mark_accepted(records[i].id, i % 2 == 0);
  for (int i = 0; i < 100; ++i) {
    call::CallRecord record = test::make_call("arm_" + std::to_string(i), test::k_today + i * 1h);
    record.experiment = "flash-or-pro";
    record.arm = i % 2 == 0 ? "gemini-2.5-flash" : "gemini-2.5-pro";
    record.model = record.arm;
    record.usage.cache_write_tokens = 50 + i;
    records.push_back(record);
    store->request_log().append(std::move(record));
  }
  store->flush();
  for (const UsageGroup by : k_all_groups) CHECK(found(*store, {by, {}, {}}) == expected(records, {by, {}, {}}));
  lib::sqlite::Connection connection(folder.path() / "nemo.db", lib::sqlite::Access::read_only);
  lib::sqlite::Statement sum(connection, "SELECT sum(cost), sum(input_tokens), sum(output_tokens), count(*) FROM call");
  REQUIRE(sum.step());
  const Sum total = total_of(found(*store, {UsageGroup::tag, {}, {}}));
  CHECK(total.cost == sum.integer(0));
  CHECK(total.input == sum.integer(1));
  CHECK(total.output == sum.integer(2));
  CHECK(total.calls == sum.integer(3));
}

TEST_CASE("a call with two tags counts once, whatever their order and however often they were written") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const std::vector<std::vector<std::string>> lists = {
      {"eu", "code"}, {"code", "eu"}, {"code", "eu", "code"}, {"code"}, {}};
  for (const auto& tags : lists) {
    call::CallRecord record = test::make_call("req_" + std::to_string(&tags - lists.data()));
    record.tags = tags;
    store->request_log().append(record);
  }
  store->flush();
  const Sums sums = found(*store, {UsageGroup::tag, {}, {}});
  CHECK(sums.size() == 3);
  CHECK(sums.at("code, eu").calls == 3);
  CHECK(sums.at("code").calls == 1);
  CHECK(sums.at("").calls == 1);
}

TEST_CASE("the retention given at start acts at start") {
  const test::TempFolder folder;
  test::StillClock clock;
  std::vector<call::CallRecord> records;
  {
    auto store = test::open_store(folder.path(), clock);
    records = write_random_calls(*store, 700);
  }
  clock.set(test::k_today + std::chrono::days(9));
  auto store = test::open_store(folder.path(), clock, 1);
  store->flush();
  const WallTime cutoff = test::k_today + std::chrono::days(8);
  CHECK(only_hours(found(*store, {UsageGroup::hour, {}, {}})) == expected(records, {UsageGroup::hour, cutoff, {}}));
}

namespace {

// "model: shown accepted partly dismissed" of each group, in its order.
std::string acceptance(store::SqliteStore& store, const UsageQuery& query) {
  const auto rows = store.call_history().acceptance(query);
  REQUIRE(rows.ok());
  std::string out;
  for (const ledger::AcceptanceRow& row : *rows) {
    out += row.group + ":";
    for (const std::int64_t count : {row.shown, row.accepted, row.partly, row.dismissed})
      out += " " + std::to_string(count);
    out += "; ";
  }
  return out;
}

call::CallRecord suggestion(const std::string& model, std::int64_t shown, std::optional<std::int64_t> accepted,
                            std::chrono::hours after = 0h) {
  call::CallRecord record = test::make_call("req", test::k_today + after);
  record.model = model;
  record.suggested_bytes = shown;
  if (accepted) {
    record.accepted = *accepted > 0;
    record.accepted_bytes = *accepted;
  }
  return record;
}

}  // namespace

TEST_CASE("what was shown is counted once and by what became of it") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  for (const auto& record :
       {suggestion("flash", 10, 10), suggestion("flash", 10, 4), suggestion("flash", 10, 0, 30h),
        suggestion("flash", 10, std::nullopt, 30h), suggestion("pro", 7, 7), suggestion("none", 0, std::nullopt)})
    store->request_log().append(record);
  store->flush();
  CHECK(acceptance(*store, {UsageGroup::model, {}, {}}) == "flash: 4 1 1 1; pro: 1 1 0 0; ");
  CHECK(acceptance(*store, {UsageGroup::day, {}, {}}) == "2026-11-22: 3 2 1 0; 2026-11-23: 2 0 0 1; ");
  CHECK(acceptance(*store, {UsageGroup::hour, test::k_today + 1h, {}}) == "2026-11-23 06:00: 2 0 0 1; ");
  CHECK(acceptance(*store, {UsageGroup::model, {}, test::k_today}).empty());
}

TEST_CASE("a verdict from before suggestions were measured is one on the whole") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  for (const std::optional<bool> accepted : {std::optional<bool>(), std::optional(true), std::optional(false)}) {
    call::CallRecord record = test::make_call("req");
    record.accepted = accepted;
    store->request_log().append(record);
  }
  store->flush();
  CHECK(acceptance(*store, {UsageGroup::model, {}, {}}) == "gemini-2.5-flash: 2 1 0 1; ");
}

TEST_CASE("what was accepted is counted by every group, tags in any order") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const std::vector<std::vector<std::string>> lists = {{"eu", "code"}, {"code", "eu"}, {}};
  for (const auto& tags : lists) {
    call::CallRecord record = suggestion("flash", 10, 10);
    record.tags = tags;
    store->request_log().append(record);
  }
  store->flush();
  CHECK(acceptance(*store, {UsageGroup::tag, {}, {}}) == "code, eu: 2 2 0 0; : 1 1 0 0; ");
  for (const UsageGroup by : k_all_groups) {
    std::int64_t shown = 0;
    const auto rows = store->call_history().acceptance({by, {}, {}});
    REQUIRE(rows.ok());
    for (const ledger::AcceptanceRow& row : *rows) shown += row.shown;
    CHECK(shown == 3);
  }
}

}  // namespace nemo::test::usage_test
