#include "daemon/access/virtual_key.h"

#include <doctest/doctest.h>

#include <set>

#include "shared/ids.h"

namespace nemo::test::virtual_key_test {

using nemo::WallTime;
using nemo::access::hash_key;
using nemo::access::last4_of;
using nemo::access::make_key;
using nemo::access::make_secret;

namespace {

std::string hex(const nemo::access::KeyHash& hash) {
  return nemo::to_hex(std::string(hash.begin(), hash.end()));
}

constexpr WallTime k_now{nemo::Micros{1'790'000'000'000'000}};

}  // namespace

TEST_CASE("a key is hashed with SHA-256") {
  // FIPS 180-2, appendix B.1, and the hash of nothing
  CHECK(hex(hash_key("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(hash_key("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("a new key is sk-nemo- and 32 letters of base32") {
  const auto made = make_key("dev-1", "editors", k_now);
  const std::string text(made.text.expose());
  REQUIRE(text.size() == 40);
  CHECK(text.starts_with("sk-nemo-"));
  CHECK(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 8) == std::string::npos);
}

TEST_CASE("the record of a new key holds its hash and its end, not the key") {
  const auto made = make_key("dev-1", "editors", k_now);
  const std::string text(made.text.expose());
  CHECK(made.record.hash == hash_key(text));
  CHECK(made.record.last4 == text.substr(36));
  CHECK(made.record.id.starts_with("key_"));
  CHECK(made.record.id.size() == 20);
  CHECK(text.find(made.record.id.substr(4)) == std::string::npos);
  CHECK(made.record.seat == "dev-1");
  CHECK(made.record.team == "editors");
  CHECK(made.record.created_at == k_now);
  CHECK_FALSE(made.record.expires_at);
  CHECK_FALSE(made.record.revoked_at);
  CHECK(made.record.models.empty());
}

TEST_CASE("no two keys are alike, nor their ids") {
  std::set<std::string> texts;
  std::set<std::string> ids;
  for (int i = 0; i < 200; ++i) {
    const auto made = make_key("s", "t", k_now);
    texts.emplace(made.text.expose());
    ids.insert(made.record.id);
  }
  CHECK(texts.size() == 200);
  CHECK(ids.size() == 200);
}

TEST_CASE("a new secret for an old key looks like that of a new one") {
  const nemo::Secret secret = make_secret();
  const std::string text(secret.expose());
  REQUIRE(text.size() == 40);
  CHECK(text.starts_with("sk-nemo-"));
  CHECK(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", 8) == std::string::npos);
  CHECK(last4_of(secret) == text.substr(36));
  CHECK(make_secret().expose() != text);
}

TEST_CASE("a text of less than four characters is its own end") {
  CHECK(last4_of(nemo::Secret("abc")) == "abc");
  CHECK(last4_of(nemo::Secret()).empty());
}

}  // namespace nemo::test::virtual_key_test
