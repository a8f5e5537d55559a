#include "shared/secret.h"

#include <doctest/doctest.h>

#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace nemo::test::secret_test {

using namespace nemo;

namespace {

// The bytes of an object, as someone with a debugger sees them.
template <typename T>
std::string bytes_of(const T& object) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), static_cast<const void*>(&object), sizeof(T));
  return bytes;
}

bool holds(const std::string& bytes, std::string_view text) {
  return bytes.find(text) != std::string::npos;
}

constexpr std::string_view k_short = "hunter2";  // lies inside the std::string itself

}  // namespace

TEST_CASE("a secret is read by expose() alone") {
  const Secret secret("sk-nemo-abcdefgh");
  CHECK(secret.expose() == "sk-nemo-abcdefgh");
  CHECK_FALSE(secret.empty());
  CHECK(Secret().empty());
  CHECK_FALSE(std::is_convertible_v<Secret, std::string>);
  CHECK_FALSE(std::is_convertible_v<Secret, std::string_view>);
}

TEST_CASE("a secret that was moved from leaves nothing behind") {
  Secret from{std::string(k_short)};
  REQUIRE(holds(bytes_of(from), k_short));
  const Secret to(std::move(from));
  CHECK(to.expose() == k_short);
  CHECK_FALSE(holds(bytes_of(from), k_short));  // NOLINT(bugprone-use-after-move): that is what is tested

  Secret again{std::string(k_short)};
  Secret target;
  target = std::move(again);
  CHECK(target.expose() == k_short);
  CHECK_FALSE(holds(bytes_of(again), k_short));  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("a secret that was replaced by a shorter one leaves no rest") {
  Secret secret{std::string(k_short)};
  secret = Secret("x");
  CHECK(secret.expose() == "x");
  CHECK_FALSE(holds(bytes_of(secret), "nter2"));

  Secret copied_over{std::string(k_short)};
  const Secret one("y");
  copied_over = one;
  CHECK(copied_over.expose() == "y");
  CHECK_FALSE(holds(bytes_of(copied_over), "nter2"));
}

TEST_CASE("a secret that ends is wiped") {
  alignas(Secret) unsigned char memory[sizeof(Secret)] = {};
  auto* secret = new (memory) Secret(std::string(k_short));
  REQUIRE(holds(std::string(reinterpret_cast<char*>(memory), sizeof memory), k_short));
  secret->~Secret();
  CHECK_FALSE(holds(std::string(reinterpret_cast<char*>(memory), sizeof memory), k_short));
}

TEST_CASE("a secret assigned to itself stays") {
  Secret secret("sk-nemo-abcdefgh");
  const Secret& same = secret;
  secret = same;
  CHECK(secret.expose() == "sk-nemo-abcdefgh");
}

TEST_CASE("a hint shows four characters of a text of twelve or more, and none of a shorter one") {
  CHECK(Secret("").hint() == "…");
  CHECK(Secret("elevenchars").hint() == "…");
  CHECK(Secret("twelve-chars").hint() == "…hars");
  CHECK(Secret("sk-nemo-aaaaaaaaaaaaaaawxyz").hint() == "…wxyz");
}

TEST_CASE("whatever looks like a key is redacted") {
  struct Line {
    std::string before;
    std::string after;
  };
  const std::string google = "AIza" + std::string(35, 'x');
  const std::string jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln";
  const Line lines[] = {
      {"sk-nemo-abcdefghij", "[redacted]"},
      {"key sk-abcdefgh12, sk-ijklmnop34 end", "key [redacted], [redacted] end"},
      {"Incorrect API key provided: sk-abcdefgh12.", "Incorrect API key provided: [redacted]"},
      {"(sk-abcdefgh12)", "([redacted])"},
      {"Authorization: Bearer abcdefgh12", "Authorization: Bearer [redacted]"},
      {"authorization: bearer abcdefgh12", "authorization: bearer [redacted]"},
      {"Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted]"},
      {"Authorization: abcdefgh12", "Authorization: [redacted]"},
      {"GET /v1beta/models?key=abcdefgh12&alt=sse", "GET /v1beta/models?key=[redacted]&alt=sse"},
      {"?key=abc%2Fdef%3D12 HTTP/1.1", "?key=[redacted] HTTP/1.1"},
      {"x-api-key: abcd", "x-api-key: [redacted]"},
      {"x-goog-api-key:abcd", "x-goog-api-key:[redacted]"},
      {R"({"api_key":"abcd","model":"m"})", R"({"api_key":"[redacted]","model":"m"})"},
      {R"({"api_key" : "abcd"})", R"({"api_key" : "[redacted]"})"},
      {R"("{\"api_key\": \"abcd\"}")", R"("{\"api_key\": \"[redacted]\"}")"},
      {"{'apiKey': 'abcd'}", "{'apiKey': '[redacted]'}"},
      {R"({"access_token":"ya29.a0AfH6SMBx","expires_in":3599})", R"({"access_token":"[redacted]","expires_in":3599})"},
      {"refresh_token=1//0abcdefg&x=1", "refresh_token=[redacted]&x=1"},
      {"client_secret: GOCSPX-1234abcd", "client_secret: [redacted]"},
      {"token ya29.a0AfH6SMBx!", "token [redacted]!"},
      {google, "[redacted]"},
      {"jwt " + jwt, "jwt [redacted]"},
  };
  for (const Line& line : lines) CHECK(redact(line.before) == line.after);
}

TEST_CASE("what only resembles a key is left alone") {
  for (const std::string text :
       {"", "task-abcdefghij", "risk-averse-behaviour", "sk-short", "the bearer of news", "monkey=bananas12",
        "max_tokens: 1048576", "unexpected token: something", "unknown key \"temperature\"", "key: temperature",
        "a token", "token:", "secret =", "api_key", "AIza", "gemini-2.5-flash at 12:30"}) {
    CHECK(redact(text) == text);
  }
}

TEST_CASE("a text redacted twice is the same as once") {
  const std::string once = redact("Bearer abcdefgh12, api_key=abcd, sk-abcdefgh12, \"access_token\": \"abcdefgh12\"");
  CHECK(redact(once) == once);
}

}  // namespace nemo::test::secret_test
