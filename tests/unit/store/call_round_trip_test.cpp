#include <doctest/doctest.h>

#include "daemon/lib/sqlite/connection.h"
#include "store_fixture.h"

namespace nemo::test::call_round_trip_test {

using namespace nemo;

namespace {

call::CallRecord full_record() {
  call::CallRecord record;
  record.id = "req_full";
  record.at = test::k_today + Micros(123'456);
  record.key = "key_1";
  record.seat = "anna";
  record.team = "core";
  record.surface = call::Surface::openai_embeddings;
  record.lane = "reasoning";
  record.requested_model = "nemo/auto";
  record.model = "gemini-2.5-pro";
  record.upstream = "vertex-eu";
  record.deployment = "gemini-2.5-pro@vertex-eu";
  record.outcome = call::Outcome::cancelled;
  record.http_status = 499;
  record.error_code = "client_gone";
  record.stream = true;
  record.latency = Micros(1'234'567);
  record.ttft = Micros(0);
  record.overhead = Micros(321);
  record.usage = {1000, 400, 200, 150, call::UsageSource::partial, 300};
  record.cost = NanoUsd{9'223'372'036'854'775};
  record.reserved = NanoUsd{12'345'678'901};
  record.estimated_tokens = 1300;
  record.budget_fallback = "gemini-2.5-flash";
  record.cache = "bypass";
  record.attempts = 2;
  record.experiment = "flash-or-pro";
  record.arm = "b";
  record.accepted = false;
  record.suggested_bytes = 120;
  record.accepted_bytes = 40;
  record.client = "OpenAI/JS \"4.0\" Ünï";
  record.origin = {"node \"18\"", "/home/anna/Ünï code/api", "feature/x"};
  record.tags = {"code", "a \"quoted\" \\ tag", "", "ü"};
  record.trace.model_reason = "lane reasoning: 12 tools";
  record.trace.strategy = "least-busy";
  record.trace.candidates = {{"d1", "cooling down for 3s", false, ""},
                             {"d2", "least busy", true, "ttft 23 ms, \"2\" in flight"}};
  record.trace.attempts = {{"d1", "nemo", 503, "upstream_error", "it said:\n\"no\"", 10, 20, NanoUsd{-7}, "hedge"},
                           {"d2", "vertex-eu", 0, "", "", 30, 40, NanoUsd{0}, ""}};
  return record;
}

void check_trace(const call::Trace& read, const call::Trace& written) {
  CHECK(read.strategy == written.strategy);
  CHECK(read.model_reason == written.model_reason);
  REQUIRE(read.candidates.size() == written.candidates.size());
  for (std::size_t i = 0; i < read.candidates.size(); ++i) {
    CHECK(read.candidates[i].deployment == written.candidates[i].deployment);
    CHECK(read.candidates[i].reason == written.candidates[i].reason);
    CHECK(read.candidates[i].eligible == written.candidates[i].eligible);
    CHECK(read.candidates[i].figures == written.candidates[i].figures);
  }
  REQUIRE(read.attempts.size() == written.attempts.size());
  for (std::size_t i = 0; i < read.attempts.size(); ++i) {
    CHECK(read.attempts[i].deployment == written.attempts[i].deployment);
    CHECK(read.attempts[i].upstream == written.attempts[i].upstream);
    CHECK(read.attempts[i].http_status == written.attempts[i].http_status);
    CHECK(read.attempts[i].error_code == written.attempts[i].error_code);
    CHECK(read.attempts[i].error == written.attempts[i].error);
    CHECK(read.attempts[i].started_us == written.attempts[i].started_us);
    CHECK(read.attempts[i].took_us == written.attempts[i].took_us);
    CHECK(read.attempts[i].cost == written.attempts[i].cost);
    CHECK(read.attempts[i].note == written.attempts[i].note);
  }
}

void check_who_and_where(const call::CallRecord& read, const call::CallRecord& written) {
  CHECK(read.id == written.id);
  CHECK(read.at == written.at);
  CHECK(read.key == written.key);
  CHECK(read.seat == written.seat);
  CHECK(read.team == written.team);
  CHECK(read.surface == written.surface);
  CHECK(read.lane == written.lane);
  CHECK(read.requested_model == written.requested_model);
  CHECK(read.model == written.model);
  CHECK(read.upstream == written.upstream);
  CHECK(read.deployment == written.deployment);
  CHECK(read.experiment == written.experiment);
  CHECK(read.arm == written.arm);
  CHECK(read.accepted == written.accepted);
  CHECK(read.suggested_bytes == written.suggested_bytes);
  CHECK(read.accepted_bytes == written.accepted_bytes);
  CHECK(read.client == written.client);
  CHECK(read.origin == written.origin);
  CHECK(read.tags == written.tags);
}

void check_outcome(const call::CallRecord& read, const call::CallRecord& written) {
  CHECK(read.outcome == written.outcome);
  CHECK(read.http_status == written.http_status);
  CHECK(read.error_code == written.error_code);
  CHECK(read.stream == written.stream);
  CHECK(read.latency == written.latency);
  CHECK(read.ttft == written.ttft);
  CHECK(read.overhead == written.overhead);
  CHECK(read.usage == written.usage);
  CHECK(read.cost == written.cost);
  CHECK(read.reserved == written.reserved);
  CHECK(read.estimated_tokens == written.estimated_tokens);
  CHECK(read.budget_fallback == written.budget_fallback);
  CHECK(read.cache == written.cache);
  CHECK(read.attempts == written.attempts);
}

void check_found_whole(store::SqliteStore& store, const call::CallRecord& written) {
  const auto found = store.call_history().find_call(written.id);
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  check_who_and_where(**found, written);
  check_outcome(**found, written);
  check_trace((*found)->trace, written.trace);
}

}  // namespace

TEST_CASE("a call is read back as it was written, field by field") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const call::CallRecord full = full_record();
  call::CallRecord bare;
  bare.id = "req_bare";
  call::CallRecord only_strategy;
  only_strategy.id = "req_strategy";
  only_strategy.accepted = true;
  only_strategy.trace.strategy = "latency";
  for (const call::CallRecord& record : {full, bare, only_strategy}) store->request_log().append(record);
  store->flush();

  check_found_whole(*store, full);
  check_found_whole(*store, bare);
  check_found_whole(*store, only_strategy);

  const auto listed = store->call_history().find_calls({});
  REQUIRE(listed.ok());
  REQUIRE(listed->size() == 3);
  check_who_and_where(listed->at(0).record, full);
  check_outcome(listed->at(0).record, full);
}

TEST_CASE("every surface, outcome and usage source survives the database") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  std::vector<call::CallRecord> written;
  for (int i = 0; i < 256; ++i) {
    call::CallRecord record = test::make_call("req_" + std::to_string(i));
    const auto number = static_cast<std::uint8_t>(i);
    // "?" is what an enumerator that does not exist is called.
    if (call::to_string(static_cast<call::Surface>(number)) != "?") record.surface = static_cast<call::Surface>(number);
    if (call::to_string(static_cast<call::Outcome>(number)) != "?") record.outcome = static_cast<call::Outcome>(number);
    if (call::to_string(static_cast<call::UsageSource>(number)) != "?")
      record.usage.source = static_cast<call::UsageSource>(number);
    written.push_back(record);
    store->request_log().append(record);
  }
  store->flush();
  for (const call::CallRecord& record : written) check_found_whole(*store, record);
}

TEST_CASE("bytes that are no UTF-8 do not keep a call out of the ledger") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  call::CallRecord record = test::make_call("req_bytes");
  record.client = std::string("nul\0and \xff", 9);
  record.tags = {"\xc3"};
  record.trace.model_reason = "\xfe";
  store->request_log().append(record);
  store->flush();

  const auto found = store->call_history().find_call("req_bytes");
  REQUIRE(found.ok());
  REQUIRE(found->has_value());
  CHECK((*found)->client == record.client);
  CHECK((*found)->tags == std::vector<std::string>{"\xef\xbf\xbd"});
  CHECK((*found)->trace.model_reason == "\xef\xbf\xbd");
}

TEST_CASE("an id that nobody has is not an error") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const auto found = store->call_history().find_call("req_none");
  REQUIRE(found.ok());
  CHECK_FALSE(found->has_value());
}

TEST_CASE("a trace that was stored before calls were routed reads as it did") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  call::CallRecord record = test::make_call("req_old");
  record.trace.model_reason = "to be replaced";
  store->request_log().append(record);
  store->flush();
  lib::sqlite::Connection connection(folder.path() / "nemo.db", lib::sqlite::Access::read_write);
  connection.exec(R"(UPDATE call_trace SET trace = '{"model_reason":"lane completion",)"
                  R"("candidates":[{"deployment":"d1","reason":"least busy","eligible":true}],)"
                  R"("attempts":[{"deployment":"d1","upstream":"nemo","http_status":200,"error_code":"","error":"",)"
                  R"("started_us":10,"took_us":20}]}')");
  record.trace = {};
  record.trace.model_reason = "lane completion";
  record.trace.candidates = {{"d1", "least busy", true, ""}};
  record.trace.attempts = {{"d1", "nemo", 200, "", "", 10, 20, NanoUsd{0}, ""}};
  check_found_whole(*store, record);
}

}  // namespace nemo::test::call_round_trip_test
