#include "daemon/config/parse_settings.h"

#include <doctest/doctest.h>

#include "tests/unit/config/sample_settings.h"

namespace nemo::test::parse_settings_test {

using namespace nemo::config;
using nemo::NanoUsd;
using namespace std::chrono_literals;

namespace {

Settings read(std::string_view text) {
  auto settings = parse_settings(text, "nemo.toml");
  REQUIRE_MESSAGE(settings.ok(), settings.error().message);
  return std::move(*settings);
}

}  // namespace

TEST_CASE("an empty file gives every default of the contract") {
  const Settings settings = read("");
  CHECK(settings.listen_host == "127.0.0.1");
  CHECK(settings.listen_port == 6366);
  CHECK(settings.require_key);
  CHECK(settings.whose_work);
  CHECK_FALSE(settings.allow_remote);
  CHECK(settings.content_logging == ContentLogging::metadata);
  CHECK(settings.retention_days == 90);
  CHECK(settings.max_body_bytes == 64U * 1024 * 1024);
  CHECK(settings.drain_timeout == 30s);
  CHECK(settings.routing.num_retries == 2);
  CHECK(settings.routing.allowed_fails == 3);
  CHECK(settings.routing.cooldown == 5s);
  CHECK(settings.deployments.empty());
  CHECK(settings.models.empty());
  CHECK(settings.aliases.empty());
}

TEST_CASE("without an upstream in the file there is the one named nemo") {
  const Settings settings = read("");
  REQUIRE(settings.upstreams.size() == 1);
  const Upstream& nemo = settings.upstreams.front();
  CHECK(nemo.name == "nemo");
  CHECK(nemo.kind == UpstreamKind::nemo);
  CHECK(nemo.base_url == "https://api.nemorouter.ai/v1");
  CHECK(nemo.key.kind == SecretRef::Kind::secret);
  CHECK(nemo.key.name == "nemo");
  CHECK(nemo.header_prefix == "x-nemo-");
}

TEST_CASE("with an upstream in the file there is only that one") {
  const Settings settings = read("[[upstream]]\nname = \"a\"\nbase_url = \"http://h/v1\"\n");
  REQUIRE(settings.upstreams.size() == 1);
  CHECK(settings.upstreams.front().name == "a");
  CHECK(settings.upstreams.front().kind == UpstreamKind::openai);
  CHECK(settings.upstreams.front().key.kind == SecretRef::Kind::none);
  CHECK(settings.find_upstream("a") == &settings.upstreams.front());
  CHECK(settings.find_upstream("nemo") == nullptr);
}

TEST_CASE("both lanes are always there") {
  const Settings settings = read("");
  REQUIRE(settings.lanes.size() == 2);
  CHECK(settings.lanes.at("completion").model == "gemini-2.5-flash");
  CHECK(settings.lanes.at("completion").strategy == "latency");
  CHECK(settings.lanes.at("reasoning").model == "gemini-2.5-pro");
  CHECK(settings.lanes.at("reasoning").strategy == "least-busy");
}

TEST_CASE("a lane keeps the defaults that its table does not name") {
  const Settings settings = read("[lane.completion]\nstrategy = \"cost\"\n");
  CHECK(settings.lanes.at("completion").model == "gemini-2.5-flash");
  CHECK(settings.lanes.at("completion").strategy == "cost");
  CHECK(settings.lanes.at("reasoning").model == "gemini-2.5-pro");
}

TEST_CASE("a lane of one's own needs only a model") {
  const Settings settings = read("[lane.review]\nmodel = \"claude-opus-5@default\"\n");
  CHECK(settings.lanes.size() == 3);
  CHECK(settings.lanes.at("review").strategy == "simple-shuffle");
}

TEST_CASE("the edge settings are read") {
  const Settings settings = read(k_sample);
  CHECK(settings.listen_host == "127.0.0.1");
  CHECK(settings.listen_port == 7000);
  CHECK(settings.allowed_origins == std::vector<std::string>{"http://localhost:3000", "vscode-webview://abc"});
  CHECK(settings.allowed_hosts == std::vector<std::string>{"nemo.internal"});
  CHECK_FALSE(settings.require_key);
  CHECK_FALSE(settings.whose_work);
  CHECK(settings.content_logging == ContentLogging::redacted);
  CHECK(settings.retention_days == 30);
  CHECK(settings.max_body_bytes == 8U * 1024 * 1024);
  CHECK(settings.drain_timeout == 10s);
}

TEST_CASE("every option of an upstream is read") {
  const Settings settings = read(k_sample);
  REQUIRE(settings.upstreams.size() == 2);
  const Upstream& local = settings.upstreams[1];
  CHECK(local.kind == UpstreamKind::openai);
  CHECK(local.base_url == "http://127.0.0.1:11434/v1");
  CHECK(local.key.kind == SecretRef::Kind::env);
  CHECK(local.key.name == "LOCAL_KEY");
  CHECK(local.unpriced_allowed);
  CHECK(local.completions == "native");
  CHECK(local.responses == "native");
  REQUIRE(local.http2);
  CHECK_FALSE(*local.http2);
  CHECK(local.ca_file == "/etc/ssl/ca.pem");
  CHECK(local.connect_timeout == 150ms);
  CHECK(local.first_token_timeout == 2min);
  CHECK(local.idle_timeout == 1h);
}

TEST_CASE("what an upstream does not say has its default") {
  const Settings settings = read(k_sample);
  const Upstream& nemo = settings.upstreams[0];
  CHECK_FALSE(nemo.unpriced_allowed);
  CHECK(nemo.completions == "auto");
  CHECK(nemo.responses == "chat");
  CHECK_FALSE(nemo.http2);
  CHECK(nemo.connect_timeout == 5s);
  CHECK(nemo.first_token_timeout == 2min);
  CHECK(nemo.idle_timeout == 1min);
}

TEST_CASE("slashes at the end of a base URL are dropped and a header prefix is lower case") {
  const Settings settings = read(k_sample);
  CHECK(settings.upstreams[0].base_url == "https://api.nemorouter.ai/v1");
  CHECK(settings.upstreams[0].header_prefix == "x-nemo-");
}

TEST_CASE("an upstream of kind nemo knows its own URL") {
  const Settings settings = read("[[upstream]]\nname = \"n\"\nkind = \"nemo\"\n");
  CHECK(settings.upstreams[0].base_url == "https://api.nemorouter.ai/v1");
}

TEST_CASE("a deployment is read, and by default asks for the model by its catalog id") {
  const Settings settings = read(k_sample);
  REQUIRE(settings.deployments.size() == 2);
  const Deployment& eu = settings.deployments[0];
  CHECK(eu.upstream_model == "google/gemini-2.5-flash");
  CHECK(eu.weight == 3);
  CHECK(eu.order == 2);
  CHECK(eu.tags == std::vector<std::string>{"eu"});
  CHECK(eu.rpm == 600);
  CHECK(eu.on_disconnect == OnDisconnect::drain);
  const Deployment& local = settings.deployments[1];
  CHECK(local.upstream_model == "my-local-model");
  CHECK(local.weight == 1);
  CHECK(local.order == 1);
  CHECK_FALSE(local.rpm);
  CHECK(local.on_disconnect == OnDisconnect::cancel);
}

TEST_CASE("a lane is read") {
  const Settings settings = read(k_sample);
  const Lane& lane = settings.lanes.at("completion");
  CHECK(lane.fallbacks == std::vector<std::string>{"gemini-2.5-flash-lite"});
  CHECK(lane.tags == std::vector<std::string>{"code"});
  CHECK(lane.first_token_timeout == 2s);
  REQUIRE(lane.hedge);
  CHECK_FALSE(lane.hedge->after);
  CHECK_FALSE(settings.lanes.at("reasoning").first_token_timeout);
  CHECK_FALSE(settings.lanes.at("reasoning").hedge);
}

TEST_CASE("completions are remembered for ten minutes and held back not at all, unless the file says otherwise") {
  const Settings usual = read("");
  CHECK(usual.lanes.at("completion").remember == 10min);
  CHECK(usual.lanes.at("completion").settle == 0ms);
  CHECK(usual.lanes.at("reasoning").remember == 0ms);
  const Settings settings = read("[lane.completion]\nremember = \"0s\"\nsettle = \"30ms\"\n");
  CHECK(settings.lanes.at("completion").remember == 0ms);
  CHECK(settings.lanes.at("completion").settle == 30ms);
}

TEST_CASE("a hedge after a fixed time is read in milliseconds") {
  const Settings settings = read("[lane.completion]\nhedge_after = \"2s\"\n");
  REQUIRE(settings.lanes.at("completion").hedge);
  CHECK(settings.lanes.at("completion").hedge->after == 2s);
}

TEST_CASE("an upstream at Vertex AI needs only its kind and a name") {
  const Settings settings = read("[[upstream]]\nname = \"v\"\nkind = \"vertex\"\n");
  const Upstream& vertex = settings.upstreams.front();
  CHECK(vertex.kind == UpstreamKind::vertex);
  CHECK(vertex.base_url.empty());
  CHECK(vertex.project.empty());
  CHECK(vertex.location == "global");
  CHECK(vertex.credentials == "adc");
  CHECK(vertex.token_url.empty());
  CHECK(vertex.key.kind == SecretRef::Kind::none);
}

TEST_CASE("every option of an upstream at Vertex AI is read") {
  const Settings settings = read(k_providers_sample);
  const Upstream& vertex = settings.upstreams[0];
  CHECK(vertex.project == "my-project");
  CHECK(vertex.location == "europe-west4");
  CHECK(vertex.credentials == "file:/etc/nemo/vertex.json");
  CHECK(vertex.token_url == "http://127.0.0.1:9001/token");
  CHECK(vertex.base_url == "http://127.0.0.1:9001");
}

TEST_CASE("a credentials file is asked for by its path, once, and application default credentials are not") {
  std::vector<std::string> asked;
  const auto exists = [&](const std::string& path) {
    asked.push_back(path);
    return true;
  };
  CHECK(parse_settings(k_providers_sample, "nemo.toml", exists).ok());
  CHECK(asked == std::vector<std::string>{"/etc/nemo/vertex.json"});
}

TEST_CASE("an upstream at Anthropic knows its URL, and a proxy in its place is named like any other") {
  const Settings settings = read(k_providers_sample);
  CHECK(settings.upstreams[1].kind == UpstreamKind::anthropic);
  CHECK(settings.upstreams[1].base_url == "https://api.anthropic.com/v1");
  CHECK(settings.upstreams[1].key.name == "ANTHROPIC_API_KEY");
  CHECK(read("[[upstream]]\nname = \"a\"\nkind = \"anthropic\"\nbase_url = \"http://h/v1\"\n").upstreams[0].base_url ==
        "http://h/v1");
}

TEST_CASE("at Anthropic a deployment asks for Claude by Anthropic's own name unless it says another") {
  const Settings settings = read(k_providers_sample);
  REQUIRE(settings.deployments.size() == 5);
  CHECK(settings.deployments[0].upstream_model == "claude-sonnet-4-5-20250929");
  CHECK(settings.deployments[1].upstream_model == "claude-sonnet-4-5@20250929");  // Vertex has the catalog's names
  CHECK(settings.deployments[2].upstream_model == "claude-mine");
  CHECK(settings.deployments[3].upstream_model == "my-tuned@v2");  // not Anthropic's model
}

TEST_CASE("one model may be deployed twice at one upstream with other tags, or under another name there") {
  const std::string once = "[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"nemo\"\n";
  CHECK(read(once + once + "tags = [\"eu\"]\n").deployments.size() == 2);
  CHECK(read(once + once + "upstream_model = \"codestral\"\n").deployments.size() == 2);
}

TEST_CASE("a weight of 0 is legal while another deployment of the model, or a whole upstream, can be called") {
  const std::string upstreams =
      "[[upstream]]\nname = \"a\"\nbase_url = \"http://a\"\n[[upstream]]\nname = \"b\"\n"
      "base_url = \"http://b\"\n";
  const std::string drained = "[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"a\"\nweight = 0\n";
  const std::string other = "[[deployment]]\nmodel = \"codestral-2\"\nupstream = \"b\"\n";
  CHECK(read(upstreams + drained + other).deployments[0].weight == 0);
  CHECK(read(upstreams + drained).deployments[0].weight == 0);
}

TEST_CASE("a model's publisher is kept where the file says one") {
  CHECK(read(k_providers_sample).models.at("my-claude").publisher == "anthropic");
  CHECK_FALSE(read(k_sample).models.at("my-local-model").publisher);
}

TEST_CASE("a model's prices are exact and what is not stated stays unstated") {
  const Settings settings = read(k_sample);
  const auto& model = settings.models.at("my-local-model");
  CHECK(model.context_window == 32'768);
  CHECK(model.max_output_tokens == 4'096);
  REQUIRE(model.price);
  CHECK(model.price->input == NanoUsd{0});
  CHECK(model.price->cached_input == NanoUsd{0});
  CHECK(model.price->cache_write == NanoUsd{500'000'000});
  REQUIRE(model.price_above_200k);
  CHECK(model.price_above_200k->input == NanoUsd{1'250'000'000});
  CHECK_FALSE(model.price_above_200k->cached_input);
  CHECK(model.capabilities == std::vector<std::string>{"chat", "fim"});
  CHECK_FALSE(read("[model.m]\n").models.at("m").tags);
}

TEST_CASE("a lane may name a model that only the file knows") {
  const Settings settings = read("[lane.completion]\nmodel = \"mine\"\n[model.mine]\ncontext_window = 1\n");
  CHECK(settings.lanes.at("completion").model == "mine");
}

TEST_CASE("an alias stands for a model") {
  CHECK(read(k_sample).aliases.at("gpt-4o") == "gemini-2.5-pro");
}

TEST_CASE("port 0 and IPv6 may be listened on, and the host is kept without brackets") {
  CHECK(read("listen = \"127.0.0.1:0\"").listen_port == 0);
  const Settings v6 = read("listen = \"[::1]:6366\"");
  CHECK(v6.listen_host == "::1");
  CHECK(v6.listen_port == 6366);
  CHECK(read("listen = \"localhost:80\"").listen_host == "localhost");
}

TEST_CASE("an address that others reach is listened on when allow_remote says so, wherever that stands") {
  const Settings settings = read("listen = \"0.0.0.0:6366\"\nallow_remote = true\n");
  CHECK(settings.listen_host == "0.0.0.0");
  CHECK(settings.allow_remote);
}

TEST_CASE("an address from the command line obeys the same rule") {
  Settings settings = read("");
  CHECK(set_listen(settings, "127.0.0.2:81").ok());
  CHECK(settings.listen_host == "127.0.0.2");
  CHECK(settings.listen_port == 81);
  CHECK_FALSE(set_listen(settings, "0.0.0.0:81").ok());
  CHECK_FALSE(set_listen(settings, "nonsense").ok());
  CHECK(settings.listen_host == "127.0.0.2");
  settings.allow_remote = true;
  CHECK(set_listen(settings, "0.0.0.0:82").ok());
  CHECK(settings.listen_port == 82);
}

TEST_CASE("dotted keys, inline tables and Windows line ends are TOML too") {
  const Settings settings =
      read("lane.completion.strategy = \"cost\"\r\nrouting = { num_retries = 0, cooldown = \"0s\" }\r\n");
  CHECK(settings.lanes.at("completion").strategy == "cost");
  CHECK(settings.routing.num_retries == 0);
  CHECK(settings.routing.cooldown == 0s);
}
TEST_CASE("letters outside of ASCII are read wherever TOML has them and refused with their line elsewhere") {
  CHECK(read("allowed_hosts = [\"\"\"a\\\n  b\"\"\"] # é").allowed_hosts == std::vector<std::string>{"ab"});
  CHECK(read("[model.\"é€𝄞\"]\ntags = [\"\"\"x\\\n  é\"\"\", 'ü']\n").models.at("é€𝄞").tags ==
        std::vector<std::string>{"xé", "ü"});
  for (const char* bad :
       {"\né = 1\n", "\n[lane.Ғ]\n", "\nrequire_key = true é\n", "\nx = 0\"12é\n", "\nx = \"\\é\"\n"}) {
    CAPTURE(bad);
    const auto settings = parse_settings(bad, "nemo.toml");
    REQUIRE_FALSE(settings.ok());
    CHECK(settings.error().message.starts_with("nemo.toml:2:"));
  }
}

}  // namespace nemo::test::parse_settings_test
