// How many tokens a prompt can have at most: meant to be too high, and less so with every call that is seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "daemon/call/prompt_size.h"
#include "daemon/catalog/model.h"
#include "shared/guarded.h"

namespace nemo::budget {

using call::PromptSize;

// Two bytes of ASCII, or one of anything else, are one token at most; nobody's tokenizer does worse on real text.
std::int64_t cautious_tokens(const PromptSize& size);
// The most that one image counts for, by the publisher's rule.
std::int64_t tokens_an_image(const catalog::Model& model);

// Learns per model how dense text really is. Any thread.
class Density {
 public:
  // An upper bound: cautious until k_enough_samples calls were seen, then by the densest of them and a margin, never
  // below it.
  std::int64_t input_tokens_bound(const catalog::Model& model, const PromptSize& size) const;
  // What upstream counted for a prompt of that size.
  void observe(const catalog::Model& model, const PromptSize& size, std::int64_t input_tokens);

 private:
  struct Seen {
    std::int64_t samples = 0;
    std::int64_t densest_millis = 0;  // tokens per 1,000 cautious tokens
  };
  Guarded<std::map<std::string, Seen>> m_seen;
};

}  // namespace nemo::budget
