// Keys, seats, teams and budgets, as people handle them.
#include <doctest/doctest.h>
#include <pwd.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/cli/nemo_with_daemon.h"

namespace nemo::test::people_test {

using namespace nemo;
using Json = nlohmann::ordered_json;
using nemo::test::Arguments;
using nemo::test::holds;
using nemo::test::run_nemo;
using nemo::test::Said;
using nemo::test::sample_call;
using Daemon = nemo::test::NemoWithDaemon;

namespace {

Json parsed(const Said& said) {
  CAPTURE(said.err);
  REQUIRE(said.status == 0);
  return Json::parse(said.out);
}

budget::Standing standing_of(call::ScopeKind kind, const std::string& name, double limit, double spent) {
  budget::Standing standing;
  standing.scope = {kind, name};
  standing.limit = NanoUsd{static_cast<std::int64_t>(limit * 1e9)};
  standing.spent = NanoUsd{static_cast<std::int64_t>(spent * 1e9)};
  standing.resets_at = SystemClock().wall() + std::chrono::hours{24 * 9 + 12};
  return standing;
}

budget::Unsettled unsettled_of(std::int64_t id) {
  return {id, {call::ScopeKind::seat, "alex"}, 20'779, NanoUsd{1'200'000'000}, test::FixedClock().wall()};
}

}  // namespace

TEST_CASE("a key is made with several budgets and limits, and shows them") {
  Daemon daemon;
  const Said said = daemon.run({"keys", "create", "--seat", "alice", "--budget", "80/month", "--budget", "5/day",
                                "--rpm", "60", "--tpm", "100000", "--parallel", "4"});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "budget $5/day, $80/month"));
  CHECK(holds(said.out, "limits 60 rpm, 100k tpm, 4 at once"));
  const Json key = parsed(daemon.run({"--json", "keys", "list"}))[0];
  CHECK(key["budgets"] == Json{"5/day", "80/month"});
  CHECK(key["rpm"] == 60);
  CHECK(key["on_budget"] == "refuse");
  const Said shown = daemon.run({"keys", "show", key["id"]});
  CHECK(holds(shown.out, "$80/month"));
  CHECK(holds(shown.out, "100,000"));
  CHECK(holds(shown.out, "last used"));
}

TEST_CASE("a budget that makes no sense ends with 1 and says how one is written, even one that looks like an option") {
  Daemon daemon;
  for (const char* text :
       {"80", "80/fortnight", "-5/day", "1e3/day", "0.0000000001/day", "1000000000000000000000000000000/month", ""}) {
    CAPTURE(text);
    const Said said = daemon.run({"keys", "create", "--seat", "alice", "--budget", text});
    CAPTURE(said.err);
    CHECK(said.status == 1);
    CHECK(said.out.empty());
    CHECK(holds(said.err, "is not a budget"));
    CHECK(holds(said.err, "80/month"));
  }
  CHECK(daemon.run({"keys", "list"}).out.empty());
}

TEST_CASE("a team that is not there ends with 1 and the command that makes it") {
  Daemon daemon;
  const Said said = daemon.run({"keys", "create", "--seat", "alice", "--team", "core"});
  CHECK(said.status == 1);
  CHECK(holds(said.err, "nemo teams create core"));
}

TEST_CASE("a limit or a budget of 0 is set, and the command says what it means") {
  Daemon daemon;
  const Said made = daemon.run({"keys", "create", "--seat", "alice", "--rpm", "0", "--budget", "0/day"});
  CHECK(made.status == 0);
  CHECK(holds(made.err, "0 requests a minute: no call is allowed"));
  CHECK(holds(made.err, "a budget of $0/day allows nothing that costs anything"));
  const std::string id = daemon.book.keys().front().id;
  const Said shown = daemon.run({"keys", "show", id});
  CHECK(holds(shown.out, "0 (none allowed)"));
  CHECK(holds(shown.out, "$0/day (nothing that costs anything)"));
  CHECK(daemon.run({"keys", "set", id, "--rpm", "none", "--budget", "none"}).err.empty());
}

TEST_CASE("a key's options may stand before its id, and each takes one word") {
  Daemon daemon;
  daemon.run({"keys", "create", "--seat", "alice"});
  const std::string id = daemon.book.keys().front().id;
  CHECK(parsed(daemon.run({"--json", "keys", "set", "--budget", "8/day", id}))["budgets"] == Json{"8/day"});
  CHECK(parsed(daemon.run({"--json", "keys", "set", "--models", "a,b", id}))["models"] == Json{"a", "b"});
}

TEST_CASE("set changes what is named and says so; none, all and never take away") {
  Daemon daemon;
  daemon.run({"teams", "create", "core"});
  daemon.run(
      {"keys", "create", "--seat", "alice", "--team", "core", "--models", "a", "--expires", "90d", "--rpm", "5"});
  const std::string id = daemon.book.keys().front().id;
  Json key = parsed(daemon.run({"--json", "keys", "set", id, "--seat", "bob"}));
  CHECK(key["seat"] == "bob");
  CHECK(key["team"] == "core");
  CHECK(key["rpm"] == 5);
  key = parsed(daemon.run(
      {"--json", "keys", "set", id, "--team", "none", "--models", "all", "--expires", "never", "--rpm", "none"}));
  CHECK(key["team"] == "");
  CHECK(key["models"].empty());
  CHECK(key["expires_at"] == "");
  CHECK(key["rpm"].is_null());
  CHECK(daemon.run({"keys", "set", "nope", "--rpm", "1"}).status == 1);
}

TEST_CASE("a name that may be several keys is refused and names them; an unknown one says where to look") {
  Daemon daemon;
  for (const char* id : {"key_aa1", "key_aa2"}) {
    access::VirtualKey key;
    key.id = id;
    key.seat = std::string("seat-of-") + id;
    REQUIRE(daemon.store.insert_key(key, {}).ok());
  }
  const Said several = daemon.run({"keys", "show", "key_aa"});
  CHECK(several.status == 1);
  CHECK(holds(several.err, "key_aa1 (seat-of-key_aa1, active), key_aa2 (seat-of-key_aa2, active); give the id"));
  const Said unknown = daemon.run({"keys", "show", "zzzz!"});
  CHECK(unknown.status == 1);
  CHECK(holds(unknown.err, "nemo keys list"));
}

TEST_CASE("rotate shows the new key once and until when the old one works") {
  Daemon daemon;
  daemon.run({"keys", "create", "--seat", "alice"});
  const std::string id = daemon.book.keys().front().id;
  const Said said = daemon.run({"keys", "rotate", id});
  CHECK(said.status == 0);
  CHECK(holds(said.out, "OPENAI_API_KEY=sk-nemo-"));
  CHECK(holds(said.out, "works until 2026-11-23 12:00:00"));
  CHECK(holds(daemon.run({"keys", "show", id}).out, "works until 2026-11-23 12:00:00"));
  CHECK(holds(daemon.run({"keys", "list"}).out, "2026-11-23 12:00:00"));
  CHECK_FALSE(holds(daemon.run({"keys", "show", id}).out, "sk-nemo-"));
  CHECK(holds(daemon.run({"keys", "rotate", id, "--grace", "0s"}).out, "opens nothing any more"));
  const Json rotated = parsed(daemon.run({"--json", "keys", "rotate", id, "--grace", "7d"}));
  CHECK(rotated["old_works_until"] == "2026-11-29T12:00:00.000Z");
  CHECK(daemon.book.identify(rotated["key"].get<std::string>(), daemon.clock.wall()).ok());
}

TEST_CASE("a fallback that no upstream has, or that costs money, is noted") {
  Daemon daemon;
  admin::Model dear;
  dear.id = "dear";
  dear.output_price = "2.5";
  admin::Model free;
  free.id = "free";
  daemon.control.the_models = {dear, free};
  const auto create_with = [&](const char* what) {
    return daemon.run({"keys", "create", "--seat", "a", "--on-budget", what});
  };
  CHECK(holds(create_with("fallback:nowhere").err, "no upstream names a model \"nowhere\""));
  CHECK(holds(create_with("fallback:dear").err, "is not free"));
  CHECK(create_with("fallback:free").err.empty());
  CHECK(create_with("fallback:").status == 1);
}

TEST_CASE("a team is made, listed, changed and deleted") {
  Daemon daemon;
  CHECK(holds(daemon.run({"teams", "list"}).err, "nemo teams create NAME"));
  CHECK(holds(daemon.run({"teams", "create", "core", "--budget", "400/month"}).out, "$400/month"));
  CHECK(daemon.run({"teams", "create", "core"}).status == 1);
  daemon.run({"keys", "create", "--seat", "alice", "--team", "core"});
  CHECK(parsed(daemon.run({"--json", "teams", "set", "core", "--rpm", "600"}))["rpm"] == 600);
  const Said listed = daemon.run({"teams", "list"});
  CHECK(holds(listed.out, "core"));
  CHECK(holds(listed.out, "$400/month"));
  CHECK(holds(listed.out, "600 rpm"));
  CHECK(holds(listed.out, "alice"));
  const Said refused = daemon.run({"teams", "delete", "core"});
  CHECK(refused.status == 1);
  CHECK(holds(refused.err, "keys belong to it"));
  daemon.run({"keys", "set", daemon.book.keys().front().id, "--team", "none"});
  CHECK(daemon.run({"teams", "delete", "core"}).status == 0);
  CHECK(daemon.run({"teams", "delete", "core"}).status == 1);
}

TEST_CASE("a seat has budgets once it has a key") {
  Daemon daemon;
  CHECK(holds(daemon.run({"seats", "set", "alice", "--budget", "8/day"}).err, "nemo keys create --seat alice"));
  daemon.run({"keys", "create", "--seat", "alice"});
  CHECK(daemon.run({"seats", "set", "alice", "--budget", "8/day", "--budget", "80/month"}).status == 0);
  CHECK(parsed(daemon.run({"--json", "seats", "list"}))[0]["budgets"] == Json{"8/day", "80/month"});
  CHECK(holds(daemon.run({"seats", "list"}).out, "$8/day, $80/month"));
}

TEST_CASE("budgets are drawn as bars, piped too, where they hold no escape codes") {
  Daemon daemon;
  daemon.control.the_standings = {standing_of(call::ScopeKind::seat, "alex", 80, 31),
                                  standing_of(call::ScopeKind::team, "core", 400, 400)};
  const Said piped = daemon.run({"budgets"});
  CHECK(piped.status == 0);
  CHECK(holds(piped.out, "alex   $31.00 / $80.00  ███▉······ resets in 9 d (month)"));
  CHECK(holds(piped.out, "core  $400.00 / $400.00 ██████████ capped, resets in 9 d (month)"));
  CHECK_FALSE(holds(piped.out, "\x1b"));
  CHECK_FALSE(holds(piped.out, "crash"));
  CHECK(holds(daemon.show({"budgets"}).out, "\x1b["));
  CHECK_FALSE(holds(daemon.show({"budgets"}, {{"NO_COLOR", "1"}}).out, "\x1b"));
}

TEST_CASE("without a budget the command says how to set one") {
  Daemon daemon;
  const Said said = daemon.run({"budgets"});
  CHECK(said.status == 0);
  CHECK(holds(said.err, "nemo keys set ID --budget 80/month"));
}

TEST_CASE("budgets in --json have stable names and exact amounts") {
  Daemon daemon;
  daemon.control.the_standings = {standing_of(call::ScopeKind::seat, "alex", 80, 31)};
  const Json rows = parsed(daemon.run({"budgets", "--json"}));
  REQUIRE(rows.size() == 1);
  for (const char* name : {"scope", "name", "label", "window", "limit", "spent", "reserved", "unsettled", "remaining",
                           "percent", "resets_at", "capped"}) {
    CAPTURE(name);
    CHECK(rows[0].contains(name));
  }
  CHECK(rows[0]["spent"] == "31");
  CHECK(rows[0]["percent"] == 38);
  CHECK(rows[0]["capped"] == false);
}

TEST_CASE("what a crash left is marked, explained, listed and released with the user's name") {
  Daemon daemon;
  budget::Standing standing = standing_of(call::ScopeKind::seat, "alex", 80, 31);
  standing.unsettled = NanoUsd{1'200'000'000};
  daemon.control.the_standings = {standing};
  daemon.control.the_unsettled = {unsettled_of(3), unsettled_of(4), unsettled_of(5)};
  const Said drawn = daemon.run({"budgets"});
  CHECK(holds(drawn.out, "$1.20 of it is unsettled after a crash *"));
  CHECK(holds(drawn.out, "nemo budgets reconcile --all --reason"));

  const Said listed = daemon.run({"budgets", "reconcile"});
  CHECK(holds(listed.out, "2026-11-22"));
  CHECK(holds(listed.out, "$1.20"));
  CHECK(daemon.control.releases.empty());
  const std::string user = ::getpwuid(::getuid())->pw_name;
  CHECK(holds(daemon.run({"budgets", "reconcile", "4", "--reason", "not on the bill"}).out, "Released $1.20 of seat"));
  CHECK(daemon.control.releases == std::vector<std::string>{"4 " + user + ": not on the bill"});
  const Said again = daemon.run({"budgets", "reconcile", "4", "--reason", "again"});
  CHECK(again.status == 1);
  CHECK(holds(again.err, "nemo budgets reconcile"));
  CHECK(parsed(daemon.run({"--json", "budgets", "reconcile", "--all", "--reason", "checked"})).size() == 2);
  CHECK(daemon.control.the_unsettled.empty());
  CHECK(holds(daemon.run({"budgets", "reconcile"}).err, "Nothing is unsettled"));
}

TEST_CASE("accuracy shows estimate against real for each model") {
  Daemon daemon;
  daemon.history.accuracy_rows = {
      {"gemini-2.5-pro", 12, 13'000, 10'000, 1, 2, NanoUsd{5'000'000}, NanoUsd{2'000'000'000}, NanoUsd{1'000'000'000}}};
  const Said said = daemon.run({"budgets", "--accuracy", "--since", "7d"});
  for (const char* part : {"gemini-2.5-pro", "13k", "10k", "1.30×", "2.00×", "$0.005"}) {
    CAPTURE(part);
    CHECK(holds(said.out, part));
  }
  CHECK(parsed(daemon.run({"--json", "budgets", "--accuracy"}))[0]["overruns"] == 2);
}

TEST_CASE("status shows what is used up, what was passed and what is unsettled, and nothing when all is well") {
  Daemon daemon;
  CHECK_FALSE(holds(daemon.run({"status"}).out, "budgets"));
  daemon.control.the_standings = {standing_of(call::ScopeKind::team, "core", 400, 400)};
  daemon.control.the_alerts = {
      {{{call::ScopeKind::seat, "alex"}, call::Window::day, {}, 80, NanoUsd{5'000'000'000}, NanoUsd{4'000'000'000}},
       daemon.clock.wall()}};
  daemon.control.the_unsettled = {unsettled_of(3)};
  const std::string out = daemon.run({"status"}).out;
  CHECK(holds(out, "used up: team core (month)"));
  CHECK(holds(out, "seat alex 80 % of $5.00/day at 11-22 12:00:00"));
  CHECK(holds(out, "nemo budgets reconcile"));
}

TEST_CASE("why tells what was set aside, what went back, and that the budget chose another model") {
  Daemon daemon;
  call::CallRecord record = sample_call("req_1");
  record.reserved = NanoUsd{10'000'000};
  record.estimated_tokens = 2'400;
  record.budget_fallback = "gemini-2.5-pro";
  daemon.history.add(record);
  record.id = "req_2";
  record.reserved = NanoUsd{1'000'000};
  daemon.history.add(record);
  const std::string story = daemon.run({"why", "req_1"}).out;
  CHECK(holds(story, "no room for gemini-2.5-pro, so the call went on with gemini-2.5-flash"));
  CHECK(holds(story, "Set aside before the call: $0.01"));
  CHECK(holds(story, "at most 2,400 tokens in"));
  CHECK(holds(story, "$0.008844 of it went back"));
  CHECK(holds(daemon.run({"why", "req_2"}).out, "it cost $0.000156 more"));
  daemon.history.add(sample_call("req_3"));
  CHECK_FALSE(holds(daemon.run({"why", "req_3"}).out, "Set aside"));
  const Json rows = parsed(daemon.run({"logs", "--json"}));
  CHECK(rows[0]["reserved"] == "0.01");
  CHECK(rows[0]["budget_fallback"] == "gemini-2.5-pro");
}

TEST_CASE("the total of usage is the sum of its rows, to the last nano-dollar") {
  Daemon daemon;
  daemon.history.usage_rows = {
      {"a", 1, 0, 1, 0, 2, NanoUsd{333}}, {"b", 2, 1, 10, 5, 20, NanoUsd{334}}, {"c", 4, 0, 100, 0, 200, NanoUsd{333}}};
  const std::string out = daemon.run({"usage", "--by", "seat", "--since", "7d", "--until", "1d"}).out;
  const std::string total = out.substr(out.find("total"));
  for (const char* part : {"7", "111", "5", "222", "$0.000001"}) {
    CAPTURE(part);
    CHECK(holds(total, part));
  }
  daemon.history.last_usage_query.with([](const ledger::UsageQuery& query) {
    REQUIRE(query.since);
    REQUIRE(query.until);
    CHECK(*query.until - *query.since == std::chrono::hours{24 * 6});
  });
}

TEST_CASE("every new command's help has an example") {
  for (const Arguments& command :
       {Arguments{"keys", "create"}, Arguments{"keys", "set"}, Arguments{"keys", "rotate"}, Arguments{"keys", "show"},
        Arguments{"keys", "revoke"}, Arguments{"teams", "create"}, Arguments{"teams", "set"},
        Arguments{"teams", "delete"}, Arguments{"seats", "set"}, Arguments{"budgets"},
        Arguments{"budgets", "reconcile"}, Arguments{"ab", "create"}, Arguments{"route", "explain"}}) {
    Arguments arguments = command;
    arguments.emplace_back("--help");
    const Said said = run_nemo({arguments});
    CAPTURE(said.out);
    CHECK(said.status == 0);
    CHECK(holds(said.out, "Example"));
    CHECK(holds(said.out, "nemo " + command.front()));
  }
}

}  // namespace nemo::test::people_test
