#include <doctest/doctest.h>

#include "daemon/access/virtual_key.h"
#include "store_fixture.h"

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
  key.team = "core";
  key.created_at = test::k_today;
  return key;
}

std::vector<VirtualKey> load(store::SqliteStore& store) {
  const auto keys = store.load_keys();
  REQUIRE(keys.ok());
  return *keys;
}

}  // namespace

TEST_CASE("a key is read back as it was stored, also after opening again") {
  const test::TempFolder folder;
  const test::StillClock clock;
  VirtualKey full = make_virtual_key("key_a");
  full.models = {"gemini-2.5-flash", "with, comma", "with \"quote\""};
  full.expires_at = test::k_today + 90 * 24h;
  full.revoked_at = test::k_today + 1us;
  const VirtualKey plain = make_virtual_key("key_b");
  {
    auto store = test::open_store(folder.path(), clock);
    REQUIRE(store->insert_key(full).ok());
    REQUIRE(store->insert_key(plain).ok());
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
  REQUIRE(store->insert_key(key).ok());

  VirtualKey same_id = make_virtual_key("key_b");
  same_id.id = key.id;
  VirtualKey same_hash = make_virtual_key("key_b");
  same_hash.hash = key.hash;
  for (const VirtualKey& again : {same_id, same_hash}) {
    const Status inserted = store->insert_key(again);
    REQUIRE_FALSE(inserted.ok());
    CHECK(inserted.error().kind == ErrorKind::conflict);
  }
  CHECK(load(*store).size() == 1);
}

TEST_CASE("revoking twice keeps the first time") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  REQUIRE(store->insert_key(make_virtual_key("key_a")).ok());
  REQUIRE(store->revoke_key("key_a", test::k_today + 1h).ok());
  REQUIRE(store->revoke_key("key_a", test::k_today + 2h).ok());
  CHECK(load(*store).at(0).revoked_at == test::k_today + 1h);
}

TEST_CASE("revoking a key that nobody made is not_found, and revokes nothing else") {
  const test::TempFolder folder;
  const test::StillClock clock;
  auto store = test::open_store(folder.path(), clock);
  REQUIRE(store->insert_key(make_virtual_key("key_a")).ok());
  const Status revoked = store->revoke_key("key_none", test::k_today);
  REQUIRE_FALSE(revoked.ok());
  CHECK(revoked.error().kind == ErrorKind::not_found);
  CHECK_FALSE(load(*store).at(0).revoked_at.has_value());
}
