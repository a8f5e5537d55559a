#include "daemon/catalog/catalog.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace nemo::test::catalog_test {

using nemo::NanoUsd;
using nemo::catalog::builtin_models;
using nemo::catalog::Catalog;
using nemo::catalog::Model;
using nemo::catalog::ModelOverride;
using nemo::catalog::Price;

namespace {

Price price(std::int64_t input, std::int64_t output) {
  return Price{NanoUsd{input}, std::nullopt, std::nullopt, NanoUsd{output}};
}

std::string best(std::string_view asked) {
  const auto ids = Catalog().nearest(asked);
  return ids.empty() ? "" : ids.front();
}

}  // namespace

TEST_CASE("every built-in model is found by its id") {
  const Catalog catalog;
  CHECK(catalog.models().size() == builtin_models().size());
  for (const Model& model : builtin_models()) {
    const Model* found = catalog.find(model.id);
    REQUIRE(found != nullptr);
    CHECK(found->id == model.id);
  }
}

TEST_CASE("an unknown id is not found, however close it is") {
  const Catalog catalog;
  for (const char* id : {"", "gemini-2.5-flas", "gemini-2.5-flash ", "GEMINI-2.5-FLASH", "a", "zzz"}) {
    CHECK(catalog.find(id) == nullptr);
  }
}

TEST_CASE("models are sorted by id, those of the config among them") {
  const Catalog catalog({{"middle-model", ModelOverride{}}, {"aaa", ModelOverride{}}, {"zzz", ModelOverride{}}});
  CHECK(std::is_sorted(catalog.models().begin(), catalog.models().end(),
                       [](const Model& a, const Model& b) { return a.id < b.id; }));
  for (const char* id : {"aaa", "middle-model", "zzz", "gemini-2.5-flash"}) CHECK(catalog.find(id) != nullptr);
}

TEST_CASE("a model that only the config names chats, and has no price until one is given") {
  ModelOverride given;
  given.context_window = 32'768;
  const Catalog catalog({{"my-local-model", given}});
  const Model* model = catalog.find("my-local-model");
  REQUIRE(model != nullptr);
  CHECK(model->publisher == "config");
  CHECK(model->context_window == 32'768);
  CHECK(model->capabilities.chat);
  CHECK_FALSE(model->capabilities.fim);
  CHECK_FALSE(model->pricing);
}

TEST_CASE("what an override does not name keeps its built-in value") {
  ModelOverride given;
  given.max_output_tokens = 1'000;
  given.tags = {"eu"};
  const Catalog catalog({{"gemini-2.5-pro", given}});
  const Model* model = catalog.find("gemini-2.5-pro");
  REQUIRE(model != nullptr);
  CHECK(model->publisher == "google");
  CHECK(model->context_window == 1'048'576);
  CHECK(model->max_output_tokens == 1'000);
  CHECK(model->tags == std::vector<std::string>{"eu"});
  CHECK(model->capabilities.vision);
  CHECK(model->pricing->base.input == NanoUsd{1'250'000'000});
}

TEST_CASE("a model of the config may say whose it is") {
  ModelOverride given;
  given.publisher = "anthropic";
  CHECK(Catalog({{"my-claude", given}}).find("my-claude")->publisher == "anthropic");
}

TEST_CASE("an overriding price replaces the whole base price and leaves the tier") {
  ModelOverride given;
  given.price = price(7, 9);
  const Catalog catalog({{"gemini-2.5-pro", given}});
  const auto& pricing = catalog.find("gemini-2.5-pro")->pricing;
  REQUIRE(pricing);
  CHECK(pricing->base.input == NanoUsd{7});
  CHECK_FALSE(pricing->base.cached_input);
  CHECK(pricing->above_200k->input == NanoUsd{2'500'000'000});
}

TEST_CASE("an overriding tier replaces the tier and leaves the base price") {
  ModelOverride given;
  given.price_above_200k = price(7, 9);
  const Catalog catalog({{"gemini-2.5-flash", given}});
  const auto& pricing = catalog.find("gemini-2.5-flash")->pricing;
  REQUIRE(pricing);
  CHECK(pricing->base.input == NanoUsd{300'000'000});
  CHECK(pricing->above_200k->output == NanoUsd{9});
}

TEST_CASE("a tier alone does not make a model priced") {
  ModelOverride given;
  given.price_above_200k = price(7, 9);
  CHECK_FALSE(Catalog({{"new-model", given}}).find("new-model")->pricing);
}

TEST_CASE("overriding capabilities replaces all of them") {
  ModelOverride given;
  given.capabilities = {"chat", "fim"};
  const Catalog catalog({{"gemini-2.5-flash", given}});
  const auto& can = catalog.find("gemini-2.5-flash")->capabilities;
  CHECK(can.chat);
  CHECK(can.fim);
  CHECK_FALSE(can.vision);
  CHECK_FALSE(can.tools);
}

TEST_CASE("a misspelt id is answered with the one that was meant") {
  CHECK(best("gemini-2.5-flahs") == "gemini-2.5-flash");
  CHECK(best("gemini-2.5-pr") == "gemini-2.5-pro");
  CHECK(best("Gemini-2.5-Pro") == "gemini-2.5-pro");
  CHECK(best("google/gemini-2.5-flash") == "gemini-2.5-flash");
  CHECK(best("claude-sonnet-4-5") == "claude-sonnet-4-5@20250929");
  CHECK(best("claude-4-sonnet") == "claude-sonnet-4@20250514");
  CHECK(best("codestral-latest") == "codestral-2");
  CHECK(best("gpt-oss-120b") == "openai/gpt-oss-120b-maas");
}

TEST_CASE("a name without its version is answered with current models of that name") {
  const auto ids = Catalog().nearest("gemini-flash");
  CHECK(ids == std::vector<std::string>{"gemini-2.5-flash", "gemini-3.5-flash", "gemini-3.6-flash"});
}

TEST_CASE("a model of another house is answered with its namesakes, or with nothing") {
  for (const std::string& id : Catalog().nearest("gpt-4o")) CHECK(id.starts_with("openai/gpt-oss-"));
  CHECK(Catalog().nearest("gpt-4o").size() == 2);
  CHECK(Catalog().nearest("zzz").empty());
  CHECK(Catalog().nearest("").empty());
  CHECK(Catalog().nearest("---").empty());
}

TEST_CASE("no more suggestions than asked for, none twice") {
  const Catalog catalog;
  CHECK(catalog.nearest("gemini-flash", 1).size() == 1);
  CHECK(catalog.nearest("gemini-flash", 0).empty());
  auto ids = catalog.nearest("gemini", 100);
  std::sort(ids.begin(), ids.end());
  CHECK(std::adjacent_find(ids.begin(), ids.end()) == ids.end());
}

TEST_CASE("an id of a megabyte gets no suggestions") {
  CHECK(Catalog().nearest("gemini-2.5-flash" + std::string(1'000'000, 'h')).empty());
}

TEST_CASE("a model of the config is suggested like any other") {
  const Catalog catalog({{"my-local-model", ModelOverride{}}});
  REQUIRE_FALSE(catalog.nearest("my-locl-model").empty());
  CHECK(catalog.nearest("my-locl-model").front() == "my-local-model");
}

}  // namespace nemo::test::catalog_test
