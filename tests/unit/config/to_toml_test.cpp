#include <doctest/doctest.h>

#include "daemon/config/parse_settings.h"
#include "tests/unit/config/sample_settings.h"

namespace nemo::test::to_toml_test {

using namespace nemo::config;

namespace {

Settings read(std::string_view text) {
  auto settings = parse_settings(text, "nemo.toml");
  REQUIRE_MESSAGE(settings.ok(), settings.error().message);
  return std::move(*settings);
}

}  // namespace

TEST_CASE("what is shown can be read back and shows the same") {
  for (const std::string_view text : {std::string_view(), k_sample, k_providers_sample,
                                      std::string_view("listen = \"[::1]:0\"\nollama_listen = \"auto\"")}) {
    const std::string shown = to_toml(read(text));
    CHECK(to_toml(read(shown)) == shown);
  }
}

TEST_CASE("everything that the sample sets survives being shown and read back") {
  const Settings settings = read(to_toml(read(k_sample)));
  CHECK(settings.listen_port == 7000);
  CHECK(settings.allowed_hosts == std::vector<std::string>{"nemo.internal"});
  CHECK(settings.max_body_bytes == 8U * 1024 * 1024);
  REQUIRE(settings.upstreams.size() == 2);
  CHECK(settings.upstreams[1].unpriced_allowed);
  CHECK(settings.upstreams[1].http2 == false);
  CHECK(settings.upstreams[1].idle_timeout == std::chrono::hours(1));
  CHECK(settings.upstreams[1].key.name == "LOCAL_KEY");
  REQUIRE(settings.deployments.size() == 2);
  CHECK(settings.deployments[0].on_disconnect == OnDisconnect::drain);
  CHECK(settings.deployments[0].rpm == 600);
  REQUIRE(settings.lanes.at("completion").hedge);
  CHECK_FALSE(settings.lanes.at("completion").hedge->after);
  CHECK(settings.lanes.at("completion").first_token_timeout == Millis(2'000));
  CHECK(settings.routing.allowed_fails == 4);
  CHECK(settings.models.at("my-local-model").price->cache_write == nemo::NanoUsd{500'000'000});
  CHECK(settings.models.at("my-local-model").price_above_200k->output == nemo::NanoUsd{2'000'000'000});
  CHECK(settings.aliases.at("gpt-4o") == "gemini-2.5-pro");
}

TEST_CASE("what an upstream at Vertex AI and one at Anthropic are set to survives being shown and read back") {
  const Settings settings = read(to_toml(read(k_providers_sample)));
  REQUIRE(settings.upstreams.size() == 3);
  CHECK(settings.upstreams[0].kind == UpstreamKind::vertex);
  CHECK(settings.upstreams[0].base_url == "http://127.0.0.1:9001");
  CHECK(settings.upstreams[0].project == "my-project");
  CHECK(settings.upstreams[0].location == "europe-west4");
  CHECK(settings.upstreams[0].credentials == "file:/etc/nemo/vertex.json");
  CHECK(settings.upstreams[0].token_url == "http://127.0.0.1:9001/token");
  CHECK(settings.upstreams[1].kind == UpstreamKind::anthropic);
  CHECK(settings.upstreams[1].key.name == "ANTHROPIC_API_KEY");
  CHECK(settings.deployments[0].upstream_model == "claude-sonnet-4-5-20250929");
  CHECK(settings.deployments[4].weight == 0);
  CHECK(settings.lanes.at("completion").hedge->after == Millis(800));
  CHECK(settings.models.at("my-claude").publisher == "anthropic");
}

TEST_CASE("defaults are shown, filled in") {
  const std::string shown = to_toml(read(""));
  for (const char* line :
       {"listen = \"127.0.0.1:6366\"\n", "ollama_listen = \"off\"\n", "require_key = true\n", "retention_days = 90\n",
        "max_body_mib = 64\n", "drain_timeout = \"30s\"\n", "base_url = \"https://api.nemorouter.ai/v1\"\n",
        "key = \"secret:nemo\"\n", "[lane.completion]\nmodel = \"gemini-2.5-flash\"\n", "idle_timeout = \"1m\"\n",
        "cooldown = \"5s\"\n"}) {
    CAPTURE(line);
    CHECK(shown.find(line) != std::string::npos);
  }
}

TEST_CASE("names with quotes, line ends and control characters are shown so that they can be read back") {
  const std::string text =
      "[model.\"a \\\"b\\\" \\\\ \\n \\u0001 \\u00e9\"]\ntags = [\"tab\\there\"]\n[alias]\n\"x\\ny\" = "
      "\"codestral-2\"\n";
  const Settings settings = read(to_toml(read(text)));
  CHECK(settings.models.count("a \"b\" \\ \n \x01 \xC3\xA9") == 1);
  CHECK(settings.models.begin()->second.tags == std::vector<std::string>{"tab\there"});
  CHECK(settings.aliases.count("x\ny") == 1);
}

TEST_CASE("the settings show a reference to a secret as it was written") {
  const std::string text = "[[upstream]]\nname = \"a\"\nbase_url = \"http://h\"\nkey = \"file:/run/a key\"\n";
  CHECK(to_toml(read(text)).find("key = \"file:/run/a key\"\n") != std::string::npos);
}

}  // namespace nemo::test::to_toml_test
