#include <doctest/doctest.h>

#include "daemon/upstream/google/service_account_jwt.h"
#include "google_key.h"

namespace nemo::test::google_jwt_test {

using namespace nemo;
using namespace nemo::test;
using namespace nemo::upstream::google;

namespace {

const WallTime k_noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12);

ReadJwt assertion_of(const ServiceAccount& account, WallTime at = k_noon) {
  const auto made = make_assertion(account, at);
  REQUIRE(made.ok());
  return read_jwt(made->expose());
}

}  // namespace

TEST_CASE("bytes become base64url without padding") {
  CHECK(base64url("").empty());
  CHECK(base64url("f") == "Zg");
  CHECK(base64url("fo") == "Zm8");
  CHECK(base64url("foo") == "Zm9v");
  CHECK(base64url("\xfb\xff\xbf") == "-_-_");
}

TEST_CASE("an assertion is signed with the account's key") {
  const auto made = make_assertion(test_account(), k_noon);
  REQUIRE(made.ok());
  const std::string jwt(made->expose());
  CHECK(read_jwt(jwt).signed_by_test_key);
  const auto first = jwt.find('.');
  const auto second = jwt.find('.', first + 1);
  const std::string forged = jwt.substr(0, first) + ".e30" + jwt.substr(second);
  CHECK(!read_jwt(forged).signed_by_test_key);
}

TEST_CASE("an assertion has Google's claims and is good for an hour") {
  const ReadJwt jwt = assertion_of(test_account(), k_noon + std::chrono::milliseconds(900));
  CHECK(jwt.header == Json{{"alg", "RS256"}, {"typ", "JWT"}, {"kid", "key-1"}});
  const auto at = std::chrono::duration_cast<std::chrono::seconds>(k_noon.time_since_epoch()).count();
  CHECK(jwt.claims == Json{{"iss", "robot@example.iam.gserviceaccount.com"},
                           {"scope", "https://www.googleapis.com/auth/cloud-platform"},
                           {"aud", "https://oauth2.googleapis.com/token"},
                           {"iat", at},
                           {"exp", at + 3600}});
}

TEST_CASE("an assertion is meant for the endpoint that the key's file names") {
  ServiceAccount account = test_account();
  account.token_uri = "https://private.example/token";
  CHECK(assertion_of(account).claims["aud"] == "https://private.example/token");
}

TEST_CASE("a key without an id has no kid, and an address is escaped") {
  ServiceAccount account = test_account();
  account.private_key_id.clear();
  account.client_email = "a\"b";
  const ReadJwt jwt = assertion_of(account);
  CHECK(jwt.header == Json{{"alg", "RS256"}, {"typ", "JWT"}});
  CHECK(jwt.claims["iss"] == "a\"b");
  CHECK(jwt.signed_by_test_key);
}

TEST_CASE("an account whose key is broken makes no assertion and does not show it") {
  ServiceAccount account = test_account();
  account.private_key = Secret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  const auto made = make_assertion(account, k_noon);
  REQUIRE(!made.ok());
  CHECK(made.error().message.find("cannot be read by OpenSSL") != std::string::npos);
  CHECK(made.error().message.find("AAAA") == std::string::npos);
}

}  // namespace nemo::test::google_jwt_test
