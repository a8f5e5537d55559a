// The models that ship with the program: chat, completion and embedding models served on Google Vertex AI.
//
// Prices are dollars per million tokens, on demand, as three public price lists had them by November 2026: LiteLLM's
// model_prices_and_context_window.json (copy of 2026-08-01), models.dev (2026-07-02) and genai-prices (2026-08-21).
// Where they differ, the row has LiteLLM's figure, then models.dev's, then genai-prices'. None of them is an invoice:
// a [model."id"] price in nemo.toml replaces a row. Two rows worth knowing: genai-prices has gemini-3.6-flash at half
// of what stands here until 2027-01-01, and the lists disagree on whether claude-opus-4-6 to 4-8 cost more above
// 200,000 tokens.
#include <array>
#include <stdexcept>

#include "daemon/catalog/catalog.h"

namespace nemo::catalog {
namespace {

enum Trait : unsigned {
  k_code = 1U << 0U,
  k_fast = 1U << 1U,
  k_reasons = 1U << 2U,
  k_vision = 1U << 3U,
  k_fim = 1U << 4U,
  k_embeds = 1U << 5U,  // and does not chat; every other model chats and calls tools
};

// Reads "0.30" at compile time. A text that is not an amount stops the build, because throw is no constant.
consteval NanoUsd dollars(std::string_view text) {
  constexpr int k_decimals = 9;
  std::int64_t value = 0;
  int decimals = -1;  // before the point
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9' || decimals == k_decimals) throw std::invalid_argument("not an amount");
    value = value * 10 + (c - '0');
    if (decimals >= 0) ++decimals;
  }
  if (text.empty()) throw std::invalid_argument("no amount");
  for (int i = decimals < 0 ? 0 : decimals; i < k_decimals; ++i) value *= 10;
  return {value};
}

// "INPUT CACHED_INPUT CACHE_WRITE OUTPUT", "-" for what no list states; "" for no price at all.
struct PriceText {
  consteval PriceText(const char* line) {  // NOLINT(google-explicit-constructor): a table reads better without
    std::array<std::string_view, 4> column{};
    std::string_view rest = line;
    if (rest.empty()) return;
    for (std::string_view& text : column) {
      text = rest.substr(0, rest.find(' '));
      rest.remove_prefix(rest.size() == text.size() ? text.size() : text.size() + 1);
    }
    if (!rest.empty()) throw std::invalid_argument("a price has four columns");
    stated = true;
    price.input = dollars(column[0]);
    if (column[1] != "-") price.cached_input = dollars(column[1]);
    if (column[2] != "-") price.cache_write = dollars(column[2]);
    price.output = dollars(column[3]);
  }

  bool stated = false;
  Price price{};
};

struct Row {
  std::string_view id;
  std::string_view publisher;
  std::int64_t context_window;
  std::int64_t max_output_tokens;  // 0: not stated
  PriceText price;
  PriceText price_above_200k;
  unsigned traits;
  std::string_view deprecated_since = {};
};

// clang-format off
constexpr Row k_rows[] = {
    // Gemini
    {"gemini-2.0-flash",          "google", 1'048'576,  8'192, "0.10 0.025 - 0.40",    "",                  k_vision | k_fast, "2026-06-01"},
    {"gemini-2.0-flash-001",      "google", 1'048'576,  8'192, "0.15 0.0375 - 0.60",   "",                  k_vision | k_fast, "2026-06-01"},
    {"gemini-2.0-flash-lite",     "google", 1'048'576,  8'192, "0.075 0.01875 - 0.30", "",                  k_vision | k_fast, "2026-06-01"},
    {"gemini-2.0-flash-lite-001", "google", 1'048'576,  8'192, "0.075 0.01875 - 0.30", "",                  k_vision | k_fast, "2026-06-01"},
    {"gemini-2.5-flash-lite",     "google", 1'048'576, 65'535, "0.10 0.01 - 0.40",     "",                  k_vision | k_reasons | k_code | k_fast},
    {"gemini-2.5-flash",          "google", 1'048'576, 65'535, "0.30 0.03 0.383 2.50", "",                  k_vision | k_reasons | k_code | k_fast},
    {"gemini-2.5-pro",            "google", 1'048'576, 65'535, "1.25 0.125 - 10.00",   "2.50 0.25 - 15.00", k_vision | k_reasons | k_code},
    {"gemini-2.5-flash-image",    "google",    32'768, 32'768, "0.30 0.03 - 2.50",     "",                  k_vision},
    {"gemini-3-pro-preview",      "google", 1'048'576, 65'535, "2.00 0.20 - 12.00",    "4.00 0.40 - 18.00", k_vision | k_reasons | k_code, "2026-03-26"},
    {"gemini-3-flash-preview",    "google", 1'048'576, 65'535, "0.50 0.05 - 3.00",     "",                  k_vision | k_reasons | k_code | k_fast},
    {"gemini-3.1-pro-preview",    "google", 1'048'576, 65'536, "2.00 0.20 - 12.00",    "4.00 0.40 - 18.00", k_vision | k_reasons | k_code},
    {"gemini-3.1-flash-lite",     "google", 1'048'576, 65'536, "0.25 0.025 - 1.50",    "",                  k_vision | k_reasons | k_code | k_fast},
    {"gemini-3.5-flash",          "google", 1'048'576, 65'535, "1.50 0.15 - 9.00",     "",                  k_vision | k_reasons | k_code | k_fast},
    {"gemini-3.5-flash-lite",     "google", 1'048'576, 65'536, "0.30 0.03 - 2.50",     "",                  k_vision | k_reasons | k_code | k_fast},
    {"gemini-3.6-flash",          "google", 1'048'576, 65'536, "1.50 0.15 - 7.50",     "",                  k_vision | k_reasons | k_code | k_fast},
    // Claude
    {"claude-haiku-4-5@20251001",  "anthropic",   200'000,   8'192, "1.00 0.10 1.25 5.00",    "",                  k_vision | k_reasons | k_code | k_fast},
    {"claude-sonnet-4@20250514",   "anthropic", 1'000'000,  64'000, "3.00 0.30 3.75 15.00",   "6.00 0.60 - 22.50", k_vision | k_reasons | k_code},
    {"claude-sonnet-4-5@20250929", "anthropic",   200'000,  64'000, "3.00 0.30 3.75 15.00",   "6.00 0.60 - 22.50", k_vision | k_reasons | k_code},
    {"claude-sonnet-4-6@default",  "anthropic", 1'000'000,  64'000, "3.00 0.30 3.75 15.00",   "",                  k_vision | k_reasons | k_code},
    {"claude-sonnet-5@default",    "anthropic", 1'000'000, 128'000, "2.00 0.20 2.50 10.00",   "",                  k_vision | k_reasons | k_code},
    {"claude-opus-4@20250514",     "anthropic",   200'000,  32'000, "15.00 1.50 18.75 75.00", "",                  k_vision | k_reasons | k_code},
    {"claude-opus-4-1@20250805",   "anthropic",   200'000,  32'000, "15.00 1.50 18.75 75.00", "",                  k_vision | k_reasons | k_code},
    {"claude-opus-4-5@20251101",   "anthropic",   200'000,  64'000, "5.00 0.50 6.25 25.00",   "",                  k_vision | k_reasons | k_code},
    {"claude-opus-4-6@default",    "anthropic", 1'000'000, 128'000, "5.00 0.50 6.25 25.00",   "",                  k_vision | k_reasons | k_code},
    {"claude-opus-4-7@default",    "anthropic", 1'000'000, 128'000, "5.00 0.50 6.25 25.00",   "",                  k_vision | k_reasons | k_code},
    {"claude-opus-4-8@default",    "anthropic", 1'000'000, 128'000, "5.00 0.50 6.25 25.00",   "",                  k_vision | k_reasons | k_code},
    {"claude-opus-5@default",      "anthropic", 1'000'000, 128'000, "5.00 0.50 6.25 25.00",   "",                  k_vision | k_reasons | k_code},
    {"claude-3-5-haiku@20241022",  "anthropic",   200'000,   8'192, "1.00 0.08 1.00 5.00",    "",                  k_vision | k_code | k_fast},
    // Mistral
    {"codestral-2",        "mistralai", 128'000, 128'000, "0.30 - - 0.90", "", k_fim | k_code | k_fast},
    {"codestral-2501",     "mistralai", 128'000, 128'000, "0.20 - - 0.60", "", k_fim | k_code | k_fast},
    {"mistral-medium-3",   "mistralai", 128'000,   8'191, "0.40 - - 2.00", "", k_code},
    {"mistral-small-2503", "mistralai", 128'000, 128'000, "1.00 - - 3.00", "", k_vision | k_fast},
    {"mistral-large-2411", "mistralai", 128'000,   8'191, "2.00 - - 6.00", "", k_code},
    // open models and Grok, as a service
    {"meta/llama-4-maverick-17b-128e-instruct-maas", "meta",         1'000'000,  1'000'000, "0.35 - - 1.15",     "", k_vision},
    {"meta/llama-4-scout-17b-16e-instruct-maas",     "meta",        10'000'000, 10'000'000, "0.25 - - 0.70",     "", k_fast},
    {"meta/llama-3.3-70b-instruct-maas",             "meta",           128'000,      8'192, "0.72 - - 0.72",     "", 0},
    {"qwen/qwen3-coder-480b-a35b-instruct-maas",     "qwen",           262'144,     32'768, "1.00 - - 4.00",     "", k_code},
    {"qwen/qwen3-235b-a22b-instruct-2507-maas",      "qwen",           262'144,     16'384, "0.25 - - 1.00",     "", k_reasons | k_code},
    {"qwen/qwen3-next-80b-a3b-instruct-maas",        "qwen",           262'144,    262'144, "0.15 - - 1.20",     "", k_code | k_fast},
    {"qwen/qwen3-next-80b-a3b-thinking-maas",        "qwen",           262'144,    262'144, "0.15 - - 1.20",     "", k_reasons | k_code | k_fast},
    {"deepseek-ai/deepseek-v3.2-maas",               "deepseek-ai",    163'840,     32'768, "0.56 0.056 - 1.68", "", k_reasons | k_code},
    {"deepseek-ai/deepseek-v3.1-maas",               "deepseek-ai",    163'840,     32'768, "1.35 - - 5.40",     "", k_reasons | k_code},
    {"deepseek-ai/deepseek-r1-0528-maas",            "deepseek-ai",     65'336,      8'192, "1.35 - - 5.40",     "", k_reasons | k_code},
    {"openai/gpt-oss-120b-maas",                     "openai",         131'072,     32'768, "0.15 - - 0.60",     "", k_reasons | k_code},
    {"openai/gpt-oss-20b-maas",                      "openai",         131'072,     32'768, "0.075 - - 0.30",    "", k_reasons | k_code | k_fast},
    {"moonshotai/kimi-k2-thinking-maas",             "moonshotai",     256'000,    256'000, "0.60 - - 2.50",     "", k_reasons | k_code},
    {"zai-org/glm-4.7-maas",                         "zai-org",        200'000,    128'000, "0.60 - - 2.20",     "", k_reasons | k_code},
    {"zai-org/glm-5-maas",                           "zai-org",        200'000,    128'000, "1.00 0.10 - 3.20",  "", k_reasons | k_code},
    {"minimaxai/minimax-m2-maas",                    "minimaxai",      196'608,    196'608, "0.30 - - 1.20",     "", k_code},
    {"google/gemma-4-26b-a4b-it-maas",               "google",         256'000,    128'000, "0.15 - - 0.60",     "", k_vision | k_fast},
    {"xai/grok-4.1-fast-reasoning",                  "xai",          2'000'000,  2'000'000, "0.20 0.05 - 0.50",  "", k_vision | k_reasons | k_code | k_fast},
    {"xai/grok-4.20-reasoning",                      "xai",          2'000'000,  2'000'000, "2.00 0.20 - 6.00",  "", k_vision | k_reasons | k_code},
    // embeddings
    {"text-embedding-004",              "google", 2'048, 0, "0.10 - - 0", "", k_embeds, "2026-01-14"},
    {"text-embedding-005",              "google", 2'048, 0, "0.10 - - 0", "", k_embeds},
    {"text-multilingual-embedding-002", "google", 2'048, 0, "0.10 - - 0", "", k_embeds},
    {"gemini-embedding-001",            "google", 2'048, 0, "0.15 - - 0", "", k_embeds},
    {"gemini-embedding-2",              "google", 8'192, 0, "0.20 - - 0", "", k_embeds},
    {"multimodalembedding@001",         "google", 2'048, 0, "0.80 - - 0", "", k_embeds | k_vision},
};
// clang-format on

constexpr std::int64_t k_long_context = 1'000'000;  // tokens, from which a model is tagged long-context

std::vector<std::string> tags_of(const Row& row) {
  std::vector<std::string> tags;
  const auto add_if = [&tags](bool carried, const char* tag) {
    if (carried) tags.emplace_back(tag);
  };
  add_if((row.traits & k_code) != 0, "code");
  add_if((row.traits & k_fast) != 0, "fast");
  add_if((row.traits & k_reasons) != 0, "reasoning");
  add_if((row.traits & k_vision) != 0, "vision");
  add_if(row.context_window >= k_long_context, "long-context");
  add_if((row.traits & k_embeds) != 0, "embedding");
  return tags;
}

Model model_of(const Row& row) {
  Model model;
  model.id = row.id;
  model.publisher = row.publisher;
  model.context_window = row.context_window;
  if (row.max_output_tokens > 0) model.max_output_tokens = row.max_output_tokens;
  if (row.price.stated) model.pricing = Pricing{row.price.price, std::nullopt};
  if (model.pricing && row.price_above_200k.stated) model.pricing->above_200k = row.price_above_200k.price;
  const bool embeds = (row.traits & k_embeds) != 0;
  model.capabilities.chat = !embeds;
  model.capabilities.tools = !embeds;
  model.capabilities.vision = (row.traits & k_vision) != 0;
  model.capabilities.fim = (row.traits & k_fim) != 0;
  model.capabilities.reasoning = (row.traits & k_reasons) != 0;
  model.capabilities.embeddings = embeds;
  model.tags = tags_of(row);
  model.deprecated_since = row.deprecated_since;
  return model;
}

}  // namespace

const std::vector<Model>& builtin_models() {
  static const std::vector<Model> models = [] {
    std::vector<Model> made;
    made.reserve(std::size(k_rows));
    for (const Row& row : k_rows) made.push_back(model_of(row));
    return made;
  }();
  return models;
}

}  // namespace nemo::catalog
