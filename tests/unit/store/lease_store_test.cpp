#include <doctest/doctest.h>

#include <future>
#include <map>

#include "daemon/lib/sqlite/statement.h"
#include "store_fixture.h"

namespace nemo::test::lease_store_test {

using namespace nemo;
using namespace std::chrono_literals;
using budget::LeaseChange;
using call::Scope;
using call::ScopeKind;
using lib::sqlite::Access;
using lib::sqlite::Connection;
using lib::sqlite::Statement;

namespace {

const Scope k_key{ScopeKind::key, "key_a"};
const Scope k_seat{ScopeKind::seat, "anna"};
const Scope k_team{ScopeKind::team, "core"};
constexpr lib::Day k_day = 20'779;
constexpr std::uint8_t k_all_scopes = 0b111;

struct Story {
  test::TempFolder folder;
  test::StillClock clock;
  std::unique_ptr<store::SqliteStore> store = test::open_store(folder.path(), clock);

  void reopen() {
    store.reset();
    store = test::open_store(folder.path(), clock);
  }
  Status change(std::vector<LeaseChange> changes) const {
    std::promise<Status> answered;
    store->change_leases(std::move(changes), [&](const Status& status) { answered.set_value(status); });
    return answered.get_future().get();
  }
  void write(const call::CallRecord& record) const {
    store->request_log().append(record);
    store->flush();
  }
  std::map<std::pair<Scope, budget::Slot>, std::int64_t> spend() const {
    const auto rows = store->load_spend();
    REQUIRE(rows.ok());
    std::map<std::pair<Scope, budget::Slot>, std::int64_t> spend;
    for (const budget::SpendRow& row : *rows) spend[{row.scope, row.slot}] += row.cost.value;
    return spend;
  }
  // What a lease holds; -1: there is none.
  std::int64_t lease(const Scope& scope, lib::Day day = k_day) const {
    Connection connection(folder.path() / "nemo.db", Access::read_only);
    Statement row(connection, "SELECT amount FROM budget_lease WHERE kind = ? AND name = ? AND day = ?");
    row.bind_all(to_string(scope.kind), scope.name, day);
    return row.step() ? row.integer(0) : -1;
  }
};

call::CallRecord paid_call(std::int64_t cost, std::int64_t reserved, std::uint8_t drawn_from = k_all_scopes) {
  call::CallRecord record = test::make_call("req_" + std::to_string(cost));
  record.cost = NanoUsd{cost};
  record.reserved = NanoUsd{reserved};
  record.lease_day = k_day;
  record.drawn_from = drawn_from;
  return record;
}

}  // namespace

TEST_CASE("leases add up, are given back in order, and are gone when nothing is left in them") {
  const Story story;
  REQUIRE(story.change({{k_seat, k_day, NanoUsd{100}}, {k_team, k_day, NanoUsd{7}}}).ok());
  REQUIRE(story.change({{k_seat, k_day, NanoUsd{50}}, {k_seat, k_day + 1, NanoUsd{1}}}).ok());
  CHECK(story.lease(k_seat) == 150);
  CHECK(story.lease(k_seat, k_day + 1) == 1);
  REQUIRE(story.change({{k_seat, k_day, NanoUsd{-30}}}).ok());
  CHECK(story.lease(k_seat) == 120);
  REQUIRE(story.change({{k_seat, k_day, NanoUsd{-120}}, {k_team, k_day, NanoUsd{-100}}}).ok());
  CHECK(story.lease(k_seat) == -1);
  CHECK(story.lease(k_team) == -1);
  // What was given back too much is not owed.
  REQUIRE(story.change({{k_team, k_day, NanoUsd{5}}}).ok());
  CHECK(story.lease(k_team) == 5);
}

TEST_CASE("a row's cost is spent in every scope that has a name, at the slot in which the call began") {
  const Story story;
  call::CallRecord record = paid_call(30, 0, 0);
  record.at = test::k_today + 29min;
  story.write(record);
  record.team.clear();
  story.write(record);
  record.key.clear();
  record.at = test::k_today + 30min;
  story.write(record);
  const budget::Slot slot = budget::slot_of(test::k_today) + 1;
  const decltype(story.spend()) expected = {
      {{k_key, slot}, 60}, {{k_seat, slot}, 60}, {{k_seat, slot + 1}, 30}, {{k_team, slot}, 30}};
  CHECK(story.spend() == expected);
}

TEST_CASE("a row takes its cost out of the leases it drew from, and never more than was reserved") {
  const Story story;
  REQUIRE(
      story.change({{k_key, k_day, NanoUsd{100}}, {k_seat, k_day, NanoUsd{100}}, {k_team, k_day, NanoUsd{100}}}).ok());
  SUBCASE("less than reserved") {
    story.write(paid_call(30, 50));
    CHECK(story.lease(k_key) == 70);
    CHECK(story.lease(k_seat) == 70);
    CHECK(story.lease(k_team) == 70);
  }
  SUBCASE("an overrun") {
    story.write(paid_call(80, 50));
    CHECK(story.lease(k_key) == 50);
    CHECK(story.spend().at({k_key, budget::slot_of(test::k_today)}) == 80);
  }
  SUBCASE("from one scope only") {
    story.write(paid_call(30, 50, 1U << static_cast<unsigned>(ScopeKind::team)));
    CHECK(story.lease(k_key) == 100);
    CHECK(story.lease(k_seat) == 100);
    CHECK(story.lease(k_team) == 70);
  }
  SUBCASE("of another day") {
    call::CallRecord record = paid_call(30, 50);
    record.lease_day = k_day - 1;
    story.write(record);
    CHECK(story.lease(k_key) == 100);
  }
  SUBCASE("many in one batch") {
    for (int i = 0; i < 9; ++i) story.store->request_log().append(paid_call(10, 10));
    story.store->flush();
    CHECK(story.lease(k_seat) == 10);
  }
  SUBCASE("more than there is") {
    story.write(paid_call(130, 130));
    CHECK(story.lease(k_seat) == -1);
  }
}

TEST_CASE("what a lease still holds when the store is opened is unsettled, once, until somebody releases it") {
  Story story;
  REQUIRE(story.change({{k_seat, k_day, NanoUsd{100}}, {k_team, k_day, NanoUsd{40}}}).ok());
  story.write(paid_call(30, 50));
  story.clock.set(test::k_today + 1h);
  story.reopen();
  CHECK(story.lease(k_seat) == -1);
  auto unsettled = story.store->load_unsettled();
  REQUIRE(unsettled.ok());
  REQUIRE(unsettled->size() == 2);
  CHECK(unsettled->at(0).scope == k_seat);
  CHECK(unsettled->at(0).day == k_day);
  CHECK(unsettled->at(0).amount == NanoUsd{70});
  CHECK(unsettled->at(0).found_at == test::k_today + 1h);
  CHECK(unsettled->at(1).scope == k_team);
  CHECK(unsettled->at(1).amount == NanoUsd{10});
  story.reopen();
  REQUIRE(story.store->load_unsettled()->size() == 2);

  const std::int64_t id = unsettled->at(0).id;
  REQUIRE(story.store->release_unsettled(id, "root@desk", "upstream's bill says so", test::k_today).ok());
  const Status again = story.store->release_unsettled(id, "x", "y", test::k_today);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().kind == ErrorKind::not_found);
  CHECK_FALSE(story.store->release_unsettled(9999, "x", "y", test::k_today).ok());
  REQUIRE(story.store->load_unsettled()->size() == 1);
  CHECK(story.store->load_unsettled()->at(0).scope == k_team);
  Connection connection(story.folder.path() / "nemo.db", Access::read_only);
  Statement record(connection, "SELECT released_by, reason FROM budget_unsettled WHERE released_at IS NOT NULL");
  REQUIRE(record.step());
  CHECK(record.text(0) == "root@desk");
  CHECK(record.text(1) == "upstream's bill says so");
}

TEST_CASE("a store that goes answers every lease change and writes them") {
  Story story;
  std::atomic<int> answered = 0;
  std::atomic<int> written = 0;
  for (int i = 0; i < 500; ++i) {
    story.store->change_leases({{k_seat, k_day, NanoUsd{1}}}, [&](const Status& status) {
      ++answered;
      written += status.ok() ? 1 : 0;
    });
  }
  story.store.reset();
  CHECK(answered == 500);
  CHECK(written == 500);
  CHECK(story.lease(k_seat) == 500);
}

TEST_CASE("what is answered may ask again from the answer") {
  Story story;
  std::promise<Status> second;
  story.store->change_leases({{k_seat, k_day, NanoUsd{1}}}, [&](const Status&) {
    story.store->change_leases({{k_seat, k_day, NanoUsd{2}}}, [&](const Status& status) { second.set_value(status); });
  });
  CHECK(second.get_future().get().ok());
  CHECK(story.lease(k_seat) == 3);
}

TEST_CASE("a lease that the database refuses is refused to the one who asked, with nothing half written") {
  const Story story;
  {
    Connection connection(story.folder.path() / "nemo.db", Access::read_write);
    connection.exec(
        "CREATE TRIGGER refuse BEFORE INSERT ON budget_lease WHEN new.kind = 'team' "
        "BEGIN SELECT RAISE(ABORT, 'unlucky'); END");
  }
  const Status refused = story.change({{k_seat, k_day, NanoUsd{1}}, {k_team, k_day, NanoUsd{1}}});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::storage);
  CHECK(story.lease(k_seat) == -1);
}

TEST_CASE("spending older than 40 days is folded into slot 0, and none is lost") {
  Story story;
  call::CallRecord record = paid_call(10, 0, 0);
  for (const auto age : {0, 30, 39, 41, 50, 400}) {
    record.at = test::k_today - std::chrono::days(age);
    story.write(record);
  }
  story.store->set_retention_days(0);
  story.store->flush();
  const auto folded = story.spend();
  CHECK(folded.at({k_seat, 0}) == 30);
  CHECK(folded.size() == 3 * 4);
  CHECK(folded.at({k_seat, budget::slot_of(test::k_today - std::chrono::days(39))}) == 10);
  story.clock.set(test::k_today + std::chrono::days(5));
  story.reopen();
  story.store->flush();
  CHECK(story.spend().at({k_seat, 0}) == 40);
}

TEST_CASE("a call from before 1970 is spent in slot 0") {
  const Story story;
  call::CallRecord record = paid_call(10, 0, 0);
  record.at = WallTime(-24h);
  story.write(record);
  CHECK(story.spend().at({k_seat, 0}) == 10);
}

TEST_CASE("a threshold is new once a period, also after opening again") {
  Story story;
  budget::Crossing crossing{k_seat, call::Window::month, test::k_today, 80, NanoUsd{100}, NanoUsd{81}};
  const auto record = [&](const budget::Crossing& one, WallTime at) {
    const auto recorded = story.store->record_crossing(one, at);
    REQUIRE(recorded.ok());
    return *recorded == budget::AlertStore::Recorded::now;
  };
  CHECK(record(crossing, test::k_today + 1h));
  story.reopen();
  CHECK_FALSE(record(crossing, test::k_today + 2h));
  budget::Crossing full = crossing;
  full.percent = 100;
  CHECK(record(full, test::k_today + 3h));
  budget::Crossing next = crossing;
  next.period_start = test::k_today + std::chrono::days(30);
  CHECK(record(next, test::k_today + 2h));
  budget::Crossing other = crossing;
  other.scope = k_team;
  CHECK(record(other, test::k_today + 2h));
  other.window = call::Window::day;
  CHECK(record(other, test::k_today + 2h));

  const auto recent = story.store->recent_crossings(10);
  REQUIRE(recent.ok());
  REQUIRE(recent->size() == 5);
  CHECK(recent->at(0).crossing.percent == 100);
  CHECK(recent->at(0).at == test::k_today + 3h);
  const budget::Alert& oldest = recent->back();
  CHECK(oldest.crossing.scope == k_seat);
  CHECK(oldest.crossing.window == call::Window::month);
  CHECK(oldest.crossing.period_start == test::k_today);
  CHECK(oldest.crossing.limit == NanoUsd{100});
  CHECK(oldest.crossing.spent == NanoUsd{81});
  CHECK(oldest.at == test::k_today + 1h);
  CHECK(story.store->recent_crossings(2)->size() == 2);
  CHECK(story.store->recent_crossings(-1)->empty());
}

}  // namespace nemo::test::lease_store_test
