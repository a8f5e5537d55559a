// /v1/completions served by an upstream that only has chat: the prompt becomes a chat, the answer keeps the legacy
// shape. Source: OpenAI API reference, completions (legacy).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/request_body.h"
#include "daemon/stream/translator.h"
#include "shared/result.h"

namespace nemo::protocol {

// invalid_request for what chat cannot do: several prompts in a list, token arrays, echo, best_of above n, logprobs as
// a number above what chat takes.
Result<std::string> completions_request_to_chat(const RequestBody& body, const call::CallSpec& spec,
                                                std::string_view upstream_model);
Result<std::string> chat_answer_to_completions(std::string_view answer_json);
std::unique_ptr<stream::Translator> make_chat_to_completions_translator();

}  // namespace nemo::protocol
