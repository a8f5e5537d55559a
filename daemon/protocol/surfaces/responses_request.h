// What a Responses request asks for, and the same as a chat. Source: OpenAI API reference (responses, create).
#pragma once

#include <string>

#include "daemon/call/call_spec.h"
#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// Refuses what needs an earlier response (previous_response_id, conversation, prompt) or a later one (background):
// nothing is kept between requests, and what is not in the body cannot be counted against a budget.
Result<call::CallSpec> parse_responses(const RequestBody& body);

// Left out knowingly: store, include, truncation, stream_options, top_logprobs, max_tool_calls, reasoning.summary, and
// what is not known.
Result<std::string> response_request_to_chat(const RequestBody& body, const call::CallSpec& spec);

}  // namespace nemo::protocol
