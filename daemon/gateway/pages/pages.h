// What clients ask beside calls: which models there are, how many tokens a text has, whether anybody is there. Answered
// from the snapshot alone, in each client API's own shape; no upstream is asked and no row is written.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/access/key_book.h"
#include "daemon/call/surface.h"
#include "daemon/gateway/answer.h"
#include "daemon/gateway/live.h"
#include "shared/clock.h"
#include "shared/secret.h"

namespace nemo::gateway {

enum class Page : std::uint8_t {
  call,  // not a page: a call of its surface
  root,
  health,
  openai_models,
  openai_model,
  messages_count_tokens,
  gemini_models,
  gemini_model,
  gemini_count_tokens,
  ollama_version,
  ollama_tags,
  ollama_show,
  ollama_ps,
  llamacpp_props,
  llamacpp_tokenize,
};

struct PageRequest {
  Page page = Page::root;
  call::Surface surface = call::Surface::openai_chat;  // in whose shape errors are told
  std::string rest;                                    // of a model's page: its id
  std::string body;                                    // of a POST
  Secret key;                                          // as presented; empty: none
};

// Any thread. What it is made from outlives it.
class Pages {
 public:
  Pages(const Live& live, const access::KeyBook& keys, const Clock& clock)
      : m_live(live), m_keys(keys), m_clock(clock) {}

  Answer answer(const PageRequest& request) const;

 private:
  const Live& m_live;
  const access::KeyBook& m_keys;
  const Clock& m_clock;
};

}  // namespace nemo::gateway
