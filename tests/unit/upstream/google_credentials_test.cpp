#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "google_key.h"
#include "temp_folder.h"

namespace nemo::test::google_credentials_test {

using namespace nemo;
using namespace nemo::test;
using namespace nemo::upstream::google;

namespace {

std::string refusal_of(const Json& file) {
  const auto parsed = parse_credentials(file.dump(), "creds.json");
  REQUIRE(!parsed.ok());
  CHECK(parsed.error().kind == ErrorKind::invalid_config);
  CHECK_MESSAGE(parsed.error().message.find("creds.json") != std::string::npos, parsed.error().message);
  return parsed.error().message;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

Json without(Json file, const char* field) {
  file.erase(field);
  return file;
}

Json with(Json file, const char* field, const Json& value) {
  file[field] = value;
  return file;
}

}  // namespace

TEST_CASE("a service account's file gives its address, its key and its project") {
  const auto parsed = parse_credentials(service_account_json().dump(2), "creds.json");
  REQUIRE(parsed.ok());
  const auto& account = std::get<ServiceAccount>(*parsed);
  CHECK(account.client_email == "robot@example.iam.gserviceaccount.com");
  CHECK(account.private_key.expose() == pem_of(test_key()));
  CHECK(account.private_key_id == "key-1");
  CHECK(account.project_id == "file-project");
  CHECK(account.token_uri == "https://oauth2.googleapis.com/token");
}

TEST_CASE("an authorized user's file gives the client, its secret and the refresh token") {
  const auto parsed = parse_credentials(authorized_user_json().dump(), "creds.json");
  REQUIRE(parsed.ok());
  const auto& user = std::get<AuthorizedUser>(*parsed);
  CHECK(user.client_id == "client-1");
  CHECK(user.client_secret.expose() == "hush-hush-secret");
  CHECK(user.refresh_token.expose() == "1//refresh-me");
  CHECK(user.quota_project_id == "quota-project");
}

TEST_CASE("a field that is missing is named") {
  for (const char* field : {"client_email", "private_key"}) {
    CHECK(has(refusal_of(without(service_account_json(), field)), "\"" + std::string(field) + "\""));
    CHECK(has(refusal_of(with(service_account_json(), field, "")), "\"" + std::string(field) + "\""));
  }
  for (const char* field : {"client_id", "client_secret", "refresh_token"}) {
    CHECK(has(refusal_of(without(authorized_user_json(), field)), "\"" + std::string(field) + "\""));
  }
  CHECK(has(refusal_of(without(service_account_json(), "type")), "\"type\""));
}

TEST_CASE("a field that is no text is named") {
  CHECK(has(refusal_of(with(service_account_json(), "client_email", 7)), "\"client_email\""));
  CHECK(has(refusal_of(with(service_account_json(), "project_id", Json::array())), "\"project_id\""));
}

TEST_CASE("the kinds that are not supported are named with those that are") {
  for (const char* type : {"impersonated_service_account", "external_account", "gdch_service_account"}) {
    const std::string message = refusal_of(with(service_account_json(), "type", type));
    CHECK_MESSAGE(has(message, type), message);
    CHECK_MESSAGE(has(message, "\"service_account\""), message);
    CHECK_MESSAGE(has(message, "\"authorized_user\""), message);
  }
  CHECK(has(refusal_of({{"installed", {{"client_id", "x"}}}}), "OAuth client"));
}

TEST_CASE("a text that is not JSON, or no object, is refused by the file's name") {
  for (const char* text : {"", "not json", "{\"type\":", "[]", "\"service_account\""}) {
    const auto parsed = parse_credentials(text, "creds.json");
    REQUIRE(!parsed.ok());
    CHECK(has(parsed.error().message, "creds.json"));
    CHECK(has(parsed.error().message, "JSON"));
  }
}

TEST_CASE("a key that OpenSSL cannot read says so and is not shown") {
  const std::string pem = pem_of(test_key());
  const std::string cut = pem.substr(0, pem.size() / 2);
  for (const std::string& key : {std::string("no key at all"), cut}) {
    const std::string message = refusal_of(with(service_account_json(), "private_key", key));
    CHECK_MESSAGE(has(message, "private_key that cannot be read by OpenSSL"), message);
    CHECK(!has(message, key.substr(0, 12)));
  }
}

TEST_CASE("a key of another kind than RSA is refused") {
  const TestKey curve(EVP_EC_gen("P-256"));
  const std::string message = refusal_of(with(service_account_json(), "private_key", pem_of(curve.get())));
  CHECK_MESSAGE(has(message, "is not an RSA key"), message);
}

TEST_CASE("an assertion is not sent in clear to another machine") {
  CHECK(has(refusal_of(with(service_account_json(), "token_uri", "http://example.com/token")), "https://"));
  CHECK(parse_credentials(with(service_account_json(), "token_uri", "http://127.0.0.1:99/token").dump(), "f").ok());
}

TEST_CASE("a file is read whole, and one that cannot be read says why") {
  const TempFolder folder;
  const auto file = folder.path() / "key.json";
  std::ofstream(file) << service_account_json().dump();
  CHECK(load_credentials_file(file).ok());

  const auto absent = load_credentials_file(folder.path() / "absent.json");
  REQUIRE(!absent.ok());
  CHECK_MESSAGE(has(absent.error().message, "absent.json cannot be read: No such file"), absent.error().message);

  const auto at_folder = load_credentials_file(folder.path());
  REQUIRE(!at_folder.ok());
  CHECK(has(at_folder.error().message, "is a folder"));

  std::ofstream(folder.path() / "large") << std::string((1U << 20U) + 1, ' ');
  const auto large = load_credentials_file(folder.path() / "large");
  REQUIRE(!large.ok());
  CHECK(has(large.error().message, "above 1 MiB"));
}

}  // namespace nemo::test::google_credentials_test
