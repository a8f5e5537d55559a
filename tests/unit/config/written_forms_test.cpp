#include "daemon/config/written_forms.h"

#include <doctest/doctest.h>

#include "daemon/config/parse_settings.h"

namespace nemo::test::written_forms_test {

using namespace nemo::config;
using namespace std::chrono_literals;

TEST_CASE("durations are whole numbers of ms, s, m or h") {
  CHECK(parse_duration("2s").value() == 2s);
  CHECK(parse_duration("150ms").value() == 150ms);
  CHECK(parse_duration("5m").value() == 5min);
  CHECK(parse_duration("1h").value() == 1h);
  CHECK(parse_duration("0s").value() == 0s);
  for (const char* bad : {"", "1", "ms", "1d", "1 s", "+1s", "1s ", "0x1s", "1.0s", "9223372036854775807h"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad).ok());
  }
}

TEST_CASE("a duration is written in the largest unit that is exact") {
  CHECK(to_text(Millis(150)) == "150ms");
  CHECK(to_text(Millis(1'500)) == "1500ms");
  CHECK(to_text(5s) == "5s");
  CHECK(to_text(90s) == "90s");
  CHECK(to_text(2min) == "2m");
  CHECK(to_text(2h) == "2h");
  CHECK(to_text(0s) == "0s");
}

TEST_CASE("a duration of up to a year is taken, not more") {
  CHECK(parse_duration("8784h").ok());
  CHECK_FALSE(parse_duration("8785h").ok());
}

TEST_CASE("an address is written as it is read") {
  for (const char* text : {"127.0.0.1:6366", "[::1]:0", "localhost:65535"}) {
    const auto address = parse_listen(text);
    REQUIRE(address.ok());
    CHECK(to_text(*address) == text);
  }
}

TEST_CASE("where Ollama's clients are listened for is off, automatic, or an address") {
  using When = OllamaListen::When;
  for (const char* text : {"off", "auto", "127.0.0.1:11434", "[::1]:0"}) {
    const auto listen = parse_ollama_listen(text);
    REQUIRE(listen.ok());
    CHECK(to_text(*listen) == text);
  }
  CHECK(parse_ollama_listen("off")->when == When::off);
  CHECK(parse_ollama_listen("auto")->when == When::if_free);
  CHECK(parse_ollama_listen("auto")->host == "127.0.0.1");
  CHECK(parse_ollama_listen("auto")->port == 11434);
  CHECK(parse_ollama_listen("[::1]:81")->when == When::always);
  CHECK(parse_ollama_listen("[::1]:81")->host == "::1");
  CHECK(parse_ollama_listen("[::1]:81")->port == 81);
  for (const char* text : {"", "on", "11434", "127.0.0.1", "Auto"}) CHECK_FALSE(parse_ollama_listen(text).ok());
}

TEST_CASE("only this machine's own addresses are loopback") {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.0.9", "::1"}) CHECK(is_loopback(host));
  for (const char* host :
       {"", "0.0.0.0", "::", "127.0.0", "127.", "127.0.0.1.2", "127.0.0.x", "128.0.0.1", "10.0.0.1"}) {
    CAPTURE(host);
    CHECK_FALSE(is_loopback(host));
  }
}

TEST_CASE("a base URL may have a port, an IPv6 host and a path") {
  CHECK(parse_base_url("http://127.0.0.1:11434/v1").value() == "http://127.0.0.1:11434/v1");
  CHECK(parse_base_url("http://[::1]:8080/v1//").value() == "http://[::1]:8080/v1");
  CHECK(parse_base_url("https://example.com").value() == "https://example.com");
}

TEST_CASE("a reference to a secret is written as it is read") {
  for (const char* text : {"secret:nemo", "env:NEMO_KEY_2", "file:/run/keys/a b"}) {
    const auto reference = parse_secret_ref(text);
    REQUIRE(reference.ok());
    CHECK(to_text(*reference) == text);
  }
  CHECK(to_text(SecretRef{}).empty());
}

}  // namespace nemo::test::written_forms_test
