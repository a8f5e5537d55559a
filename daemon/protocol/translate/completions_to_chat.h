// /v1/completions served by an upstream that only has chat: the prompt becomes a chat, the answer keeps the legacy
// shape. Source: OpenAI API reference, completions (legacy).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/fim/answer_cleaner.h"
#include "daemon/protocol/fim/fim_prompt.h"
#include "daemon/protocol/request_body.h"
#include "daemon/stream/translator.h"
#include "shared/result.h"

namespace nemo::protocol {

// invalid_request for what chat cannot do: several prompts in a list, token arrays, echo, best_of above n, logprobs
// above what chat takes. Log probabilities asked for within that bound are left out, and the answer says null.
// `hole` (find_hole) is what is to be filled; null: the prompt is to be answered. Only stop texts that cannot cut off a
// fence or an echo go up, four at most: cleaning_for() honours all.
Result<std::string> completions_request_to_chat(const RequestBody& body, const call::CallSpec& spec,
                                                const FimPrompt* hole, std::string_view upstream_model,
                                                std::optional<std::int64_t> output_cap = {});
// What the answers of that chat are cleaned of. Null: of nothing.
std::shared_ptr<const Cleaning> cleaning_for(const RequestBody& body, const FimPrompt* hole);

// Chat's shape or the legacy one comes in. upstream_error: neither. Usage is always there, as the legacy shape wants
// it, and zero when upstream stated none: what a call used is to be read from upstream's own answer.
Result<std::string> chat_answer_to_completions(std::string_view answer_json,
                                               const std::shared_ptr<const Cleaning>& cleaning = nullptr);
// `choices`: how many answers were asked for. Satisfied once a stop text has ended each of them.
std::unique_ptr<stream::Translator> make_chat_to_completions_translator(
    std::shared_ptr<const Cleaning> cleaning = nullptr, std::int64_t choices = 1);

}  // namespace nemo::protocol
