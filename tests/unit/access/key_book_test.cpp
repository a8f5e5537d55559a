#include "daemon/access/key_book.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace nemo::test::key_book_test {

using nemo::ErrorKind;
using nemo::Micros;
using nemo::WallTime;
using nemo::access::Directory;
using nemo::access::KeyBook;
using nemo::access::make_key;
using nemo::access::NewKey;
using nemo::access::VirtualKey;
using nemo::call::Scope;
using nemo::call::ScopeKind;
using nemo::call::Scopes;

namespace {

constexpr WallTime k_now{Micros{1'790'000'000'000'000}};
constexpr Micros k_tick{1};

std::string text_of(const NewKey& key) {
  return std::string(key.text.expose());
}

// The key after its secret was replaced by that of `now_has`.
VirtualKey rotated(const NewKey& key, const NewKey& now_has, WallTime old_ends_at) {
  VirtualKey record = key.record;
  record.old_secret = VirtualKey::OldSecret{record.hash, record.last4, old_ends_at};
  record.hash = now_has.record.hash;
  record.last4 = now_has.record.last4;
  return record;
}

}  // namespace

TEST_CASE("a key opens the door for its seat and team") {
  NewKey key = make_key("dev-1", "editors", k_now);
  key.record.models = {"gemini-2.5-flash"};
  const KeyBook book({key.record});
  const auto who = book.identify(text_of(key), k_now);
  REQUIRE(who.ok());
  CHECK((*who)->key == key.record.id);
  CHECK((*who)->seat == "dev-1");
  CHECK((*who)->team == "editors");
  CHECK((*who)->models == std::vector<std::string>{"gemini-2.5-flash"});
}

TEST_CASE("each key is its own seat") {
  const NewKey one = make_key("one", "t", k_now);
  const NewKey two = make_key("two", "t", k_now);
  const KeyBook book({one.record, two.record});
  CHECK((*book.identify(text_of(one), k_now))->seat == "one");
  CHECK((*book.identify(text_of(two), k_now))->seat == "two");
}

TEST_CASE("a call is paid by key, seat and team, in this order, and by none without a name") {
  const NewKey in_team = make_key("ann", "core", k_now);
  const NewKey alone = make_key("bob", "", k_now);
  const KeyBook book({in_team.record, alone.record});
  CHECK((*book.identify(text_of(in_team), k_now))->scopes ==
        Scopes{{ScopeKind::key, in_team.record.id}, {ScopeKind::seat, "ann"}, {ScopeKind::team, "core"}});
  CHECK((*book.identify(text_of(alone), k_now))->scopes ==
        Scopes{{ScopeKind::key, alone.record.id}, {ScopeKind::seat, "bob"}});
}

TEST_CASE("where a call goes that the budget refuses is the key's to say, not its seat's or team's") {
  const NewKey with = make_key("ann", "core", k_now);
  const NewKey without = make_key("ann", "core", k_now);
  Directory directory;
  directory.keys = {with.record, without.record};
  directory.terms[{ScopeKind::key, with.record.id}].fallback_model = "local-7b";
  directory.terms[{ScopeKind::key, without.record.id}].limits.parallel = 3;
  directory.terms[{ScopeKind::seat, "ann"}].fallback_model = "of-the-seat";
  directory.terms[{ScopeKind::team, "core"}].fallback_model = "of-the-team";
  KeyBook book(directory);
  CHECK((*book.identify(text_of(with), k_now))->fallback_model == "local-7b");
  CHECK((*book.identify(text_of(without), k_now))->fallback_model.empty());
  directory.terms.clear();
  book.replace(directory);
  CHECK((*book.identify(text_of(with), k_now))->fallback_model.empty());
}

TEST_CASE("after a rotation both secrets open the same door until the old one ends") {
  const NewKey key = make_key("ann", "core", k_now);
  const NewKey next = make_key("ann", "core", k_now);
  const KeyBook book({rotated(key, next, k_now)});
  const auto by_new = book.identify(text_of(next), k_now - k_tick);
  const auto by_old = book.identify(text_of(key), k_now - k_tick);
  REQUIRE(by_new.ok());
  REQUIRE(by_old.ok());
  CHECK(*by_new == *by_old);
  CHECK((*by_new)->key == key.record.id);
  const auto ended = book.identify(text_of(key), k_now);
  REQUIRE_FALSE(ended.ok());
  CHECK(ended.error().kind == ErrorKind::key_expired);
  CHECK(ended.error().message.find("was rotated") != std::string::npos);
  CHECK(book.identify(text_of(next), k_now).ok());
  CHECK(book.keys().size() == 1);
}

TEST_CASE("a revoked or expired key opens with neither of its secrets, and says which it is") {
  const NewKey key = make_key("ann", "core", k_now);
  const NewKey next = make_key("ann", "core", k_now);
  VirtualKey record = rotated(key, next, k_now + k_tick);
  record.expires_at = k_now;
  CHECK(KeyBook({record}).identify(text_of(key), k_now).error().kind == ErrorKind::key_expired);
  record.revoked_at = k_now;
  CHECK(KeyBook({record}).identify(text_of(key), k_now).error().kind == ErrorKind::key_revoked);
  CHECK(KeyBook({record}).identify(text_of(next), k_now).error().kind == ErrorKind::key_revoked);
}

TEST_CASE("a present secret goes before an old one") {
  const NewKey older = make_key("older", "", k_now);
  NewKey newer = make_key("newer", "", k_now + k_tick);
  const NewKey next = make_key("older", "", k_now);
  newer.record.hash = older.record.hash;
  const KeyBook book({rotated(older, next, k_now + k_tick), newer.record});
  CHECK((*book.identify(text_of(older), k_now))->seat == "newer");
}

TEST_CASE("no key, a strange key, a cut key and a key with more at its end are all invalid") {
  const NewKey key = make_key("dev-1", "t", k_now);
  const std::string text = text_of(key);
  const KeyBook book({key.record});
  for (const std::string& given : {std::string(), std::string("sk-nemo-"), text.substr(0, 39), text + "a", " " + text,
                                   std::string(1'000'000, 'k'), std::string("\0", 1) + text}) {
    const auto who = book.identify(given, k_now);
    REQUIRE_FALSE(who.ok());
    CHECK(who.error().kind == ErrorKind::invalid_api_key);
    CHECK(who.error().status() == 401);
  }
}

TEST_CASE("the hash of a key does not open the door") {
  const NewKey key = make_key("dev-1", "t", k_now);
  const KeyBook book({key.record});
  const std::string hash(key.record.hash.begin(), key.record.hash.end());
  CHECK_FALSE(book.identify(hash, k_now).ok());
}

TEST_CASE("a revoked key is told so, even when it has expired as well") {
  NewKey key = make_key("dev-1", "t", k_now);
  key.record.revoked_at = k_now;
  key.record.expires_at = k_now;
  const auto who = KeyBook({key.record}).identify(text_of(key), k_now);
  REQUIRE_FALSE(who.ok());
  CHECK(who.error().kind == ErrorKind::key_revoked);
}

TEST_CASE("a key is good until the moment it expires, and not after") {
  NewKey key = make_key("dev-1", "t", k_now);
  key.record.expires_at = k_now;
  const KeyBook book({key.record});
  CHECK(book.identify(text_of(key), k_now - k_tick).ok());
  const auto at_the_end = book.identify(text_of(key), k_now);
  REQUIRE_FALSE(at_the_end.ok());
  CHECK(at_the_end.error().kind == ErrorKind::key_expired);
  CHECK_FALSE(book.identify(text_of(key), k_now + k_tick).ok());
}

TEST_CASE("no message holds the key or a part of it") {
  NewKey revoked = make_key("r", "t", k_now);
  revoked.record.revoked_at = k_now;
  NewKey expired = make_key("e", "t", k_now);
  expired.record.expires_at = k_now;
  const NewKey unknown = make_key("u", "t", k_now);
  const KeyBook book({revoked.record, expired.record});
  for (const NewKey* key : std::vector<const NewKey*>{&revoked, &expired, &unknown}) {
    const auto who = book.identify(text_of(*key), k_now);
    REQUIRE_FALSE(who.ok());
    CHECK(who.error().message.find(text_of(*key).substr(8, 8)) == std::string::npos);
    CHECK(who.error().message.find(text_of(*key).substr(32)) == std::string::npos);
  }
}

TEST_CASE("no message tells of another key or seat, or where to find them") {
  NewKey revoked = make_key("seat-r", "team-r", k_now);
  revoked.record.revoked_at = k_now;
  NewKey expired = make_key("seat-e", "team-e", k_now);
  expired.record.expires_at = k_now;
  const NewKey old = make_key("seat-o", "team-o", k_now);
  const NewKey next = make_key("seat-o", "team-o", k_now);
  const NewKey unknown = make_key("seat-u", "team-u", k_now);
  const std::vector<VirtualKey> known{revoked.record, expired.record, rotated(old, next, k_now)};
  const KeyBook book(known);
  for (const NewKey* key : std::vector<const NewKey*>{&revoked, &expired, &old, &unknown}) {
    const auto who = book.identify(text_of(*key), k_now);
    REQUIRE_FALSE(who.ok());
    const std::string& message = who.error().message;
    for (const VirtualKey& other : known) {
      if (other.id == key->record.id) continue;
      for (const std::string& theirs : {other.id, other.seat, other.team}) {
        CHECK(message.find(theirs) == std::string::npos);
      }
    }
    CHECK(message.find("keys list") == std::string::npos);
  }
}

TEST_CASE("replacing the keys acts on the next call, and a principal in use stays whole") {
  const NewKey old_key = make_key("old", "t", k_now);
  const NewKey new_key = make_key("new", "t", k_now);
  KeyBook book({old_key.record});
  const auto in_use = book.identify(text_of(old_key), k_now).value();
  book.replace({new_key.record});
  CHECK_FALSE(book.identify(text_of(old_key), k_now).ok());
  CHECK(book.identify(text_of(new_key), k_now).ok());
  CHECK(in_use->seat == "old");
}

TEST_CASE("a book without keys is empty and lets nobody in") {
  KeyBook book;
  CHECK(book.empty());
  CHECK_FALSE(book.identify("sk-nemo-a", k_now).ok());
  book.replace({make_key("s", "t", k_now).record});
  CHECK_FALSE(book.empty());
}

TEST_CASE("keys are listed oldest first") {
  const NewKey later = make_key("later", "t", k_now + k_tick);
  const NewKey sooner = make_key("sooner", "t", k_now);
  const auto keys = KeyBook({later.record, sooner.record}).keys();
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].seat == "sooner");
  CHECK(keys[1].seat == "later");
}

TEST_CASE("a key that stays in the book is known all the while the book is being replaced") {
  const NewKey key = make_key("dev-1", "t", k_now);
  const NewKey other = make_key("dev-2", "t", k_now);
  const std::string text = text_of(key);
  KeyBook book({key.record});
  std::atomic<int> refused{0};
  std::thread caller([&] {
    for (int i = 0; i < 2'000; ++i) refused += book.identify(text, k_now).ok() ? 0 : 1;
  });
  for (int i = 0; i < 500; ++i) book.replace({key.record, other.record});
  caller.join();
  CHECK(refused == 0);
}

}  // namespace nemo::test::key_book_test
