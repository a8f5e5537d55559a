#include <doctest/doctest.h>

#include "daemon/config/parse_settings.h"

namespace nemo::test::refused_settings_test {

using namespace nemo::config;

namespace {

// The message that a text is refused with.
std::string refusal(std::string_view text) {
  const auto settings = parse_settings(text, "nemo.toml");
  REQUIRE_MESSAGE(!settings.ok(), text);
  CHECK(settings.error().kind == nemo::ErrorKind::invalid_config);
  return settings.error().message;
}

bool says(const std::string& message, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (message.find(part) == std::string::npos) {
      MESSAGE(message << "\n  does not say: " << part);
      return false;
    }
  }
  return true;
}

std::string upstream_with(const std::string& line) {
  return "[[upstream]]\nname = \"a\"\nbase_url = \"http://h/v1\"\n" + line + "\n";
}

std::string vertex_with(const std::string& line) {
  return "[[upstream]]\nname = \"v\"\nkind = \"vertex\"\n" + line + "\n";
}

std::string model_with(const std::string& line) {
  return "[model.m]\n" + line + "\n";
}

}  // namespace

TEST_CASE("text that is no TOML is refused with file, line and column") {
  CHECK(says(refusal("listen = \"127.0.0.1:1\"\nrequire_key = yes\n"), {"nemo.toml:2:", "TOML"}));
  CHECK(says(refusal("[lane.completion\n"), {"nemo.toml:1:", "TOML"}));
  CHECK(says(refusal("listen = \"a\nb\"\n"), {"nemo.toml:1:"}));
  CHECK(says(refusal("\n\nretention_days = 1\nretention_days = 2\n"), {"nemo.toml:4:"}));
  CHECK(says(refusal("listen = \"\xff\"\n"), {"nemo.toml:1:"}));
}

TEST_CASE("a key that begins with what no key begins with is refused with its line") {
  CHECK(says(refusal("require_key = true\n[$routing]\n"), {"nemo.toml:2:1: ", "not valid TOML"}));
  CHECK(says(refusal("[routing]\n[[\\u0041]]\nx = 1\n\n"), {"nemo.toml:2:", "not valid TOML"}));
  CHECK(says(refusal("[.a]"), {"nemo.toml:1:", "not valid TOML"}));
}

TEST_CASE("the file's own name stands in the message") {
  const auto settings = parse_settings("x = 1", "/etc/nemo/other.toml");
  REQUIRE_FALSE(settings.ok());
  CHECK(settings.error().message.starts_with("/etc/nemo/other.toml:1:1: "));
}

TEST_CASE("an unknown key is refused with the nearest known one") {
  CHECK(says(refusal("listn = \"127.0.0.1:1\"\n"), {"nemo.toml:1:1: ", "\"listn\"", "did you mean \"listen\"?"}));
  CHECK(says(refusal("[routing]\n  num_retrys = 2\n"), {"nemo.toml:2:3: ", "[routing]", "\"num_retries\""}));
  CHECK(says(refusal(upstream_with("baseurl = \"http://h\"")), {"nemo.toml:4:1: ", "\"base_url\""}));
  CHECK(says(refusal("[[deployment]]\nmodle = \"x\"\n"), {"nemo.toml:2:1: ", "\"model\""}));
  CHECK(says(refusal("[lane.completion]\nstratgy = \"cost\"\n"), {"nemo.toml:2:1: ", "\"strategy\""}));
  CHECK(says(refusal(model_with("price = { input = \"1\", out = \"1\" }")), {"nemo.toml:2:24: ", "\"output\""}));
}

TEST_CASE("an unknown key that resembles nothing is refused with all that are known") {
  CHECK(
      says(refusal("[routing]\nqqq = 2\n"), {"nemo.toml:2:1: ", "\"num_retries\", \"allowed_fails\" or \"cooldown\""}));
}

TEST_CASE("a value of the wrong type is refused with the type that is expected") {
  CHECK(says(refusal("listen = 6366\n"), {"nemo.toml:1:10: listen", "text is expected, not a whole number"}));
  CHECK(says(refusal("require_key = \"yes\"\n"), {"nemo.toml:1:15: ", "true or false is expected, not text"}));
  CHECK(says(refusal("retention_days = 1.5\n"), {"nemo.toml:1:18: ", "a whole number is expected"}));
  CHECK(says(refusal("retention_days = 1979-05-27\n"), {"not a date or time"}));
  CHECK(says(refusal("allowed_hosts = \"a\"\n"), {"a list is expected"}));
  CHECK(says(refusal("allowed_hosts = [\"a\", 2]\n"), {"nemo.toml:1:23: ", "list of texts"}));
  CHECK(says(refusal("routing = 3\n"), {"nemo.toml:1:11: ", "[routing] must be a table"}));
  CHECK(says(refusal("lane = 3\n"), {"nemo.toml:1:8: ", "a table is expected"}));
  CHECK(says(refusal("[lane]\ncompletion = \"gemini-2.5-flash\"\n"), {"nemo.toml:2:14: ", "must be a table"}));
  CHECK(says(refusal("upstream = [1]\n"), {"nemo.toml:1:13: ", "[[upstream]] must be a table"}));
}

TEST_CASE("a list of tables with single brackets is refused with the right spelling") {
  CHECK(says(refusal("[upstream]\nname = \"a\"\n"), {"nemo.toml:1:1: ", "[[upstream]]"}));
  CHECK(says(refusal("[deployment]\n"), {"[[deployment]]"}));
}

TEST_CASE("numbers out of range are refused with the range") {
  CHECK(says(refusal("retention_days = 0\n"), {"nemo.toml:1:18: ", "from 1 to 36500"}));
  CHECK(says(refusal("retention_days = -1\n"), {"from 1 to"}));
  CHECK(says(refusal("max_body_mib = 0\n"), {"from 1 to 1024"}));
  CHECK(says(refusal("max_body_mib = 9223372036854775807\n"), {"from 1 to 1024"}));
  CHECK(says(refusal("[routing]\nnum_retries = -1\n"), {"nemo.toml:2:15: ", "from 0 to 100"}));
  CHECK(says(refusal("[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"nemo\"\nweight = -1\n"),
             {"nemo.toml:4:10: ", "from 0 to"}));
  CHECK(says(refusal("[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"nemo\"\nrpm = 0\n"), {"nemo.toml:4:7: "}));
  CHECK(says(refusal(model_with("context_window = 0")), {"nemo.toml:2:18: "}));
}

TEST_CASE("bad durations are refused with an example of a good one") {
  for (const char* bad : {"", "2", "s", "2 s", "-2s", "1.5s", "2sec", "2S", "99999999999999999999s", "9999999h"}) {
    CAPTURE(bad);
    CHECK(
        says(refusal("drain_timeout = \"" + std::string(bad) + "\"\n"), {"nemo.toml:1:17: drain_timeout", "duration"}));
  }
  CHECK(says(refusal("drain_timeout = 30\n"), {"text is expected"}));
  CHECK(says(refusal(upstream_with("connect_timeout = \"0s\"")), {"nemo.toml:4:19: ", "at least 1ms"}));
}

TEST_CASE("a listen address that is none is refused") {
  for (const char* bad : {"", "6366", ":6366", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:6366",
                          "[::1]", "[::1:6366", "[localhost]:1", "127.0.0.1:1:2", "http://127.0.0.1:1", "a b:1"}) {
    CAPTURE(bad);
    CHECK(says(refusal("listen = \"" + std::string(bad) + "\"\n"), {"nemo.toml:1:10: listen"}));
  }
}

TEST_CASE("an address that other machines reach is refused without allow_remote") {
  for (const char* host : {"0.0.0.0", "192.168.1.2", "[::]", "example.com", "127.evil.example", "127.0.0.1.nip.io",
                           "127.0.0.256", "localhost.example"}) {
    CAPTURE(host);
    const std::string line = "listen = \"" + std::string(host) + ":6366\"\n";
    CHECK(says(refusal(line), {"nemo.toml:1:10: ", "allow_remote = true"}));
    CHECK(parse_settings(line + "allow_remote = true\n", "nemo.toml").ok());
  }
}

TEST_CASE("Ollama's clients are listened for at an address of this machine") {
  CHECK(says(refusal("ollama_listen = \"on\"\n"), {"nemo.toml:1:17: ollama_listen", "\"auto\"", "127.0.0.1:11434"}));
  CHECK(says(refusal("ollama_listen = true\n"), {"text is expected"}));
  const std::string line = "ollama_listen = \"0.0.0.0:11434\"\n";
  CHECK(says(refusal(line), {"nemo.toml:1:17: ollama_listen", "allow_remote = true"}));
  CHECK(parse_settings(line + "allow_remote = true\n", "nemo.toml").ok());
}

TEST_CASE("a base URL must be http or https, with a host and nothing secret") {
  for (const char* bad :
       {"", "localhost:11434", "ftp://h/v1", "HTTP//h", "http://", "http:///v1", "http://h:0/v1", "http://h:99999/v1",
        "http://h:x/v1", "http://a b/", "https://h/v1?key=1", "https://h/#x", "file:///etc/passwd", "http://[::1/v1"}) {
    CAPTURE(bad);
    const std::string text = "[[upstream]]\nname = \"a\"\nbase_url = \"" + std::string(bad) + "\"\n";
    CHECK(says(refusal(text), {"nemo.toml:3:12: base_url"}));
  }
  const std::string with_password = refusal("[[upstream]]\nname = \"a\"\nbase_url = \"https://me:hunter2@h/v1\"\n");
  CHECK(with_password.find("hunter2") == std::string::npos);
}

TEST_CASE("a key written into the config is refused and not repeated") {
  for (const char* bad : {"sk-verysecretvalue1234", "secret:", "env:1A", "env:A-B", "vault:verysecretvalue",
                          "file:", "secret:verysecretvalue with spaces"}) {
    CAPTURE(bad);
    const std::string message = refusal(upstream_with("key = \"" + std::string(bad) + "\""));
    CHECK(says(message, {"nemo.toml:4:7: key", "secret:NAME, env:NAME or file:PATH"}));
    CHECK(message.find("verysecretvalue") == std::string::npos);
  }
}

TEST_CASE("credentials that are no way to a token are refused and not repeated") {
  for (const char* bad : {"gcloud", "file:", "secret:verysecretvalue", "{verysecretvalue}", "ADC"}) {
    CAPTURE(bad);
    const std::string message = refusal(vertex_with("credentials = \"" + std::string(bad) + "\""));
    CHECK(says(message, {"nemo.toml:4:15: credentials", "\"adc\"", "\"file:PATH\""}));
    CHECK(message.find("verysecretvalue") == std::string::npos);
  }
}

TEST_CASE("a credentials file that is not there is told by its line, with what to write") {
  const auto nowhere = [](const std::string&) { return false; };
  const auto settings = parse_settings(vertex_with("credentials = \"file:/no/such.json\""), "nemo.toml", nowhere);
  REQUIRE_FALSE(settings.ok());
  CHECK(says(settings.error().message, {"nemo.toml:4:15: credentials", "no file \"/no/such.json\"", "\"adc\""}));
  CHECK(parse_settings(vertex_with("credentials = \"adc\""), "nemo.toml", nowhere).ok());
}

TEST_CASE("an upstream at Vertex AI has no key, and its project and location can stand in a URL") {
  CHECK(says(refusal(vertex_with("key = \"env:KEY\"")), {"nemo.toml:4:7: key", "\"vertex\"", "credentials = \"adc\""}));
  CHECK(says(refusal(vertex_with("project = \"a/b\"")), {"nemo.toml:4:11: project", "\"my-project\""}));
  CHECK(says(refusal(vertex_with("project = \"\"")), {"nemo.toml:4:11: project"}));
  for (const char* bad : {"evil.example/x", "EU", "europe west4", ""}) {
    CAPTURE(bad);
    CHECK(says(refusal(vertex_with("location = \"" + std::string(bad) + "\"")), {"nemo.toml:4:12: location"}));
  }
  CHECK(says(refusal(vertex_with("token_url = \"oauth2\"")), {"nemo.toml:4:13: token_url", "https://"}));
  CHECK(says(refusal(vertex_with("base_url = \"h\"")), {"nemo.toml:4:12: base_url", "https://"}));
}

TEST_CASE("what only Vertex AI has is refused at other upstreams") {
  for (const char* line :
       {"project = \"p\"", "location = \"eu\"", "credentials = \"adc\"", "token_url = \"http://h\""}) {
    CAPTURE(line);
    CHECK(says(refusal(upstream_with(line)), {"nemo.toml:4:", "only an upstream of kind \"vertex\" has it"}));
  }
}

TEST_CASE("an unknown kind, strategy or level is refused with those that exist") {
  CHECK(says(refusal(upstream_with("kind = \"azure\"")),
             {"nemo.toml:4:8: ", "\"azure\"", "\"nemo\", \"openai\", \"vertex\" or \"anthropic\""}));
  CHECK(says(refusal("[lane.completion]\nstrategy = \"fastest\"\n"),
             {"nemo.toml:2:12: ", "\"simple-shuffle\", \"least-busy\", \"usage-based\", \"latency\" or \"cost\""}));
  CHECK(says(refusal("content_logging = \"all\"\n"), {"\"none\", \"metadata\", \"redacted\" or \"full\""}));
  CHECK(says(refusal(upstream_with("unpriced = \"yes\"")), {"\"allow\" or \"refuse\""}));
  CHECK(says(refusal(upstream_with("completions = \"both\"")), {"\"auto\", \"native\" or \"chat\""}));
  CHECK(says(refusal(upstream_with("responses = \"both\"")), {"\"chat\" or \"native\""}));
  CHECK(says(refusal(model_with("publisher = \"antropic\"")), {"nemo.toml:2:13: ", "\"antropic\"", "\"anthropic\""}));
}

TEST_CASE("an upstream without a name or a URL is refused") {
  CHECK(says(refusal("[[upstream]]\nbase_url = \"http://h\"\n"), {"nemo.toml:1:1: ", "has no name"}));
  CHECK(says(refusal("[[upstream]]\nname = \"a\"\n"), {"nemo.toml:1:1: ", "has no base_url"}));
  CHECK(says(refusal("[[upstream]]\nname = \"\"\nbase_url = \"http://h\"\n"), {"nemo.toml:2:8: ", "not empty"}));
}

TEST_CASE("two upstreams of one name are refused at the second") {
  CHECK(says(refusal(upstream_with("") + upstream_with("")), {"nemo.toml:6:8: ", "\"a\"", "its own name"}));
}

TEST_CASE("a deployment must name an upstream and a model that exist, and stand there once") {
  const std::string deployment = "[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"nemo\"\n";
  CHECK(says(refusal("[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"nmo\"\n"),
             {"nemo.toml:3:12: ", "\"nmo\"", "there is \"nemo\""}));
  CHECK(says(refusal("[[deployment]]\nmodel = \"codestral-3\"\nupstream = \"nemo\"\n"),
             {"nemo.toml:2:9: ", "\"codestral-3\"", "\"codestral-2\""}));
  CHECK(says(refusal("[[deployment]]\nupstream = \"nemo\"\n"), {"nemo.toml:1:1: ", "has no model"}));
  CHECK(says(refusal("[[deployment]]\nmodel = \"codestral-2\"\n"), {"nemo.toml:1:1: ", "has no upstream"}));
  CHECK(says(refusal(deployment + deployment), {"nemo.toml:4:1: ", "there already"}));
}

TEST_CASE("a lane that names an unknown model is refused with the nearest") {
  CHECK(says(refusal("[lane.completion]\nmodel = \"gemini-2.5-flahs\"\n"),
             {"nemo.toml:2:9: ", "\"gemini-2.5-flahs\"", "did you mean \"gemini-2.5-flash\""}));
  CHECK(says(refusal("[lane.completion]\nfallbacks = [\"codestral-2\", \"zzz\"]\n"), {"nemo.toml:2:29: ", "\"zzz\""}));
  CHECK(says(refusal("[lane.review]\nstrategy = \"cost\"\n"), {"nemo.toml:1:1: ", "has no model"}));
}

TEST_CASE("a lane's fallbacks go round in no circle") {
  CHECK(says(refusal("[lane.completion]\nfallbacks = [\"codestral-2\", \"gemini-2.5-flash\"]\n"),
             {"nemo.toml:2:29: fallbacks", "\"gemini-2.5-flash\" is the lane's own model", "name other models"}));
  CHECK(says(refusal("[lane.x]\nfallbacks = [\"codestral-2\"]\nmodel = \"codestral-2\"\n"),
             {"nemo.toml:2:14: fallbacks", "own model"}));
  CHECK(says(refusal("[lane.completion]\nfallbacks = [\"codestral-2\", \"codestral-2501\", \"codestral-2\"]\n"),
             {"nemo.toml:2:47: fallbacks", "\"codestral-2\" is in the list already"}));
  CHECK(says(refusal("[lane.completion]\non_budget = \"fallback:gemini-2.5-flash\"\n"),
             {"nemo.toml:2:13: on_budget", "own model"}));
}

TEST_CASE("a time to hedge after is p95 or a duration") {
  for (const char* bad : {"soon", "p99", "0s", "", "-1s", "P95"}) {
    CAPTURE(bad);
    CHECK(says(refusal("[lane.completion]\nhedge_after = \"" + std::string(bad) + "\"\n"),
               {"nemo.toml:2:15: hedge_after", "\"p95\" or a duration", "\"800ms\""}));
  }
  CHECK(says(refusal("[lane.completion]\nhedge_after = 800\n"), {"nemo.toml:2:15: hedge_after", "text is expected"}));
}

TEST_CASE("only lane completion remembers and holds back, and neither for long") {
  CHECK(says(refusal("[lane.reasoning]\nremember = \"10m\"\n"), {"nemo.toml:2:12: remember", "[lane.completion]"}));
  CHECK(says(refusal("[lane.reasoning]\nsettle = \"10ms\"\n"), {"nemo.toml:2:10: settle", "[lane.completion]"}));
  CHECK(says(refusal("[lane.completion]\nremember = \"25h\"\n"), {"nemo.toml:2:12: remember", "24h", "\"0s\""}));
  CHECK(says(refusal("[lane.completion]\nsettle = \"11s\"\n"), {"nemo.toml:2:10: settle", "10s"}));
  CHECK(says(refusal("[lane.completion]\nsettle = \"soon\"\n"), {"nemo.toml:2:10: settle", "duration"}));
}

TEST_CASE("weights of 0 everywhere among a model's deployments are refused at the first") {
  const std::string upstreams =
      "[[upstream]]\nname = \"a\"\nbase_url = \"http://a\"\n[[upstream]]\nname = \"b\"\nbase_url = \"http://b\"\n";
  const std::string healthy = "[[deployment]]\nmodel = \"gemini-2.5-pro\"\nupstream = \"a\"\n";
  const std::string at_a = "[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"a\"\nweight = 0\n";
  const std::string at_b = "[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"b\"\norder = 2\nweight = 0\n";
  CHECK(says(refusal(upstreams + healthy + at_a + at_b), {"nemo.toml:13:10: weight", "\"codestral-2\"", "at least 1"}));
}

TEST_CASE("a misspelt lane is not taken for a lane of one's own") {
  CHECK(says(refusal("[lane.compltion]\nmodel = \"codestral-2\"\n"),
             {"nemo.toml:1:7: ", "did you mean \"completion\"?"}));
  CHECK(says(refusal("[lane.auto]\nmodel = \"codestral-2\"\n"), {"\"auto\""}));
}

TEST_CASE("a price must be text, not negative, and complete") {
  CHECK(says(refusal(model_with("price = { input = 0.3, output = \"1\" }")), {"nemo.toml:2:19: ", "as text"}));
  CHECK(says(refusal(model_with("price = { input = 1, output = \"1\" }")), {"nemo.toml:2:19: ", "as text"}));
  CHECK(says(refusal(model_with("price = { input = \"-1\", output = \"1\" }")), {"nemo.toml:2:19: ", "not negative"}));
  CHECK(says(refusal(model_with("price = { input = \"1e3\", output = \"1\" }")), {"nemo.toml:2:19: ", "dollars"}));
  CHECK(says(refusal(model_with("price = { input = \"\", output = \"1\" }")), {"nemo.toml:2:19: "}));
  CHECK(says(refusal(model_with("price = { input = \"1.0000000001\", output = \"1\" }")), {"nine decimals"}));
  CHECK(says(refusal(model_with("price = { output = \"1\" }")), {"nemo.toml:2:9: ", "has no input"}));
  CHECK(says(refusal(model_with("price = { input = \"1\" }")), {"nemo.toml:2:9: ", "has no output"}));
  CHECK(says(refusal(model_with("price = \"1\"")), {"nemo.toml:2:9: ", "a table is expected"}));
}

TEST_CASE("a dearer tier without a price is refused, except where the catalog has the price") {
  const std::string tier = "price_above_200k = { input = \"1\", output = \"1\" }\n";
  CHECK(says(refusal("[model.m]\n" + tier), {"nemo.toml:2:20: ", "without a price"}));
  CHECK(parse_settings("[model.\"gemini-2.5-flash\"]\n" + tier, "nemo.toml").ok());
}

TEST_CASE("an unknown capability is refused with those that exist") {
  CHECK(says(refusal(model_with("capabilities = [\"chat\", \"fmi\"]")), {"nemo.toml:2:25: ", "\"fmi\"", "\"fim\""}));
}

TEST_CASE("an alias must be a new name for a known model") {
  CHECK(says(refusal("[alias]\na = \"nothing-like-it\"\n"), {"nemo.toml:2:5: ", "\"nothing-like-it\""}));
  CHECK(says(refusal("[alias]\n\"codestral-2\" = \"gemini-2.5-pro\"\n"), {"nemo.toml:2:1: ", "a name already"}));
  CHECK(says(refusal("[alias]\n\"nemo/auto\" = \"gemini-2.5-pro\"\n"), {"nemo.toml:2:1: ", "a name already"}));
  CHECK(says(refusal("[alias]\na = 3\n"), {"nemo.toml:2:5: "}));
}

TEST_CASE("origins and hosts must be what a browser sends, and no wildcard") {
  for (const char* bad : {"*", "http://*", "localhost:3000", "http://localhost/", "http://"}) {
    CAPTURE(bad);
    CHECK(says(refusal("allowed_origins = [\"" + std::string(bad) + "\"]\n"), {"nemo.toml:1:20: ", "not an origin"}));
  }
  for (const char* bad : {"*", "a:80", "http://a", "a/b"}) {
    CAPTURE(bad);
    CHECK(says(refusal("allowed_hosts = [\"" + std::string(bad) + "\"]\n"), {"nemo.toml:1:18: ", "not a host name"}));
  }
}

TEST_CASE("the first problem in a table is the one that is told") {
  CHECK(says(refusal("aaa = 1\nbbb = 2\n"), {"nemo.toml:1:1: ", "\"aaa\""}));
  CHECK(says(refusal("zzz = 1\nbbb = 2\n"), {"nemo.toml:1:1: ", "\"zzz\""}));
}

}  // namespace nemo::test::refused_settings_test
