#include <doctest/doctest.h>

#include <thread>

#include "daemon/access/virtual_key.h"
#include "daemon/store/sqlite/sqlite_key_store.h"
#include "store_fixture.h"

namespace nemo::test::key_store_test {

using namespace nemo;
using namespace std::chrono_literals;
using access::VirtualKey;

namespace {

VirtualKey make_virtual_key(const std::string& id) {
  VirtualKey key;
  key.id = id;
  key.last4 = "wxyz";
  // A hash with a zero byte in it, different for every id.
  for (std::size_t i = 0; i < key.hash.size(); ++i)
    key.hash[i] = static_cast<std::uint8_t>(i * static_cast<std::size_t>(id.back()));
  key.seat = "anna";
  key.created_at = test::k_today;
  return key;
}

std::vector<VirtualKey> load(store::SqliteStore& store) {
  const auto directory = store.load_directory();
  REQUIRE(directory.ok());
  return directory->keys;
}

struct Story {
  test::TempFolder folder;
  test::StillClock clock;
  std::unique_ptr<store::SqliteStore> store = test::open_store(folder.path(), clock);

  void reopen() {
    store.reset();
    store = test::open_store(folder.path(), clock);
  }
  access::Directory directory() const {
    auto directory = store->load_directory();
    REQUIRE(directory.ok());
    return std::move(*directory);
  }
  call::Terms terms(const call::Scope& scope) const {
    const auto all = directory().terms;
    const auto found = all.find(scope);
    return found == all.end() ? call::Terms{} : found->second;
  }
};

void check_refused(const Status& status, ErrorKind kind, const std::string& part) {
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().kind == kind);
  CHECK(status.error().message.find(part) != std::string::npos);
}

call::TermsChange with_budget(call::Window window, std::int64_t amount) {
  call::TermsChange change;
  change.budgets.push_back({window, NanoUsd{amount}});
  return change;
}

const call::Scope k_key_a{call::ScopeKind::key, "key_a"};
const call::Scope k_core{call::ScopeKind::team, "core"};
const call::Scope k_anna{call::ScopeKind::seat, "anna"};

}  // namespace

TEST_CASE("a key is read back as it was stored, also after opening again") {
  const test::TempFolder folder;
  const test::StillClock clock;
  VirtualKey full = make_virtual_key("key_a");
  full.team = "core";
  full.models = {"gemini-2.5-flash", "with, comma", "with \"quote\""};
  full.expires_at = test::k_today + 90 * 24h;
  full.revoked_at = test::k_today + 1us;
  const VirtualKey plain = make_virtual_key("key_b");
  {
    auto store = test::open_store(folder.path(), clock);
    REQUIRE(store->insert_team({"core", test::k_today}, {}).ok());
    REQUIRE(store->insert_key(full, {}).ok());
    REQUIRE(store->insert_key(plain, {}).ok());
  }
  auto store = test::open_store(folder.path(), clock);
  const auto keys = load(*store);
  REQUIRE(keys.size() == 2);
  const VirtualKey* written[] = {&full, &plain};
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(keys[i].id == written[i]->id);
    CHECK(keys[i].last4 == written[i]->last4);
    CHECK(keys[i].hash == written[i]->hash);
    CHECK(keys[i].seat == written[i]->seat);
    CHECK(keys[i].team == written[i]->team);
    CHECK(keys[i].models == written[i]->models);
    CHECK(keys[i].created_at == written[i]->created_at);
    CHECK(keys[i].expires_at == written[i]->expires_at);
    CHECK(keys[i].revoked_at == written[i]->revoked_at);
  }
}

TEST_CASE("a second key with the same id or the same text is a conflict") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  const VirtualKey key = make_virtual_key("key_a");
  REQUIRE(store->insert_key(key, {}).ok());

  VirtualKey same_id = make_virtual_key("key_b");
  same_id.id = key.id;
  VirtualKey same_hash = make_virtual_key("key_b");
  same_hash.hash = key.hash;
  for (const VirtualKey& again : {same_id, same_hash}) {
    const Status inserted = store->insert_key(again, {});
    REQUIRE_FALSE(inserted.ok());
    CHECK(inserted.error().kind == ErrorKind::conflict);
  }
  CHECK(load(*store).size() == 1);
}

TEST_CASE("revoking twice keeps the first time") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  REQUIRE(store->insert_key(make_virtual_key("key_a"), {}).ok());
  REQUIRE(store->revoke_key("key_a", test::k_today + 1h).ok());
  REQUIRE(store->revoke_key("key_a", test::k_today + 2h).ok());
  CHECK(load(*store).at(0).revoked_at == test::k_today + 1h);
}

TEST_CASE("revoking a key that nobody made is not_found, and revokes nothing else") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  REQUIRE(store->insert_key(make_virtual_key("key_a"), {}).ok());
  const Status revoked = store->revoke_key("key_none", test::k_today);
  REQUIRE_FALSE(revoked.ok());
  CHECK(revoked.error().kind == ErrorKind::not_found);
  CHECK_FALSE(load(*store).at(0).revoked_at.has_value());
}

TEST_CASE("terms are read back as they were given, for key, team and seat") {
  Story story;
  call::TermsChange terms;
  terms.budgets = {
      {call::Window::month, NanoUsd{80}}, {call::Window::day, NanoUsd{0}}, {call::Window::total, NanoUsd{7}}};
  terms.requests_per_minute = 60;
  terms.parallel = 0;
  call::TermsChange of_key = terms;
  of_key.fallback_model = "my-local-model";
  REQUIRE(story.store->insert_team({"core", test::k_today}, terms).ok());
  REQUIRE(story.store->insert_key(make_virtual_key("key_a"), of_key).ok());
  REQUIRE(story.store->change_seat("anna", terms).ok());
  story.reopen();

  const call::Terms expected = apply(call::Terms{}, terms);
  REQUIRE(expected.budgets.size() == 3);
  CHECK(story.terms(k_core) == expected);
  CHECK(story.terms(k_anna) == expected);
  CHECK(story.terms(k_key_a) == apply(call::Terms{}, of_key));
  const access::Directory directory = story.directory();
  CHECK(directory.terms.size() == 3);
  REQUIRE(directory.teams.size() == 1);
  CHECK(directory.teams[0].name == "core");
  CHECK(directory.teams[0].created_at == test::k_today);
}

TEST_CASE("a change leaves what it does not name") {
  Story story;
  REQUIRE(story.store->insert_team({"core", test::k_today}, {}).ok());
  VirtualKey key = make_virtual_key("key_a");
  key.models = {"m"};
  key.expires_at = test::k_today + 24h;
  REQUIRE(story.store->insert_key(key, with_budget(call::Window::month, 80)).ok());
  access::KeyChange change;
  change.team = "core";
  change.terms = with_budget(call::Window::day, 5);
  change.terms.tokens_per_minute = 1000;
  REQUIRE(story.store->change_key("key_a", change).ok());
  REQUIRE(story.store->change_key("key_a", {}).ok());
  VirtualKey read = story.directory().keys.at(0);
  CHECK(read.team == "core");
  CHECK(read.seat == "anna");
  CHECK(read.models == key.models);
  CHECK(read.expires_at == key.expires_at);
  CHECK(read.hash == key.hash);
  CHECK(story.terms(k_key_a).budgets.size() == 2);
  CHECK(story.terms(k_key_a).limits.tokens_per_minute == 1000);

  access::KeyChange other;
  other.team = "";
  other.seat = "ben";
  other.models = std::vector<std::string>{};
  other.expires_at = std::optional<WallTime>();
  other.terms.budgets = {{std::nullopt, std::nullopt}};
  other.terms.tokens_per_minute = std::optional<std::int64_t>();
  REQUIRE(story.store->change_key("key_a", other).ok());
  read = story.directory().keys.at(0);
  CHECK(read.team.empty());
  CHECK(read.seat == "ben");
  CHECK(read.models.empty());
  CHECK_FALSE(read.expires_at.has_value());
  CHECK(story.directory().terms.empty());
}

TEST_CASE("a change that is refused leaves nothing half done") {
  Story story;
  REQUIRE(story.store->insert_key(make_virtual_key("key_a"), {}).ok());
  access::KeyChange change;
  change.seat = "ben";
  change.team = "nowhere";
  change.terms = with_budget(call::Window::day, 5);
  check_refused(story.store->change_key("key_a", change), ErrorKind::not_found, "nowhere");
  check_refused(story.store->change_key("key_none", {}), ErrorKind::not_found, "key_none");
  VirtualKey homeless = make_virtual_key("key_b");
  homeless.team = "nowhere";
  check_refused(story.store->insert_key(homeless, with_budget(call::Window::day, 5)), ErrorKind::not_found, "nowhere");
  CHECK(story.directory().keys.size() == 1);
  CHECK(story.directory().keys.at(0).seat == "anna");
  CHECK(story.directory().terms.empty());
}

TEST_CASE("a revoked key keeps its terms and cannot be changed or rotated") {
  Story story;
  REQUIRE(story.store->insert_key(make_virtual_key("key_a"), with_budget(call::Window::day, 5)).ok());
  REQUIRE(story.store->revoke_key("key_a", test::k_today).ok());
  check_refused(story.store->change_key("key_a", {}), ErrorKind::conflict, "revoked");
  check_refused(story.store->rotate_key("key_a", make_virtual_key("key_z").hash, "zzzz", test::k_today),
                ErrorKind::conflict, "revoked");
  CHECK(story.terms(k_key_a).budgets.size() == 1);
}

TEST_CASE("rotating keeps the secret before, ends the one before that, and revoking ends both") {
  Story story;
  const VirtualKey first = make_virtual_key("key_a");
  const access::KeyHash second = make_virtual_key("key_y").hash;
  const access::KeyHash third = make_virtual_key("key_z").hash;
  REQUIRE(story.store->insert_key(first, {}).ok());
  REQUIRE(story.store->rotate_key("key_a", second, "2222", test::k_today + 1h).ok());
  story.reopen();
  VirtualKey read = story.directory().keys.at(0);
  CHECK(read.hash == second);
  CHECK(read.last4 == "2222");
  REQUIRE(read.old_secret.has_value());
  CHECK(read.old_secret->hash == first.hash);
  CHECK(read.old_secret->last4 == first.last4);
  CHECK(read.old_secret->ends_at == test::k_today + 1h);

  REQUIRE(story.store->rotate_key("key_a", third, "3333", test::k_today + 2h).ok());
  read = story.directory().keys.at(0);
  CHECK(read.hash == third);
  CHECK(read.old_secret->hash == second);
  REQUIRE(story.store->revoke_key("key_a", test::k_today).ok());
  CHECK_FALSE(story.directory().keys.at(0).old_secret.has_value());
  check_refused(story.store->rotate_key("key_none", first.hash, "1111", test::k_today), ErrorKind::not_found,
                "key_none");
}

TEST_CASE("a secret that another key has, or had before its rotation, is a conflict") {
  Story story;
  const VirtualKey a = make_virtual_key("key_a");
  REQUIRE(story.store->insert_key(a, {}).ok());
  REQUIRE(story.store->insert_key(make_virtual_key("key_b"), {}).ok());
  REQUIRE(story.store->rotate_key("key_a", make_virtual_key("key_z").hash, "zzzz", test::k_today + 1h).ok());
  check_refused(story.store->rotate_key("key_b", a.hash, "aaaa", test::k_today), ErrorKind::conflict, "key_b");
  VirtualKey again = a;
  again.id = "key_c";
  check_refused(story.store->insert_key(again, {}), ErrorKind::conflict, "key_c");
}

TEST_CASE("a team with keys that were not revoked cannot be deleted; without them it goes with its limits") {
  Story story;
  REQUIRE(story.store->insert_team({"core", test::k_today}, with_budget(call::Window::month, 400)).ok());
  check_refused(story.store->insert_team({"core", test::k_today}, {}), ErrorKind::conflict, "core");
  for (const char* id : {"key_a", "key_b", "key_c", "key_d", "key_e"}) {
    VirtualKey key = make_virtual_key(id);
    key.team = "core";
    REQUIRE(story.store->insert_key(key, {}).ok());
  }
  check_refused(story.store->delete_team("core"), ErrorKind::conflict,
                "key_a (anna), key_b (anna), key_c (anna) and 2");
  REQUIRE(story.store->change_team("core", with_budget(call::Window::day, 1)).ok());
  for (const char* id : {"key_a", "key_b", "key_c", "key_d", "key_e"})
    REQUIRE(story.store->revoke_key(id, test::k_today).ok());
  REQUIRE(story.store->delete_team("core").ok());
  CHECK(story.directory().teams.empty());
  CHECK(story.directory().terms.empty());
  check_refused(story.store->delete_team("core"), ErrorKind::not_found, "core");
  check_refused(story.store->change_team("core", {}), ErrorKind::not_found, "core");
  REQUIRE(story.store->insert_team({"core", test::k_today}, {}).ok());
  CHECK(story.terms(k_core) == call::Terms{});
}

TEST_CASE("a seat that has no key is not_found, and only keys fall back to a model") {
  Story story;
  check_refused(story.store->change_seat("anna", with_budget(call::Window::day, 1)), ErrorKind::not_found, "anna");
  REQUIRE(story.store->insert_key(make_virtual_key("key_a"), {}).ok());
  REQUIRE(story.store->change_seat("anna", with_budget(call::Window::day, 1)).ok());
  call::TermsChange fallback;
  fallback.fallback_model = "m";
  check_refused(story.store->change_seat("anna", fallback), ErrorKind::invalid_request, "fall back");
  check_refused(story.store->insert_team({"core", test::k_today}, fallback), ErrorKind::invalid_request, "fall back");
}

TEST_CASE("two who change one key's budgets at the same time lose nothing of each other's") {
  Story story;
  REQUIRE(story.store->insert_key(make_virtual_key("key_a"), {}).ok());
  const auto file = story.folder.path() / "nemo.db";
  // Each adds and removes a window of its own, and counts a limit that the other never names.
  const auto work = [&](call::Window window, bool is_rpm) {
    store::SqliteKeyStore keys(file);
    for (std::int64_t i = 1; i <= 100; ++i) {
      access::KeyChange change;
      change.terms = with_budget(window, i);
      (is_rpm ? change.terms.requests_per_minute : change.terms.tokens_per_minute) = i;
      if (!keys.change_key("key_a", change).ok()) return;
    }
  };
  std::thread one(work, call::Window::day, true);
  std::thread two(work, call::Window::month, false);
  one.join();
  two.join();
  const call::Terms terms = story.terms(k_key_a);
  REQUIRE(terms.budgets.size() == 2);
  CHECK(terms.budgets[0].amount == NanoUsd{100});
  CHECK(terms.budgets[1].amount == NanoUsd{100});
  CHECK(terms.limits.requests_per_minute == 100);
  CHECK(terms.limits.tokens_per_minute == 100);
}

TEST_CASE("a key was last used when its newest written call began") {
  Story story;
  REQUIRE(story.store->insert_key(make_virtual_key("key_a"), {}).ok());
  CHECK_FALSE(story.directory().keys.at(0).last_used_at.has_value());
  for (const auto at : {1h, 3h, 2h}) story.store->request_log().append(test::make_call("req", test::k_today + at));
  story.store->flush();
  CHECK(story.directory().keys.at(0).last_used_at == test::k_today + 3h);
  story.store->request_log().append(test::make_call("req", test::k_today));
  story.store->flush();
  CHECK(story.directory().keys.at(0).last_used_at == test::k_today + 3h);
  REQUIRE(story.store->rotate_key("key_a", make_virtual_key("key_z").hash, "zzzz", test::k_today).ok());
  CHECK(story.directory().keys.at(0).last_used_at == test::k_today + 3h);
}

}  // namespace nemo::test::key_store_test
