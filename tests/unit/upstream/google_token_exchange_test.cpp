#include <doctest/doctest.h>

#include "daemon/upstream/google/token_exchange.h"
#include "google_key.h"

namespace nemo::test::google_token_exchange_test {

using namespace nemo;
using namespace nemo::test;
using namespace nemo::upstream::google;

namespace {

const WallTime k_noon = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + std::chrono::hours(12);

Credentials test_user() {
  return std::get<AuthorizedUser>(*parse_credentials(authorized_user_json().dump(), "f"));
}

upstream::Request request_for(const Credentials& credentials, const std::string& token_url = {}) {
  auto request = token_request(credentials, token_url, k_noon);
  REQUIRE(request.ok());
  return *request;
}

std::string told(int status, const Json& body, const Credentials& credentials) {
  const Error error = explain(read_refusal(status, body.dump()), credentials, "key.json");
  CHECK(error.kind == ErrorKind::upstream_error);
  return error.message;
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* k_about_time =
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp "
    "values in the JWT claim.";

}  // namespace

TEST_CASE("a service account posts its assertion as a form to Google") {
  const auto request = request_for(test_account());
  CHECK(request.method == "POST");
  CHECK(request.url == "https://oauth2.googleapis.com/token");
  CHECK(request.headers.at(0) == "Content-Type: application/x-www-form-urlencoded");
  CHECK(request.bearer.empty());
  const std::string start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
  REQUIRE(request.body.starts_with(start));
  const ReadJwt jwt = read_jwt(request.body.substr(start.size()));
  CHECK(jwt.signed_by_test_key);
  CHECK(jwt.claims["iat"] == std::chrono::duration_cast<std::chrono::seconds>(k_noon.time_since_epoch()).count());
}

TEST_CASE("a user posts the refresh token, each field escaped") {
  const auto request = request_for(test_user());
  CHECK(request.url == "https://oauth2.googleapis.com/token");
  CHECK(request.body ==
        "grant_type=refresh_token&refresh_token=1%2F%2Frefresh-me&client_id=client-1&client_secret=hush-hush-secret");
}

TEST_CASE("the machine's own token is asked for with the header that proves the intention") {
  const auto request = request_for(MetadataServer{"http://169.254.169.254"});
  CHECK(request.method == "GET");
  CHECK(request.url ==
        "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/"
        "token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform");
  CHECK(request.headers.at(0) == "Metadata-Flavor: Google");
  CHECK(request.body.empty());
}

TEST_CASE("the config's token_url comes before the file's, and the assertion is still meant for the file's") {
  ServiceAccount account = test_account();
  account.token_uri = "https://file.example/token";
  CHECK(request_for(account).url == "https://file.example/token");
  const auto request = request_for(account, "https://proxy.example/token");
  CHECK(request.url == "https://proxy.example/token");
  CHECK(read_jwt(request.body.substr(request.body.rfind('=') + 1)).claims["aud"] == "https://file.example/token");
  CHECK(request_for(test_user(), "https://proxy.example/token").url == "https://proxy.example/token");
}

TEST_CASE("an answer gives a token and its life, at most a day") {
  const auto grant = read_grant(R"({"access_token":"ya29.x","expires_in":3599,"token_type":"Bearer"})");
  REQUIRE(grant.ok());
  CHECK(grant->token.expose() == "ya29.x");
  CHECK(grant->life == std::chrono::seconds(3599));
  const auto endless = read_grant(R"({"access_token":"x","expires_in":9223372036854775807})");
  REQUIRE(endless.ok());
  CHECK(endless->life == std::chrono::hours(24));
}

TEST_CASE("an answer without a usable token is refused and the token is not shown") {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"access_token":"","expires_in":1})", R"({"access_token":7})",
                           R"({"access_token":"ya29.secret"})", R"({"access_token":"ya29.secret","expires_in":0})",
                           R"({"access_token":"ya29.secret\r\nX: y","expires_in":9})",
                           R"({"access_token":"ya29.secret\u0000b","expires_in":9})"}) {
    CAPTURE(body);
    const auto grant = read_grant(body);
    REQUIRE(!grant.ok());
    CHECK(grant.error().kind == ErrorKind::upstream_error);
    CHECK(!has(grant.error().message, "secret"));
  }
}

TEST_CASE("what the endpoint refuses is told with what to do") {
  struct Row {
    int status;
    Json body;
    Credentials credentials;
    const char* said;
    const char* advice;
  };
  const auto refused = [](const char* error, const char* description) {
    return Json{{"error", error}, {"error_description", description}};
  };
  const Credentials account = test_account();
  const Row rows[] = {
      {400, refused("invalid_grant", "Invalid JWT Signature."), account, "invalid_grant: Invalid JWT Signature.",
       "create a new key"},
      {400, refused("invalid_grant", "Invalid grant: account not found"), account, "account not found",
       "account has been deleted"},
      {400, refused("invalid_grant", k_about_time), account, "short-lived", "clock"},
      {401, refused("unauthorized_client", "no"), account, "unauthorized_client", "account and its key"},
      {400, refused("invalid_grant", "Token has been expired or revoked."), test_user(), "expired or revoked",
       "gcloud auth application-default login"},
      {401, {{"error", "invalid_client"}}, test_user(), "invalid_client", "gcloud auth application-default login"},
      {404, "no account", MetadataServer{"http://m"}, "status 404", "attach one"},
      {503, "down", account, "status 503", "asked again by itself"},
  };
  for (const Row& row : rows) {
    const std::string message = told(row.status, row.body, row.credentials);
    CHECK_MESSAGE(has(message, row.said), message);
    CHECK_MESSAGE(has(message, row.advice), message);
    CHECK_MESSAGE(has(message, "key.json"), message);
  }
}

TEST_CASE("only a refusal of the times is about time") {
  const auto about_time = [](const char* error, const char* description) {
    return is_about_time(read_refusal(400, Json{{"error", error}, {"error_description", description}}.dump()));
  };
  CHECK(about_time("invalid_grant", k_about_time));
  CHECK(!about_time("invalid_grant", "Invalid JWT Signature."));
  CHECK(!about_time("invalid_scope", k_about_time));
}

TEST_CASE("the date of an answer is read in the one form that may be sent") {
  const auto read = [](const char* text) { return read_http_date(text); };
  const WallTime wanted = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + std::chrono::hours(8) +
                          std::chrono::minutes(49) + std::chrono::seconds(37);
  CHECK(read("Sun, 06 Nov 1994 08:49:37 GMT") == wanted);
  for (const char* bad :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 -8:49:37 GMT", "Sun, 06 Nov 1994 08:49:x7 GMT"}) {
    CAPTURE(bad);
    CHECK(!read(bad).has_value());
  }
}

}  // namespace nemo::test::google_token_exchange_test
