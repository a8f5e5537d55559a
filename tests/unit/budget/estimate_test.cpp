#include "daemon/budget/estimate.h"

#include <doctest/doctest.h>

#include <limits>

namespace nemo::test::estimate_test {

using namespace nemo;
using budget::cautious_tokens;
using budget::Density;
using budget::PromptSize;
using budget::tokens_an_image;
using catalog::Model;

namespace {

Model model(const char* publisher, std::int64_t context_window = 0) {
  Model made;
  made.id = std::string(publisher) + "-model";
  made.publisher = publisher;
  made.context_window = context_window;
  return made;
}

// What a prompt of 10,000 bytes is bound by after `samples` calls whose prompts had `tokens` for 10,000 bytes.
std::int64_t bound_after(int samples, std::int64_t tokens) {
  Density density;
  for (int i = 0; i < samples; ++i) density.observe(model("google"), {10'000, 0, 0}, tokens);
  return density.input_tokens_bound(model("google"), {10'000, 0, 0});
}

const std::int64_t k_cautious = Density().input_tokens_bound(model("google"), {10'000, 0, 0});

}  // namespace

TEST_CASE("two bytes of ASCII or one of anything else are a token") {
  CHECK(cautious_tokens({0, 0, 0}) == 0);
  CHECK(cautious_tokens({10, 0, 0}) == 5);
  CHECK(cautious_tokens({11, 0, 0}) == 6);
  CHECK(cautious_tokens({0, 9, 0}) == 9);
  CHECK(cautious_tokens({11, 9, 0}) == 15);
}

TEST_CASE("a prompt is bound by more than its text: the chat template is read as well") {
  CHECK(k_cautious > 5'000);
  CHECK(k_cautious < 5'200);
  const Density density;
  CHECK(density.input_tokens_bound(model("google"), {2, 0, 0}) > 32);
  CHECK(density.input_tokens_bound(model("anthropic"), {2, 0, 0}) > 600);
}

TEST_CASE("each image counts by the publisher's rule") {
  const Density density;
  for (const char* publisher : {"google", "anthropic", "openai"}) {
    const Model one = model(publisher);
    CHECK(density.input_tokens_bound(one, {1'000, 0, 3}) - density.input_tokens_bound(one, {1'000, 0, 0}) ==
          3 * tokens_an_image(one));
  }
  CHECK(tokens_an_image(model("google")) >= 10 * 258);
  CHECK(tokens_an_image(model("anthropic")) >= 1'600);
  CHECK(tokens_an_image(model("openai")) >= 2'900);
}

TEST_CASE("a bound is never above the context window, if that is stated") {
  const Density density;
  CHECK(density.input_tokens_bound(model("google", 4'000), {10'000, 0, 0}) == 4'000);
  CHECK(density.input_tokens_bound(model("google", 4'000), {100, 0, 9}) == 4'000);
}

TEST_CASE("few calls do not lower the bound") {
  CHECK(bound_after(31, 2'000) == k_cautious);
}

TEST_CASE("after enough calls the densest text seen and a margin are the bound") {
  const std::int64_t bound = bound_after(32, 2'000);
  CHECK(bound < k_cautious);
  CHECK(bound > 2'400);
}

TEST_CASE("one dense text keeps the bound up for ever") {
  Density density;
  density.observe(model("google"), {10'000, 0, 0}, 3'000);
  for (int i = 0; i < 1'000; ++i) density.observe(model("google"), {10'000, 0, 0}, 1'000);
  CHECK(density.input_tokens_bound(model("google"), {10'000, 0, 0}) > 3'000);
}

TEST_CASE("a text denser than the cautious rule raises the bound at once") {
  CHECK(bound_after(1, 7'000) > 7'000);
}

TEST_CASE("prompts with images and tiny prompts teach nothing") {
  Density density;
  for (int i = 0; i < 100; ++i) {
    density.observe(model("google"), {10'000, 0, 1}, 9'000);
    density.observe(model("google"), {100, 0, 0}, 400);
    density.observe(model("google"), {10'000, 0, 0}, 0);
  }
  CHECK(density.input_tokens_bound(model("google"), {10'000, 0, 0}) == k_cautious);
}

TEST_CASE("each model has its own density") {
  Density density;
  for (int i = 0; i < 100; ++i) density.observe(model("google"), {10'000, 0, 0}, 2'000);
  CHECK(density.input_tokens_bound(model("mistralai"), {10'000, 0, 0}) == k_cautious);
}

TEST_CASE("absurd counts neither overflow nor raise the bound beyond a token a byte") {
  CHECK(bound_after(1, std::numeric_limits<std::int64_t>::max()) <= 12'600);
  const std::size_t most = std::numeric_limits<std::size_t>::max() / 2;
  Density density;
  density.observe(model("google"), {most, most, 0}, std::numeric_limits<std::int64_t>::max());
  CHECK(density.input_tokens_bound(model("google"), {most, most, std::numeric_limits<std::int64_t>::max()}) > 0);
}

}  // namespace nemo::test::estimate_test
