#include "daemon/make_table.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/daemon/world.h"

namespace nemo::test::make_table_test {

using namespace nemo;
using nemo::test::settings_of;

namespace {

using Ids = std::vector<std::string>;

const std::string k_two =
    "[[upstream]]\nname = \"a\"\nbase_url = \"http://a/v1\"\n"
    "[[upstream]]\nname = \"b\"\nbase_url = \"http://b/v1\"\nunpriced = \"allow\"\n";
const std::string k_vertex = "[[upstream]]\nname = \"v\"\nkind = \"vertex\"\n";
const std::string k_anthropic = "[[upstream]]\nname = \"an\"\nkind = \"anthropic\"\nkey = \"env:K\"\n";

std::string deployment(const std::string& model, const std::string& upstream, const std::string& more = {}) {
  return "[[deployment]]\nmodel = \"" + model + "\"\nupstream = \"" + upstream + "\"\n" + more + "\n";
}

routing::Table table_of(const std::string& text, const UpstreamStates& states = {},
                        const std::vector<routing::Experiment>& experiments = {}) {
  const config::Settings settings = settings_of(text);
  return make_table(settings, make_catalog(settings, states), states, experiments);
}

Ids ids_of(const routing::Table& table) {
  Ids ids;
  for (const routing::Deployment& one : table.deployments) ids.push_back(one.id);
  return ids;
}

const routing::Deployment& find(const routing::Table& table, const std::string& id) {
  const auto at = std::find_if(table.deployments.begin(), table.deployments.end(),
                               [&](const routing::Deployment& one) { return one.id == id; });
  REQUIRE_MESSAGE(at != table.deployments.end(), id);
  return *at;
}

bool has(const routing::Table& table, const std::string& id) {
  const Ids ids = ids_of(table);
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

UpstreamState listing(std::set<std::string> ids) {
  return {true, std::move(ids)};
}

routing::Experiment experiment(routing::ExperimentState state) {
  routing::Experiment one;
  one.name = "e";
  one.lane = "completion";
  one.arms = {{"gemini-2.5-flash", 50}, {"codestral-2", 50}};
  one.state = state;
  return one;
}

}  // namespace

TEST_CASE("a deployment of the config comes with all that it says") {
  const auto table = table_of(k_two + deployment("codestral-2", "b",
                                                 "upstream_model = \"codestral\"\nweight = 3\norder = 2\n"
                                                 "tags = [\"eu\"]\nrpm = 600\non_disconnect = \"drain\""));
  const routing::Deployment& one = find(table, "codestral-2@b");
  CHECK(one.model == "codestral-2");
  CHECK(one.upstream == "b");
  CHECK(one.upstream_model == "codestral");
  CHECK(one.weight == 3);
  CHECK(one.order == 2);
  CHECK(one.tags == Ids{"eu"});
  CHECK(one.rpm == 600);
  CHECK(one.drain_on_disconnect);
  CHECK(one.unpriced_allowed);
  CHECK_FALSE(one.keyless);
}

TEST_CASE("two deployments of one model at one upstream have two ids") {
  const auto table = table_of(k_two + deployment("codestral-2", "a") + deployment("codestral-2", "b") +
                              deployment("codestral-2", "a", "tags = [\"eu\"]") +
                              deployment("codestral-2", "a", "upstream_model = \"c\""));
  CHECK(ids_of(table) == Ids{"codestral-2@a", "codestral-2@b", "codestral-2@a#2", "codestral-2@a#3"});
  CHECK(find(table, "codestral-2@a#2").tags == Ids{"eu"});
}

TEST_CASE("an upstream without deployments serves what it lists, and one with deployments only those") {
  const UpstreamStates states{{"a", listing({"codestral-2", "gemini-2.5-pro"})}, {"b", listing({"codestral-2"})}};
  const auto table = table_of(k_two + deployment("gemini-2.5-flash", "b"), states);
  CHECK(ids_of(table) == Ids{"gemini-2.5-flash@b", "codestral-2@a", "gemini-2.5-pro@a"});
}

TEST_CASE("what only an upstream lists is a model without a price") {
  const UpstreamStates states{{"a", listing({"qwen3:8b"})}, {"b", listing({})}};
  const config::Settings settings = settings_of(k_two);
  const catalog::Catalog catalog = make_catalog(settings, states);
  REQUIRE(catalog.find("qwen3:8b") != nullptr);
  CHECK_FALSE(catalog.find("qwen3:8b")->pricing);
  CHECK(ids_of(make_table(settings, catalog, states, {})) == Ids{"qwen3:8b@a"});
}

TEST_CASE("what the config says of a model that an upstream lists holds") {
  const UpstreamStates states{{"a", listing({"mine"})}};
  const auto catalog =
      make_catalog(settings_of(k_two + "[model.mine]\nprice = { input = \"1\", output = \"2\" }\n"), states);
  CHECK(catalog.find("mine")->pricing.has_value());
}

TEST_CASE("deployments at an upstream without its key or credentials are there, and never eligible") {
  const UpstreamStates states{{"a", {false, {}}}};
  CHECK(find(table_of(k_two + deployment("codestral-2", "a"), states), "codestral-2@a").keyless);
  CHECK(find(table_of(k_two, states), "codestral-2@a").keyless);
  CHECK_FALSE(find(table_of(k_two, states), "codestral-2@b").keyless);
}

TEST_CASE("Vertex AI serves every built-in model that is spoken there, without having been asked, and no other") {
  const auto table = table_of(k_vertex + "[model.mine]\n", {{"v", UpstreamState{}}});
  for (const char* id : {"gemini-2.5-flash@v", "claude-sonnet-4-5@20250929@v", "codestral-2@v", "text-embedding-005@v",
                         "gemini-embedding-2@v", "openai/gpt-oss-120b-maas@v"}) {
    CAPTURE(id);
    CHECK(has(table, id));
  }
  CHECK(find(table, "claude-sonnet-4-5@20250929@v").upstream_model == "claude-sonnet-4-5@20250929");
  CHECK_FALSE(has(table, "mine@v"));
  CHECK_FALSE(has(table, "multimodalembedding@001@v"));
  CHECK(table.deployments.size() == catalog::builtin_models().size() - 1);
}

TEST_CASE("what another upstream lists is not taken for a model of Vertex AI") {
  const UpstreamStates states{{"a", listing({"qwen3:8b"})}, {"b", listing({})}, {"v", UpstreamState{}}};
  const auto table = table_of(k_two + k_vertex, states);
  CHECK(has(table, "qwen3:8b@a"));
  CHECK_FALSE(has(table, "qwen3:8b@v"));
}

TEST_CASE("Anthropic serves the Claude models that it lists, under its own names") {
  const UpstreamStates states{{"an", listing({"claude-sonnet-4-5-20250929", "claude-opus-4-6"})}};
  const auto table = table_of(k_anthropic, states);
  CHECK(ids_of(table) == Ids{"claude-opus-4-6@default@an", "claude-sonnet-4-5@20250929@an"});
  CHECK(find(table, "claude-opus-4-6@default@an").upstream_model == "claude-opus-4-6");
  CHECK(find(table, "claude-sonnet-4-5@20250929@an").upstream_model == "claude-sonnet-4-5-20250929");
}

TEST_CASE("while Anthropic's list is not known it is taken to serve every Claude model, and nothing else") {
  const auto table = table_of(k_anthropic);
  CHECK(has(table, "claude-opus-5@default@an"));
  for (const routing::Deployment& one : table.deployments) {
    CAPTURE(one.id);
    CHECK(one.model.starts_with("claude-"));
    CHECK(one.upstream_model.find('@') == std::string::npos);
  }
}

TEST_CASE("a Claude model that the catalog has is not in it a second time under Anthropic's name") {
  const UpstreamStates states{{"an", listing({"claude-sonnet-4-5-20250929", "claude-next-1"})}};
  const config::Settings settings = settings_of(k_anthropic);
  const catalog::Catalog catalog = make_catalog(settings, states);
  CHECK(catalog.find("claude-sonnet-4-5-20250929") == nullptr);
  REQUIRE(catalog.find("claude-next-1") != nullptr);
  CHECK(catalog.find("claude-next-1")->publisher == "anthropic");
  CHECK(ids_of(make_table(settings, catalog, states, {})) == Ids{"claude-next-1@an", "claude-sonnet-4-5@20250929@an"});
}

TEST_CASE("a lane comes with its strategy, and one that names none shuffles") {
  const auto table = table_of(
      "[lane.completion]\nstrategy = \"cost\"\ntags = [\"eu\"]\nfallbacks = [\"codestral-2\"]\n"
      "[lane.mine]\nmodel = \"codestral-2\"\n");
  CHECK(table.lanes.at("completion").strategy == routing::Strategy::cost);
  CHECK(table.lanes.at("completion").fallbacks == Ids{"codestral-2"});
  CHECK(table.lanes.at("completion").tags == Ids{"eu"});
  CHECK(table.lanes.at("reasoning").strategy == routing::Strategy::least_busy);
  CHECK(table.lanes.at("mine").strategy == routing::Strategy::simple_shuffle);
}

TEST_CASE("of the experiments only those that run are in the table") {
  using State = routing::ExperimentState;
  for (const State state : {State::draft, State::paused, State::completed}) {
    CHECK(table_of("", {}, {experiment(state)}).experiments.empty());
  }
  REQUIRE(table_of("", {}, {experiment(State::running)}).experiments.size() == 1);
}

TEST_CASE("an experiment whose lane or model is gone is left out, with what to change") {
  routing::Experiment one = experiment(routing::ExperimentState::running);
  one.lane = "gone";
  CHECK(table_of("", {}, {one}).experiments.empty());
  const config::Settings settings = settings_of("");
  const auto no_lane = can_run(one, settings, catalog::Catalog());
  REQUIRE_FALSE(no_lane.ok());
  CHECK(no_lane.error().kind == ErrorKind::conflict);
  CHECK(no_lane.error().message.find("[lane.gone]") != std::string::npos);
  CHECK(no_lane.error().message.find("completion, reasoning") != std::string::npos);

  one = experiment(routing::ExperimentState::running);
  one.arms[1].model = "nothing-like-it";
  CHECK(table_of("", {}, {one}).experiments.empty());
  const auto no_model = can_run(one, settings, catalog::Catalog());
  REQUIRE_FALSE(no_model.ok());
  CHECK(no_model.error().message.find("[model.\"nothing-like-it\"]") != std::string::npos);
}

TEST_CASE("the rules of health are the config's, and no first cooldown is longer than the longest") {
  config::Routing routing;
  routing.allowed_fails = 7;
  routing.cooldown = std::chrono::seconds(9);
  CHECK(health_rules(routing).allowed_fails == 7);
  CHECK(health_rules(routing).cooldown == std::chrono::seconds(9));
  CHECK(health_rules(routing).longest == routing::HealthRules{}.longest);
  routing.cooldown = std::chrono::hours(1);
  CHECK(health_rules(routing).longest == std::chrono::hours(1));
}

}  // namespace nemo::test::make_table_test
