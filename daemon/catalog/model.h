// One model: what it can do and what it costs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/call/fim_form.h"
#include "shared/money.h"

namespace nemo::catalog {

// Nano-dollars per million tokens, so that any price with nine decimals is exact.
struct Price {
  NanoUsd input;
  std::optional<NanoUsd> cached_input;  // not stated: cached tokens cost as much as others
  std::optional<NanoUsd> cache_write;
  NanoUsd output;
};

struct Pricing {
  Price base;
  std::optional<Price> above_200k;  // for the whole call once its input is above 200,000 tokens
};

struct Capabilities {
  bool chat = false;
  bool tools = false;
  bool vision = false;
  bool fim = false;  // answers a prompt with a suffix natively
  bool reasoning = false;
  bool embeddings = false;
};

struct Model {
  std::string id;
  std::string publisher;            // "google", "anthropic", …; "config" when only the config names it
  std::int64_t context_window = 0;  // tokens; 0: not stated
  std::optional<std::int64_t> max_output_tokens;
  std::optional<Pricing> pricing;  // absent: nobody has stated a price
  Capabilities capabilities;
  std::optional<call::FimForm> fim;  // how it is told of a hole; absent: nobody has said
  std::vector<std::string> tags;     // code, fast, reasoning, vision, long-context, embedding, and the config's own
  std::string deprecated_since;      // "2026-06-01", empty: current
};

}  // namespace nemo::catalog
