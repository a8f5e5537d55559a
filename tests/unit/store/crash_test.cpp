// A process that ends without a word, and what the next one finds.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <future>

#include "daemon/lib/sqlite/statement.h"
#include "daemon/store/journal.h"
#include "daemon/store/journal_format.h"
#include "sanitizer.h"
#include "store_fixture.h"

namespace nemo::test::crash_test {

using namespace nemo;
using namespace std::chrono_literals;
using call::ScopeKind;
using lib::sqlite::Access;
using lib::sqlite::Connection;
using lib::sqlite::Statement;
using store::SqliteStore;

namespace {

constexpr lib::Day k_day = 20'779;

struct Place {
  test::TempFolder folder;
  test::StillClock clock;
  std::filesystem::path file = folder.path() / "nemo.db";

  // Opens the store in a process of its own that ends where `story` does, with no destructor run.
  void crash_after(const std::function<void(SqliteStore&)>& story) const {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      auto opened = SqliteStore::open(folder.path(), {0, &clock});
      if (!opened.ok()) ::_exit(1);
      story(**opened);
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(status == 0);
  }
  std::int64_t number(const std::string& sql) const {
    Connection connection(file, Access::read_only);
    Statement statement(connection, sql);
    REQUIRE(statement.step());
    return statement.integer(0);
  }
  std::size_t journals() const { return store::find_journal_files(folder.path()).size(); }
};

call::CallRecord paid_call(const std::string& id, std::int64_t cost, std::int64_t reserved) {
  call::CallRecord record = test::make_call(id);
  record.cost = NanoUsd{cost};
  record.reserved = NanoUsd{reserved};
  record.lease_day = k_day;
  record.drawn_from = 0b111;
  return record;
}

void lease(SqliteStore& store, std::int64_t amount) {
  std::promise<void> answered;
  store.change_leases({{{ScopeKind::key, "key_a"}, k_day, NanoUsd{amount}},
                       {{ScopeKind::seat, "anna"}, k_day, NanoUsd{amount}},
                       {{ScopeKind::team, "core"}, k_day, NanoUsd{amount}}},
                      [&](const Status& status) {
                        if (!status.ok()) ::_exit(2);
                        answered.set_value();
                      });
  answered.get_future().wait();
}

// Spent and unsettled of each scope, together and alone.
void check_money(const Place& place, std::int64_t spent, std::int64_t unsettled) {
  for (const std::string kind : {"key", "seat", "team"}) {
    CHECK(place.number("SELECT coalesce(sum(cost), 0) FROM scope_spend WHERE kind = '" + kind + "'") == spent);
    CHECK(place.number("SELECT coalesce(sum(amount), 0) FROM budget_unsettled WHERE kind = '" + kind + "'") ==
          unsettled);
  }
  CHECK(place.number("SELECT count(*) FROM budget_lease") == 0);
  CHECK(place.number("SELECT sum(cost) FROM usage_daily") == place.number("SELECT sum(cost) FROM call"));
  CHECK(place.number("SELECT sum(cost) FROM call") == spent);
}

}  // namespace

TEST_CASE("after a crash, secured rows are there once and only what had not settled is unsettled") {
  const Place place;
  place.crash_after([](SqliteStore& store) {
    lease(store, 1000);
    store.request_log().append(paid_call("appended", 10, 50));
    store.flush();
    call::CallRecord both = paid_call("both", 20, 50);
    store.request_log().secure(both);
    if (both.journal == 0) ::_exit(3);
    store.request_log().append(both);
    store.flush();
    for (int i = 0; i < 100; ++i) {
      call::CallRecord record = paid_call("secured_" + std::to_string(i), 5, 50);
      store.request_log().secure(record);
    }
  });
  test::open_store(place.folder.path(), place.clock);
  CHECK(place.number("SELECT count(*) FROM call") == 102);
  CHECK(place.number("SELECT count(DISTINCT id) FROM call") == 102);
  check_money(place, 530, 470);
  CHECK(place.journals() == 0);
  // And nothing twice, however often it is opened.
  test::open_store(place.folder.path(), place.clock);
  CHECK(place.number("SELECT count(*) FROM call") == 102);
  check_money(place, 530, 470);
}

TEST_CASE("the last that was secured of a call is what is found after a crash") {
  const Place place;
  place.crash_after([](SqliteStore& store) {
    lease(store, 1000);
    call::CallRecord record = paid_call("req", 10, 50);
    store.request_log().secure(record);
    record.cost = NanoUsd{30};
    record.outcome = call::Outcome::cancelled;
    store.request_log().secure(record);
  });
  auto store = test::open_store(place.folder.path(), place.clock);
  const auto found = store->call_history().find_call("req");
  REQUIRE(found->has_value());
  CHECK((*found)->outcome == call::Outcome::cancelled);
  check_money(place, 30, 970);
}

TEST_CASE("a row that is appended after it was secured has the last word, and its journal goes with a clean end") {
  const Place place;
  {
    auto store = test::open_store(place.folder.path(), place.clock);
    for (int i = 0; i < 50; ++i) {
      call::CallRecord record = paid_call(std::to_string(i), 10, 50);
      store->request_log().secure(record);
      record.latency = Micros(77);
      store->request_log().secure(record);
      record.cost = NanoUsd{11};
      store->request_log().append(std::move(record));
    }
  }
  CHECK(place.journals() == 0);
  CHECK(place.number("SELECT sum(cost) FROM call") == 550);
  test::open_store(place.folder.path(), place.clock);
  CHECK(place.number("SELECT count(*) FROM call") == 50);
}

TEST_CASE("a call that is never appended keeps its journal for the next start") {
  const Place place;
  {
    auto store = test::open_store(place.folder.path(), place.clock);
    call::CallRecord record = paid_call("only secured", 10, 50);
    store->request_log().secure(record);
  }
  CHECK(place.journals() == 1);
  test::open_store(place.folder.path(), place.clock);
  CHECK(place.number("SELECT count(*) FROM call WHERE id = 'only secured'") == 1);
  CHECK(place.journals() == 0);
}

TEST_CASE("a journal that was cut anywhere gives its whole rows, and the rest stays unsettled") {
  const Place crashed;
  crashed.crash_after([](SqliteStore& store) {
    lease(store, 100);
    for (const char* id : {"one", "two"}) {
      call::CallRecord record = paid_call(id, 10, 50);
      store.request_log().secure(record);
    }
  });
  const auto journal = store::find_journal_files(crashed.folder.path()).at(0).path.filename();
  const auto size = std::filesystem::file_size(crashed.folder.path() / journal);
  const auto one = store::to_journal_bytes(paid_call("one", 10, 50)).size();
  // Where nobody watches, anywhere. What a sanitizer is to see is the same at every cut, and opening a store takes it
  // ten times as long: the borders of the rows, and some places between them.
  constexpr std::uintmax_t k_step = test::k_is_sanitized ? 29 : 1;
  const auto is_border = [&](std::uintmax_t cut) { return cut + 1 == one || cut == one || cut + 1 >= size; };
  for (std::uintmax_t cut = 0; cut <= size; ++cut) {
    if (cut % k_step != 0 && !is_border(cut)) continue;
    const Place place;
    std::filesystem::copy(crashed.folder.path(), place.folder.path(), std::filesystem::copy_options::recursive);
    std::filesystem::resize_file(place.folder.path() / journal, cut);
    test::open_store(place.folder.path(), place.clock);
    const std::int64_t whole = cut < one ? 0 : cut < size ? 1 : 2;
    CHECK(place.number("SELECT count(*) FROM call") == whole);
    CHECK(place.number("SELECT sum(amount) FROM budget_unsettled WHERE kind = 'team'") == 100 - 10 * whole);
    CHECK(place.number("SELECT coalesce(sum(cost), 0) FROM scope_spend WHERE kind = 'team'") == 10 * whole);
    CHECK(place.journals() == 0);
  }
}

TEST_CASE("a row of a journal that the database will never take does not keep the others out, or the daemon down") {
  const Place place;
  place.crash_after([](SqliteStore& store) {
    for (int i = 0; i < 20; ++i) {
      call::CallRecord record = paid_call("req_" + std::to_string(i), 10, 0);
      store.request_log().secure(record);
    }
  });
  {
    Connection connection(place.file, Access::read_write);
    connection.exec(
        "CREATE TRIGGER refuse BEFORE INSERT ON call WHEN new.id = 'req_13' "
        "BEGIN SELECT RAISE(ABORT, 'unlucky'); END");
  }
  test::open_store(place.folder.path(), place.clock);
  CHECK(place.number("SELECT count(*) FROM call") == 19);
  check_money(place, 190, 0);
}

TEST_CASE("crashes at random moments lose no secured row, and spent and unsettled together never fall below the bill") {
  std::mt19937 random(4711);
  constexpr int k_rounds = test::k_is_sanitized ? 6 : 20;  // a sanitizer takes seconds for each
  for (int round = 0; round < k_rounds; ++round) {
    const Place place;
    const int calls = static_cast<int>(random() % 300) + 1;
    const int flush_at = static_cast<int>(random() % 300);
    place.crash_after([&](SqliteStore& store) {
      lease(store, 10'000);
      for (int i = 0; i < calls; ++i) {
        call::CallRecord record = paid_call(std::to_string(i), 7, 30);
        store.request_log().secure(record);
        if (i % 3 != 0) store.request_log().append(std::move(record));
        if (i == flush_at) store.flush();
      }
    });
    test::open_store(place.folder.path(), place.clock);
    CHECK(place.number("SELECT count(DISTINCT id) FROM call") == calls);
    CHECK(place.number("SELECT count(*) FROM call") == calls);
    check_money(place, 7 * calls, 10'000 - 7 * calls);
  }
}

TEST_CASE("a second store on one folder is refused and takes nothing from the first") {
  const Place place;
  auto store = test::open_store(place.folder.path(), place.clock);
  lease(*store, 100);
  call::CallRecord record = paid_call("req", 10, 50);
  store->request_log().secure(record);
  const auto second = SqliteStore::open(place.folder.path(), {0, &place.clock});
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message.find("another nemod") != std::string::npos);
  CHECK(place.number("SELECT sum(amount) FROM budget_lease WHERE kind = 'seat'") == 100);
  CHECK(place.number("SELECT count(*) FROM call") == 0);
  CHECK(place.journals() == 1);
  store->request_log().append(std::move(record));
  store.reset();
  CHECK(place.number("SELECT count(*) FROM call") == 1);
}

TEST_CASE("every field of a secured row comes through a crash") {
  const Place place;
  call::CallRecord record = paid_call("req_full", 9, 10);
  record.lane = "reasoning";
  record.surface = call::Surface::openai_embeddings;
  record.outcome = call::Outcome::cancelled;
  record.http_status = -1;
  record.error_code = "client_gone";
  record.stream = true;
  record.latency = Micros(1'234'567);
  record.ttft = Micros(0);
  record.overhead = Micros(-3);
  record.usage = {INT64_MAX, INT64_MIN, 200, 150, call::UsageSource::partial, -300};
  record.estimated_tokens = 1300;
  record.budget_fallback = "dear";
  record.cache = "bypass";
  record.attempts = 2;
  record.experiment = "flash-or-pro";
  record.arm = "b";
  record.accepted = true;
  record.suggested_bytes = 120;
  record.accepted_bytes = 40;
  record.tags = {"code", "", "\xc3\xbc"};
  record.trace.model_reason = "lane reasoning";
  record.trace.strategy = "least-busy";
  record.trace.candidates = {{"d1", "cooling down", false, ""}, {"d2", "least busy", true, "2 in flight"}};
  record.trace.attempts = {{"d1", "nemo", 503, "upstream_error", "it said:\n\"no\"", 10, 20, NanoUsd{7}, "hedge"}};
  store::JournalReader reader(std::string_view{});
  const std::string bytes = store::to_journal_bytes(record);
  reader = store::JournalReader(bytes);
  const auto read = reader.next();
  REQUIRE(read.has_value());
  CHECK(reader.unread() == 0);
  // What is written from them again is the same, so that no field is forgotten on the way in.
  CHECK(store::to_journal_bytes(*read) == bytes);
  CHECK(read->usage == record.usage);
  CHECK(read->ttft == record.ttft);
  CHECK(read->at == record.at);
  CHECK(read->lease_day == record.lease_day);
  CHECK(read->drawn_from == record.drawn_from);
  CHECK(read->tags == record.tags);
  CHECK(read->surface == record.surface);
  CHECK(read->accepted == record.accepted);
  CHECK(read->suggested_bytes == record.suggested_bytes);
  CHECK(read->accepted_bytes == record.accepted_bytes);
  CHECK(read->trace.strategy == record.trace.strategy);
  CHECK(read->trace.candidates.at(1).figures == "2 in flight");
  CHECK(read->trace.attempts.at(0).error == record.trace.attempts.at(0).error);
  CHECK(read->trace.attempts.at(0).cost == NanoUsd{7});
  CHECK(read->trace.attempts.at(0).note == "hedge");

  record.usage = {1, 2, 3, 4, call::UsageSource::partial, 5};
  place.crash_after([&](SqliteStore& store) {
    store.request_log().secure(record);
    call::CallRecord live = record;
    live.id = "req_live";
    live.journal = 0;
    store.request_log().append(std::move(live));
    store.flush();
  });
  test::open_store(place.folder.path(), place.clock);
  // All columns but row and id.
  Connection connection(place.file, Access::read_only);
  Statement rows(connection, "SELECT * FROM call ORDER BY id DESC");
  REQUIRE(rows.step());
  std::vector<std::string> first;
  const int columns = static_cast<int>(place.number("SELECT count(*) FROM pragma_table_info('call')"));
  for (int column = 2; column < columns; ++column) first.emplace_back(rows.text(column));
  REQUIRE(rows.step());
  for (int column = 2; column < columns; ++column)
    CHECK(rows.text(column) == first.at(static_cast<std::size_t>(column) - 2));
  CHECK(place.number("SELECT count(DISTINCT trace) FROM call_trace") == 1);
  CHECK(place.number("SELECT count(*) FROM call_trace") == 2);
}

}  // namespace nemo::test::crash_test
