#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "daemon/catalog/catalog.h"

namespace nemo::test::builtin_models_test {

using nemo::NanoUsd;
using nemo::catalog::builtin_models;
using nemo::catalog::Model;

namespace {

const Model& row(const std::string& id) {
  const auto& models = builtin_models();
  const auto at = std::find_if(models.begin(), models.end(), [&](const Model& model) { return model.id == id; });
  REQUIRE_MESSAGE(at != models.end(), id);
  return *at;
}

bool tagged(const Model& model, const std::string& tag) {
  return std::find(model.tags.begin(), model.tags.end(), tag) != model.tags.end();
}

NanoUsd usd(const char* text) {
  return nemo::parse_dollars(text).value();
}

}  // namespace

TEST_CASE("gemini-2.5-flash costs what the price lists say, to the last digit") {
  const Model& model = row("gemini-2.5-flash");
  CHECK(model.publisher == "google");
  CHECK(model.context_window == 1'048'576);
  CHECK(model.max_output_tokens == 65'535);
  REQUIRE(model.pricing);
  CHECK(model.pricing->base.input == usd("0.30"));
  CHECK(model.pricing->base.cached_input == usd("0.03"));
  CHECK(model.pricing->base.cache_write == usd("0.383"));
  CHECK(model.pricing->base.output == usd("2.50"));
  CHECK_FALSE(model.pricing->above_200k);
  CHECK(model.tags == std::vector<std::string>{"code", "fast", "reasoning", "vision", "long-context"});
}

TEST_CASE("gemini-2.5-pro has a dearer tier above 200,000 tokens") {
  const Model& model = row("gemini-2.5-pro");
  REQUIRE(model.pricing);
  CHECK(model.pricing->base.input == usd("1.25"));
  CHECK(model.pricing->base.cached_input == usd("0.125"));
  CHECK_FALSE(model.pricing->base.cache_write);
  CHECK(model.pricing->base.output == usd("10"));
  REQUIRE(model.pricing->above_200k);
  CHECK(model.pricing->above_200k->input == usd("2.50"));
  CHECK(model.pricing->above_200k->cached_input == usd("0.25"));
  CHECK(model.pricing->above_200k->output == usd("15"));
}

TEST_CASE("codestral-2 fills in the middle, codes fast and has no cached price") {
  const Model& model = row("codestral-2");
  CHECK(model.publisher == "mistralai");
  CHECK(model.capabilities.fim);
  CHECK(model.capabilities.chat);
  CHECK_FALSE(model.capabilities.vision);
  REQUIRE(model.pricing);
  CHECK(model.pricing->base.input == usd("0.30"));
  CHECK_FALSE(model.pricing->base.cached_input);
  CHECK(model.pricing->base.output == usd("0.90"));
  CHECK(model.tags == std::vector<std::string>{"code", "fast"});
}

TEST_CASE("text-embedding-005 embeds and does nothing else") {
  const Model& model = row("text-embedding-005");
  CHECK(model.capabilities.embeddings);
  CHECK_FALSE(model.capabilities.chat);
  CHECK_FALSE(model.capabilities.tools);
  CHECK_FALSE(model.max_output_tokens);
  REQUIRE(model.pricing);
  CHECK(model.pricing->base.input == usd("0.1"));
  CHECK(model.pricing->base.output == usd("0"));
  CHECK(model.tags == std::vector<std::string>{"embedding"});
}

TEST_CASE("claude-sonnet-4-5 has cache prices and a tier") {
  const Model& model = row("claude-sonnet-4-5@20250929");
  CHECK(model.context_window == 200'000);
  CHECK(model.max_output_tokens == 64'000);
  REQUIRE(model.pricing);
  CHECK(model.pricing->base.input == usd("3"));
  CHECK(model.pricing->base.cached_input == usd("0.3"));
  CHECK(model.pricing->base.cache_write == usd("3.75"));
  CHECK(model.pricing->base.output == usd("15"));
  REQUIRE(model.pricing->above_200k);
  CHECK(model.pricing->above_200k->input == usd("6"));
  CHECK(model.pricing->above_200k->cached_input == usd("0.6"));
  CHECK(model.pricing->above_200k->output == usd("22.5"));
}

TEST_CASE("a price with five decimals is kept whole") {
  CHECK(row("gemini-2.0-flash-lite").pricing->base.cached_input == NanoUsd{18'750'000});
}

TEST_CASE("a deprecated model says since when") {
  CHECK(row("gemini-2.0-flash").deprecated_since == "2026-06-01");
  CHECK(row("text-embedding-004").deprecated_since == "2026-01-14");
  CHECK(row("gemini-2.5-flash").deprecated_since.empty());
}

TEST_CASE("there are 58 built-in models, each listed once, priced and with a context window") {
  std::set<std::string> ids;
  for (const Model& model : builtin_models()) {
    CAPTURE(model.id);
    CHECK(ids.insert(model.id).second);
    CHECK(model.pricing.has_value());
    CHECK(model.context_window > 0);
    CHECK_FALSE(model.publisher.empty());
  }
  CHECK(ids.size() == 58);
}

TEST_CASE("no stated price of a built-in model is below zero, and cached input never costs more than input") {
  for (const Model& model : builtin_models()) {
    CAPTURE(model.id);
    const auto& base = model.pricing->base;
    CHECK(base.input.value > 0);
    CHECK(base.output.value >= 0);
    if (base.cached_input) CHECK(*base.cached_input < base.input);
    if (model.pricing->above_200k) CHECK(model.pricing->above_200k->input > base.input);
  }
}

TEST_CASE("a model is tagged long-context from a million tokens of context on") {
  for (const Model& model : builtin_models()) {
    CAPTURE(model.id);
    CHECK(tagged(model, "long-context") == (model.context_window >= 1'000'000));
  }
}

TEST_CASE("a model either chats and calls tools, or embeds") {
  for (const Model& model : builtin_models()) {
    CAPTURE(model.id);
    CHECK(model.capabilities.chat != model.capabilities.embeddings);
    CHECK(model.capabilities.chat == model.capabilities.tools);
    CHECK(tagged(model, "embedding") == model.capabilities.embeddings);
    CHECK(tagged(model, "vision") == model.capabilities.vision);
    CHECK(tagged(model, "reasoning") == model.capabilities.reasoning);
  }
}

TEST_CASE("the completion lane's usual models carry the tag code") {
  for (const char* id : {"gemini-2.5-flash", "gemini-2.5-flash-lite", "gemini-2.5-pro", "codestral-2",
                         "qwen/qwen3-coder-480b-a35b-instruct-maas", "claude-opus-5@default"}) {
    CAPTURE(id);
    CHECK(tagged(row(id), "code"));
  }
  CHECK_FALSE(tagged(row("text-embedding-005"), "code"));
  CHECK_FALSE(tagged(row("gemini-2.5-flash-image"), "code"));
}

}  // namespace nemo::test::builtin_models_test
