#include <doctest/doctest.h>

#include "store_fixture.h"

namespace nemo::test::call_history_test {

using namespace nemo;
using namespace std::chrono_literals;
using ledger::CallFilter;
using ledger::StatusFilter;

namespace {

struct Story {
  test::TempFolder folder;
  test::StillClock clock;
  std::unique_ptr<store::SqliteStore> store = test::open_store(folder.path(), clock);

  void write(const std::vector<call::CallRecord>& records) const {
    for (const call::CallRecord& record : records) store->request_log().append(record);
    store->flush();
  }
  std::vector<std::string> ids(const CallFilter& filter) const {
    const auto found = store->call_history().find_calls(filter);
    REQUIRE(found.ok());
    std::vector<std::string> ids;
    for (const auto& row : *found) ids.push_back(row.record.id);
    return ids;
  }
};

using Ids = std::vector<std::string>;

// Six calls, a minute apart.
std::vector<call::CallRecord> six_calls() {
  std::vector<call::CallRecord> records;
  for (int i = 0; i < 6; ++i) records.push_back(test::make_call(std::to_string(i), test::k_today + i * 1min));
  records[1].key = "key_b";
  records[2].seat = "ben";
  records[3].model = "gemini-2.5-pro";
  records[1].outcome = call::Outcome::error;
  records[1].http_status = 502;
  records[2].outcome = call::Outcome::refused;
  records[2].http_status = 402;
  records[3].outcome = call::Outcome::refused;
  records[3].http_status = 429;
  records[4].outcome = call::Outcome::cancelled;
  records[4].http_status = 200;
  return records;
}

}  // namespace

TEST_CASE("the newest calls are found, and come oldest first") {
  Story story;
  story.write(six_calls());
  CHECK(story.ids({}) == Ids{"0", "1", "2", "3", "4", "5"});
  CallFilter three;
  three.limit = 3;
  CHECK(story.ids(three) == Ids{"3", "4", "5"});
  CallFilter none;
  none.limit = 0;
  CHECK(story.ids(none).empty());
  none.limit = -1;
  CHECK(story.ids(none).empty());
}

TEST_CASE("each filter leaves in what it names and nothing else") {
  Story story;
  story.write(six_calls());
  CallFilter filter;
  SUBCASE("key") {
    filter.key = "key_b";
    CHECK(story.ids(filter) == Ids{"1"});
  }
  SUBCASE("seat") {
    filter.seat = "ben";
    CHECK(story.ids(filter) == Ids{"2"});
  }
  SUBCASE("model") {
    filter.model = "gemini-2.5-pro";
    CHECK(story.ids(filter) == Ids{"3"});
  }
  SUBCASE("ok") {
    filter.status = StatusFilter::ok;
    CHECK(story.ids(filter) == Ids{"0", "5"});
  }
  SUBCASE("error") {
    filter.status = StatusFilter::error;
    CHECK(story.ids(filter) == Ids{"1"});
  }
  SUBCASE("refused") {
    filter.status = StatusFilter::refused;
    CHECK(story.ids(filter) == Ids{"2", "3"});
  }
  SUBCASE("cancelled") {
    filter.status = StatusFilter::cancelled;
    CHECK(story.ids(filter) == Ids{"4"});
  }
  SUBCASE("a status of a failure") {
    filter.http_status = 402;
    CHECK(story.ids(filter) == Ids{"2"});
  }
  SUBCASE("a status of success") {
    filter.http_status = 200;
    CHECK(story.ids(filter) == Ids{"0", "4", "5"});
  }
  SUBCASE("since, to the microsecond") {
    filter.since = test::k_today + 4min;
    CHECK(story.ids(filter) == Ids{"4", "5"});
    filter.since = test::k_today + 4min + 1us;
    CHECK(story.ids(filter) == Ids{"5"});
  }
  SUBCASE("several at once") {
    filter.status = StatusFilter::refused;
    filter.seat = "anna";
    filter.since = test::k_today + 1min;
    CHECK(story.ids(filter) == Ids{"3"});
    filter.limit = 1;
    CHECK(story.ids(filter) == Ids{"3"});
  }
}

TEST_CASE("a follower gets each later row once") {
  Story story;
  const auto records = six_calls();
  story.write({records[0], records[1]});
  const auto first = story.store->call_history().find_calls({});
  REQUIRE(first.ok());
  REQUIRE(first->size() == 2);
  CHECK(first->at(0).row < first->at(1).row);

  CallFilter filter;
  filter.after_row = first->back().row;
  CHECK(story.ids(filter).empty());
  // Written later, though it began earlier: a long stream that has ended now.
  story.write({records[3], records[2]});
  CHECK(story.ids(filter) == Ids{"3", "2"});
  filter.limit = 1;
  CHECK(story.ids(filter) == Ids{"2"});
  filter.limit = 50;
  filter.status = StatusFilter::refused;
  filter.http_status = 429;
  filter.seat = "anna";
  CHECK(story.ids(filter) == Ids{"3"});
}

TEST_CASE("the number of a removed row is not given to another") {
  Story story;
  story.write({test::make_call("old", test::k_today - std::chrono::days(2))});
  const auto before = story.store->call_history().find_calls({});
  REQUIRE(before.ok());
  REQUIRE(before->size() == 1);
  story.store->set_retention_days(1);
  story.store->flush();
  CHECK(story.ids({}).empty());

  story.write({test::make_call("new")});
  CallFilter filter;
  filter.after_row = before->back().row;
  CHECK(story.ids(filter) == Ids{"new"});
}

TEST_CASE("accuracy compares estimates with what calls used, per model, and leaves out calls that tell nothing") {
  Story story;
  const auto call = [](const std::string& id, std::int64_t estimated, std::int64_t input, int reserved, int cost) {
    call::CallRecord record = test::make_call(id);
    record.estimated_tokens = estimated;
    record.usage.input_tokens = input;
    record.reserved = NanoUsd{reserved};
    record.cost = NanoUsd{cost};
    return record;
  };
  std::vector<call::CallRecord> records = {call("a", 100, 80, 50, 30),
                                           call("b", 100, 130, 50, 57),
                                           call("c", 100, 100, 50, 50),
                                           call("no budget", 100, 900, 0, 30),
                                           call("refused upstream", 100, 0, 50, 0),
                                           call("other", 10, 5, 9, 8)};
  records[4].usage = {};
  records[5].model = "gemini-2.5-pro";
  records[5].at = test::k_today - 1us;
  story.write(records);
  const auto rows = story.store->call_history().accuracy(std::nullopt);
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 2);
  const ledger::AccuracyRow& flash = rows->at(0);
  CHECK(flash.model == "gemini-2.5-flash");
  CHECK(flash.calls == 3);
  CHECK(flash.estimated_tokens == 300);
  CHECK(flash.input_tokens == 310);
  CHECK(flash.above_estimate == 1);
  CHECK(flash.overruns == 1);
  CHECK(flash.overrun_cost == NanoUsd{7});
  CHECK(flash.reserved == NanoUsd{150});
  CHECK(flash.cost == NanoUsd{137});
  CHECK(rows->at(1).model == "gemini-2.5-pro");
  CHECK(rows->at(1).calls == 1);
  const auto since_today = story.store->call_history().accuracy(test::k_today);
  REQUIRE(since_today.ok());
  CHECK(since_today->size() == 1);
}

}  // namespace nemo::test::call_history_test
