// /v1/completions served by an upstream that only has chat: the prompt becomes a chat, the answer keeps the legacy
// shape. Source: OpenAI API reference, completions (legacy).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/request_body.h"
#include "daemon/stream/translator.h"
#include "shared/result.h"

namespace nemo::protocol {

// Chat models like to put code between ``` lines, which an editor would insert as they stand. `strip` takes such a pair
// away; it is for calls with a suffix (CallSpec::fill_in_middle), where the answer is nothing but code.
enum class Fences : std::uint8_t { keep, strip };

// invalid_request for what chat cannot do: several prompts in a list, token arrays, echo, best_of above n, logprobs
// above what chat takes. Log probabilities asked for within that bound are left out, and the answer says null.
Result<std::string> completions_request_to_chat(const RequestBody& body, const call::CallSpec& spec,
                                                std::string_view upstream_model,
                                                std::optional<std::int64_t> output_cap = {});
// upstream_error: not a chat completion. Usage is always there, as the legacy shape wants it, and zero when upstream
// stated none: what a call used is to be read from upstream's own answer.
Result<std::string> chat_answer_to_completions(std::string_view answer_json, Fences fences = Fences::keep);
std::unique_ptr<stream::Translator> make_chat_to_completions_translator(Fences fences = Fences::keep);

}  // namespace nemo::protocol
