// What a completion request is about, in the words of completion/. The request is in OpenAI's form (/v1/completions).
#pragma once

#include <optional>
#include <string>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/request_body.h"

namespace nemo::gateway {

struct CompletionText {
  std::string prefix;
  std::string suffix;
  // Every other field that can change an answer, as it stands in the body: all of them but prompt, suffix, model
  // (whoever asks knows which one answers), stream, stream_options, user, metadata and Nemo's own; and what the spec
  // says of tags, lane and fallbacks.
  std::string terms;
  bool has_hole = false;  // a suffix came, or marks for it
  bool may_share = true;  // one answer, and text alone: no n or best_of above 1, no logprobs, no echo
  bool is_steady = true;  // no temperature above k_steady_temperature
};

// Clients that want no chance send 0 or nearly 0.
inline constexpr double k_steady_temperature = 0.05;

// nullopt: it is not one text (a list, tokens), or asks for no answer (max_tokens 0).
std::optional<CompletionText> completion_text(const protocol::RequestBody& body, const call::CallSpec& spec);

}  // namespace nemo::gateway
