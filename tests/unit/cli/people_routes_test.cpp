// Keys, teams, seats and budgets through the admin edge.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "cli/admin_client.h"
#include "daemon/admin/routes.h"
#include "tests/cli/fake_daemon.h"

namespace nemo::test::people_routes_test {

using namespace nemo;
using nemo::cli::AdminClient;
using nemo::test::FakeDaemon;

namespace {

struct Running : FakeDaemon {
  Running() { start(); }
  AdminClient client{socket};

  call::Terms terms_of(call::ScopeKind kind, const std::string& name) {
    const auto directory = *store.load_directory();
    const auto found = directory.terms.find({kind, name});
    return found == directory.terms.end() ? call::Terms{} : found->second;
  }
  admin::CreatedKey make_key(const std::string& seat, const std::string& team = "") {
    const auto made = client.create_key({seat, team, {}, std::nullopt});
    REQUIRE(made.ok());
    return *made;
  }
};

admin::TermsRequest with_budgets(std::vector<std::string> budgets) {
  admin::TermsRequest request;
  request.budgets = std::move(budgets);
  return request;
}

bool holds(const Error& error, const std::string& part) {
  return error.message.find(part) != std::string::npos;
}

budget::Standing standing_of(call::ScopeKind kind, const std::string& name, std::int64_t limit, std::int64_t spent) {
  budget::Standing standing;
  standing.scope = {kind, name};
  standing.limit = NanoUsd{limit};
  standing.spent = NanoUsd{spent};
  return standing;
}

}  // namespace

TEST_CASE("a key is made with its budgets, limits and fallback in one step") {
  Running daemon;
  const auto made = daemon.client.create_key(
      {"alice", "", {}, std::nullopt, {{"80/month", "5/day"}, "60", "100000", "4", "fallback:local"}});
  REQUIRE(made.ok());
  CHECK(made->record.terms.budgets == std::vector<std::string>{"5/day", "80/month"});
  CHECK(made->record.terms.rpm == 60);
  CHECK(made->record.terms.on_budget == "fallback:local");
  const call::Terms kept = daemon.terms_of(call::ScopeKind::key, made->record.id);
  CHECK(kept.limits.tokens_per_minute == 100'000);
  CHECK(kept.limits.parallel == 4);
  CHECK(kept.fallback_model == "local");
  CHECK((*daemon.book.identify(made->key, daemon.clock.wall()))->fallback_model == "local");
}

TEST_CASE("a budget that makes no sense is refused with a reason, and no key is made") {
  Running daemon;
  for (const char* text : {"80", "80/fortnight", "-5/day", "1e3/day", "0.0000000001/day",
                           "1000000000000000000000000000000/day", "", "/", "/day", "$5/day", "5/day/day", "NaN/day"}) {
    CAPTURE(text);
    const auto made = daemon.client.create_key({"alice", "", {}, std::nullopt, with_budgets({text})});
    REQUIRE_FALSE(made.ok());
    CHECK(made.error().kind == ErrorKind::invalid_request);
    CHECK(holds(made.error(), "80/month"));
    CHECK_FALSE(daemon.client.create_team({"core", with_budgets({text})}).ok());
  }
  CHECK(daemon.client.keys()->empty());
  CHECK(daemon.client.teams()->empty());
}

TEST_CASE("one bad budget among good ones changes nothing") {
  Running daemon;
  const auto key = daemon.make_key("alice").record;
  CHECK_FALSE(daemon.client.change_key(key.id, {{}, {}, {}, {}, with_budgets({"80/month", "5/fortnight"})}).ok());
  CHECK(daemon.client.keys()->front().terms.budgets.empty());
}

TEST_CASE("a limit that is no whole number is refused and named") {
  Running daemon;
  for (const char* text : {"-1", "1.5", "abc", "", "99999999999999999999", "1000000000001"}) {
    CAPTURE(text);
    admin::TermsRequest request;
    request.tpm = text;
    const auto made = daemon.client.create_key({"alice", "", {}, std::nullopt, request});
    REQUIRE_FALSE(made.ok());
    CHECK(holds(made.error(), "tpm takes"));
  }
}

TEST_CASE("a limit of 0 is kept as none allowed, and none as no limit") {
  Running daemon;
  const auto key = daemon.make_key("alice").record;
  admin::KeyChange change;
  change.terms.rpm = "0";
  CHECK(daemon.client.change_key(key.id, change)->terms.rpm == 0);
  change.terms.rpm = "none";
  CHECK_FALSE(daemon.client.change_key(key.id, change)->terms.rpm);
}

TEST_CASE("on_budget takes refuse or fallback:MODEL, and only of a key") {
  Running daemon;
  admin::TermsRequest request;
  for (const char* text : {"fallback:", "fallback", "local", ""}) {
    CAPTURE(text);
    request.on_budget = text;
    CHECK_FALSE(daemon.client.create_key({"alice", "", {}, std::nullopt, request}).ok());
  }
  request.on_budget = "fallback:local";
  CHECK(holds(daemon.client.create_team({"core", request}).error(), "said of a key"));
  const auto key = daemon.client.create_key({"alice", "", {}, std::nullopt, request});
  REQUIRE(key.ok());
  request.on_budget = "refuse";
  CHECK(daemon.client.change_key(key->record.id, {{}, {}, {}, {}, request})->terms.on_budget == "refuse");
}

TEST_CASE("a key of an unknown team is refused, and the answer says how to make the team") {
  Running daemon;
  const auto made = daemon.client.create_key({"alice", "core", {}, std::nullopt});
  REQUIRE_FALSE(made.ok());
  CHECK(made.error().kind == ErrorKind::not_found);
  CHECK(holds(made.error(), "nemo teams create core"));
  CHECK(daemon.client.keys()->empty());
  const auto key = daemon.make_key("alice").record;
  CHECK(holds(daemon.client.change_key(key.id, {{}, "core", {}, {}}).error(), "nemo teams create core"));
}

TEST_CASE("a change of a key keeps what it does not name, and acts on the next call") {
  Running daemon;
  REQUIRE(daemon.client.create_team({"core"}).ok());
  const auto made =
      daemon.client.create_key({"alice", "core", {"a"}, "2027-01-01T00:00:00Z", {{"80/month"}, "60", {}, {}, {}}});
  REQUIRE(made.ok());
  admin::KeyChange change;
  change.seat = "bob";
  change.terms.budgets = {"5/day"};
  const auto changed = daemon.client.change_key(made->record.id, change);
  REQUIRE(changed.ok());
  CHECK(changed->seat == "bob");
  CHECK(changed->team == "core");
  CHECK(changed->models == std::vector<std::string>{"a"});
  CHECK(changed->expires_at == "2027-01-01T00:00:00.000Z");
  CHECK(changed->terms.budgets == std::vector<std::string>{"5/day", "80/month"});
  CHECK(changed->terms.rpm == 60);
  CHECK((*daemon.book.identify(made->key, daemon.clock.wall()))->seat == "bob");

  change = {};
  change.team = "";
  change.models = std::vector<std::string>{};
  change.expires_at = "";
  change.terms.budgets = {"none"};
  const auto bare = daemon.client.change_key(made->record.id, change);
  CHECK(bare->team.empty());
  CHECK(bare->models.empty());
  CHECK(bare->expires_at.empty());
  CHECK(bare->terms.budgets.empty());
}

TEST_CASE("a change that names nothing, a key that is not there, and a revoked key are refused") {
  Running daemon;
  const auto key = daemon.make_key("alice").record;
  CHECK(daemon.client.change_key(key.id, {}).error().kind == ErrorKind::invalid_request);
  admin::KeyChange change;
  change.seat = "bob";
  CHECK(daemon.client.change_key("key_none", change).error().kind == ErrorKind::not_found);
  REQUIRE(daemon.client.revoke_key(key.id).ok());
  CHECK(daemon.client.change_key(key.id, change).error().kind == ErrorKind::conflict);
  CHECK(daemon.client.rotate_key(key.id, std::chrono::hours{1}).error().kind == ErrorKind::conflict);
  change.seat = "";
  CHECK(daemon.client.change_key(key.id, change).error().kind == ErrorKind::invalid_request);
}

TEST_CASE("a rotated key has a new secret, and the old one works until the grace is over") {
  Running daemon;
  const auto made = daemon.make_key("alice");
  const auto rotated = daemon.client.rotate_key(made.record.id, std::chrono::hours{24});
  REQUIRE(rotated.ok());
  CHECK(rotated->key != made.key);
  CHECK(rotated->record.id == made.record.id);
  CHECK(rotated->record.old_hint == made.record.hint);
  CHECK(rotated->record.old_works_until == "2026-11-23T12:00:00.000Z");
  CHECK(daemon.book.identify(rotated->key, daemon.clock.wall()).ok());
  CHECK(daemon.book.identify(made.key, daemon.clock.wall()).ok());
  CHECK_FALSE(daemon.book.identify(made.key, daemon.clock.wall() + std::chrono::hours{24}).ok());

  const auto at_once = daemon.client.rotate_key(made.record.id, std::chrono::seconds{0});
  CHECK(at_once->record.old_works_until.empty());
  CHECK_FALSE(daemon.book.identify(rotated->key, daemon.clock.wall()).ok());
  CHECK(daemon.client.rotate_key(made.record.id, std::chrono::hours{24 * 400}).error().kind ==
        ErrorKind::invalid_request);
  CHECK(daemon.client.rotate_key("key_none", std::chrono::hours{1}).error().kind == ErrorKind::not_found);
}

TEST_CASE("a secret that was made is handed over even when the daemon could not take it up, with a warning") {
  Running daemon;
  daemon.control.directory_outcome = fail(ErrorKind::storage, "the disk is gone");
  const auto made = daemon.client.create_key({"alice", "", {}, std::nullopt});
  REQUIRE(made.ok());
  CHECK_FALSE(made->key.empty());
  CHECK(made->warning.find("the disk is gone") != std::string::npos);
  const auto team = daemon.client.create_team({"core"});
  REQUIRE_FALSE(team.ok());
  CHECK(holds(team.error(), "it is stored, but it is not in force"));
}

TEST_CASE("a listed key tells when it was used last") {
  Running daemon;
  const auto key = daemon.make_key("alice").record;
  CHECK(daemon.client.keys()->front().last_used_at.empty());
  daemon.store.note_use(key.id, daemon.clock.wall());
  CHECK(daemon.client.keys()->front().last_used_at == "2026-11-22T12:00:00.000Z");
  CHECK(daemon.client.seats()->front().last_used_at == "2026-11-22T12:00:00.000Z");
}

TEST_CASE("a team is made, listed with its keys and seats, changed and deleted") {
  Running daemon;
  REQUIRE(daemon.client.create_team({"core", with_budgets({"400/month"})}).ok());
  daemon.make_key("bob", "core");
  daemon.make_key("alice", "core");
  const auto gone = daemon.make_key("carol", "core").record;
  REQUIRE(daemon.client.revoke_key(gone.id).ok());
  const auto teams = daemon.client.teams();
  REQUIRE(teams->size() == 1);
  CHECK(teams->front().keys == 2);
  CHECK(teams->front().seats == std::vector<std::string>{"alice", "bob"});
  CHECK(teams->front().terms.budgets == std::vector<std::string>{"400/month"});

  admin::TermsRequest change;
  change.parallel = "8";
  CHECK(daemon.client.change_team("core", change)->terms.parallel == 8);
  CHECK(daemon.client.change_team("core", change)->terms.budgets == std::vector<std::string>{"400/month"});
  CHECK(daemon.client.change_team("core", {}).error().kind == ErrorKind::invalid_request);
  CHECK(daemon.client.change_team("nope", change).error().kind == ErrorKind::not_found);
  CHECK(daemon.client.create_team({"core"}).error().kind == ErrorKind::conflict);
}

TEST_CASE("a team with keys in it is not deleted, one without is") {
  Running daemon;
  REQUIRE(daemon.client.create_team({"core"}).ok());
  const auto key = daemon.make_key("alice", "core").record;
  const auto refused = daemon.client.delete_team("core");
  CHECK(refused.error().kind == ErrorKind::conflict);
  CHECK(holds(refused.error(), key.id));
  CHECK(daemon.client.teams()->size() == 1);
  REQUIRE(daemon.client.revoke_key(key.id).ok());
  CHECK(daemon.client.delete_team("core")->name == "core");
  CHECK(daemon.client.teams()->empty());
  CHECK(daemon.client.delete_team("core").error().kind == ErrorKind::not_found);
}

TEST_CASE("a team's name is bounded, printable, and not the word for no team") {
  Running daemon;
  for (const std::string& name : {std::string(), std::string("a\nb"), std::string(129, 'x'), std::string("none")}) {
    CHECK(daemon.client.create_team({name}).error().kind == ErrorKind::invalid_request);
  }
}

TEST_CASE("a name with slashes, escapes, spaces or letters of the world is one name all the way") {
  Running daemon;
  for (const char* name : {"r&d/core team", "50%25", "übung?x=1#y", "..", "a%2Fb"}) {
    CAPTURE(name);
    REQUIRE(daemon.client.create_team({name}).ok());
    CHECK(daemon.client.change_team(name, with_budgets({"4/day"}))->name == name);
    CHECK(daemon.client.delete_team(name)->name == name);
  }
}

TEST_CASE("a seat has budgets of its own, for all its keys") {
  Running daemon;
  CHECK(holds(daemon.client.change_seat("alice", with_budgets({"8/day"})).error(), "nemo keys create --seat alice"));
  daemon.make_key("alice");
  const auto gone = daemon.make_key("alice").record;
  REQUIRE(daemon.client.revoke_key(gone.id).ok());
  const auto changed = daemon.client.change_seat("alice", with_budgets({"8/day"}));
  REQUIRE(changed.ok());
  CHECK(changed->keys == 1);
  CHECK(changed->terms.budgets == std::vector<std::string>{"8/day"});
  CHECK(daemon.terms_of(call::ScopeKind::seat, "alice").budgets.size() == 1);
  CHECK(daemon.client.seats()->size() == 1);
}

TEST_CASE("two who change one budget at once: one of the two is in force, whole, and in store and book alike") {
  Running daemon;
  const auto key = daemon.make_key("alice");
  const auto change = [&](const std::string& amount) {
    admin::KeyChange both;
    both.seat = "seat-" + amount;
    both.terms.budgets = {amount + "/day", amount + "/month"};
    for (int i = 0; i < 20; ++i) CHECK(AdminClient(daemon.socket).change_key(key.record.id, both).ok());
  };
  std::thread first(change, "1");
  std::thread second(change, "2");
  first.join();
  second.join();
  CHECK_FALSE(daemon.control.changes_overlapped);
  const auto now = daemon.client.keys()->front();
  const std::string amount = now.seat.substr(5);
  CHECK(now.terms.budgets == std::vector<std::string>{amount + "/day", amount + "/month"});
  CHECK((*daemon.book.identify(key.key, daemon.clock.wall()))->seat == now.seat);
}

TEST_CASE("a budget tells exact amounts, and is capped when spent and unsettled reach the limit") {
  Running daemon;
  const auto key = daemon.make_key("alice").record;
  budget::Standing standing = standing_of(call::ScopeKind::key, key.id, 3'000'000'000, 1'000'000'001);
  standing.reserved = NanoUsd{500'000'000};
  standing.unsettled = NanoUsd{250'000'000};
  standing.resets_at = daemon.clock.wall();
  budget::Standing used_up = standing_of(call::ScopeKind::seat, "alice", 2, 1);
  used_up.window = call::Window::total;
  used_up.unsettled = NanoUsd{1};
  daemon.control.the_standings = {standing, used_up, standing_of(call::ScopeKind::team, "core", 0, 0)};
  const auto budgets = daemon.client.budgets();
  REQUIRE(budgets->size() == 3);
  const admin::Budget& first = budgets->at(0);
  CHECK(first.scope == "key");
  CHECK(first.name == key.id);
  CHECK(first.label == "alice " + key.hint);
  CHECK(first.window == "month");
  CHECK(first.limit == "3");
  CHECK(first.spent == "1.000000001");
  CHECK(first.reserved == "0.5");
  CHECK(first.unsettled == "0.25");
  CHECK(first.percent == 41);
  CHECK(first.resets_at == "2026-11-22T12:00:00.000Z");
  CHECK_FALSE(first.capped);
  CHECK(budgets->at(1).capped);
  CHECK(budgets->at(1).percent == 100);
  CHECK(budgets->at(1).resets_at.empty());
  CHECK(budgets->at(2).capped);
}

TEST_CASE("a percentage of a huge budget does not overflow") {
  Running daemon;
  constexpr std::int64_t k_most = 9'000'000'000'000'000'000;
  daemon.control.the_standings = {standing_of(call::ScopeKind::team, "core", k_most, k_most - 1),
                                  standing_of(call::ScopeKind::team, "tiny", 1, k_most)};
  CHECK(daemon.client.budgets()->at(0).percent == 99);
  CHECK(daemon.client.budgets()->at(1).percent == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("an unsettled amount is listed, and released with who and why, once") {
  Running daemon;
  daemon.control.the_unsettled = {{3, {call::ScopeKind::seat, "alice"}, 20'779, NanoUsd{250'000'000}, {}}};
  const auto list = daemon.client.unsettled();
  REQUIRE(list->size() == 1);
  CHECK(list->front().id == 3);
  CHECK(list->front().amount == "0.25");
  CHECK(list->front().day == "2026-11-22");
  CHECK(daemon.client.release_unsettled(3, {"root", " "}).error().kind == ErrorKind::invalid_request);
  CHECK(daemon.client.release_unsettled(3, {"", "why"}).error().kind == ErrorKind::invalid_request);
  CHECK(daemon.client.release_unsettled(3, {"root", std::string(1'001, 'x')}).error().kind ==
        ErrorKind::invalid_request);
  CHECK(daemon.control.releases.empty());
  CHECK(daemon.client.release_unsettled(3, {"root", "not on the bill"}).ok());
  CHECK(daemon.control.releases == std::vector<std::string>{"3 root: not on the bill"});
  CHECK(daemon.client.release_unsettled(3, {"root", "again"}).error().kind == ErrorKind::not_found);
}

TEST_CASE("accuracy is asked for from a time on") {
  Running daemon;
  daemon.history.accuracy_rows = {{"m", 2, 300, 200, 1, 1, NanoUsd{5}, NanoUsd{1'000}, NanoUsd{900}}};
  const auto rows = daemon.client.accuracy("2026-11-01T00:00:00Z");
  REQUIRE(rows->size() == 1);
  CHECK(rows->front().overrun_cost == "0.000000005");
  daemon.history.last_accuracy_since.with(
      [](const auto& since) { CHECK(to_rfc3339(*since) == "2026-11-01T00:00:00.000Z"); });
  REQUIRE(daemon.client.accuracy("").ok());
  daemon.history.last_accuracy_since.with([](const auto& since) { CHECK_FALSE(since); });
  CHECK(daemon.client.accuracy("yesterday").error().kind == ErrorKind::invalid_request);
}

TEST_CASE("status tells what is used up, what was passed and what a crash left") {
  Running daemon;
  daemon.control.the_standings = {standing_of(call::ScopeKind::seat, "alice", 5, 5),
                                  standing_of(call::ScopeKind::seat, "bob", 5, 4)};
  daemon.control.the_alerts = {
      {{{call::ScopeKind::seat, "bob"}, call::Window::day, {}, 80, NanoUsd{5}, NanoUsd{4}}, daemon.clock.wall()}};
  daemon.control.the_unsettled = {{3, {call::ScopeKind::seat, "alice"}, 20'779, NanoUsd{1}, {}}};
  const auto status = daemon.client.status();
  REQUIRE(status->capped.size() == 1);
  CHECK(status->capped.front().label == "alice");
  REQUIRE(status->alerts.size() == 1);
  CHECK(status->alerts.front().percent == 80);
  CHECK(status->alerts.front().window == "day");
  CHECK(status->alerts.front().at == "2026-11-22T12:00:00.000Z");
  CHECK(status->unsettled == 1);
}

TEST_CASE("a path that is there answers another method with 405, and a body that is no JSON with 400") {
  FakeDaemon daemon;
  admin::Routes routes(daemon.control, daemon.store, daemon.history, daemon.clock);
  CHECK(routes.answer({"DELETE", "/budgets", {}, ""}).status == 405);
  CHECK(routes.answer({"GET", "/keys/key_1/rotate", {}, ""}).status == 405);
  CHECK(routes.answer({"GET", "/teams/", {}, ""}).status == 404);
  CHECK(routes.answer({"PATCH", "/teams/a/b", {}, "{}"}).status == 404);
  CHECK(routes.answer({"POST", "/teams", {}, "{\"name\": 7}"}).status == 400);
  CHECK(routes.answer({"PATCH", "/seats/a", {}, "nonsense"}).status == 400);
  CHECK(routes.answer({"POST", "/unsettled/three/release", {}, "{}"}).status == 400);
}

}  // namespace nemo::test::people_routes_test
