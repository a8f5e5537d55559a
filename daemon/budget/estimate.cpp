#include "daemon/budget/estimate.h"

#include <algorithm>
#include <limits>

namespace nemo::budget {
namespace {

constexpr std::int64_t k_enough_samples = 32;
constexpr std::int64_t k_margin_millis = 1'250;  // a quarter on top of the densest text seen
// Shorter prompts are mostly what a chat template and tools add, which says nothing about text.
constexpr std::int64_t k_smallest_sample = 512;  // cautious tokens
// No token is shorter than a byte, so nothing true is denser than two tokens where the cautious rule sees one.
constexpr std::int64_t k_densest_possible = 2'000;
constexpr std::int64_t k_one = 1'000;  // a density of one token per cautious token
// Keeps products with a density in 64 bits. No body that is let in has as many.
constexpr std::int64_t k_most_tokens = std::numeric_limits<std::int64_t>::max() / (4 * k_margin_millis * k_one);

std::int64_t times_millis(std::int64_t tokens, std::int64_t millis) {
  return (tokens * millis + k_one - 1) / k_one;
}

// What models read besides the request: a chat template, and the instructions that come with tools.
std::int64_t template_tokens(const catalog::Model& model) {
  if (model.publisher == "google" || model.publisher == "mistralai") return 64;
  if (model.publisher == "anthropic") return 640;  // their tool instructions alone are up to some 600
  return 256;
}

}  // namespace

std::int64_t cautious_tokens(const PromptSize& size) {
  const std::size_t tokens = size.ascii_bytes / 2 + size.ascii_bytes % 2 + size.other_bytes;
  return static_cast<std::int64_t>(std::min<std::size_t>(tokens, k_most_tokens));
}

std::int64_t tokens_an_image(const catalog::Model& model) {
  // 258 a tile. A picture is cut along its shorter side, so that only a long strip has more than 16 tiles.
  if (model.publisher == "google") return std::int64_t{16} * 258;
  // Width times height by 750: 1,600 after the usual shrinking, three times that for models that take larger pictures.
  if (model.publisher == "anthropic") return 4'800;
  // High detail by tiles or patches: 1,500 to 2,900 where it is stated, up to 4,096 for open models.
  return 4'096;
}

std::int64_t Density::input_tokens_bound(const catalog::Model& model, const PromptSize& size) const {
  const Seen seen = m_seen.with([&](const std::map<std::string, Seen>& all) {
    const auto found = all.find(model.id);
    return found == all.end() ? Seen{} : found->second;
  });
  const std::int64_t learned = seen.densest_millis * k_margin_millis / k_one;
  const std::int64_t millis = seen.samples >= k_enough_samples ? learned : std::max(k_one, learned);
  const std::int64_t images = std::clamp<std::int64_t>(size.images, 0, k_most_tokens / tokens_an_image(model));
  const std::int64_t bound =
      times_millis(cautious_tokens(size), millis) + images * tokens_an_image(model) + template_tokens(model);
  return model.context_window > 0 ? std::min(bound, model.context_window) : bound;
}

void Density::observe(const catalog::Model& model, const PromptSize& size, std::int64_t input_tokens) {
  const std::int64_t cautious = cautious_tokens(size);
  if (size.images > 0 || cautious < k_smallest_sample || input_tokens <= 0) return;
  const std::int64_t tokens = std::min(input_tokens, k_most_tokens);
  const std::int64_t density = std::min((tokens * k_one + cautious - 1) / cautious, k_densest_possible);
  m_seen.with([&](std::map<std::string, Seen>& all) {
    Seen& seen = all[model.id];
    ++seen.samples;
    seen.densest_millis = std::max(seen.densest_millis, density);
  });
}

}  // namespace nemo::budget
