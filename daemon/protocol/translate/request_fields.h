// What translations read of a request in the OpenAI shape, and how they refuse it.
#pragma once

#include <string_view>

#include "daemon/protocol/request_body.h"
#include "shared/result.h"

namespace nemo::protocol {

// invalid_request that names the field: "<field>: <why>".
Error refuse_field(std::string_view field, std::string_view why);
// Raw JSON; empty: not there, or null.
std::string_view given_value(const RequestBody& body, std::string_view key);
// The one text of a prompt, raw in its quotes; several, tokens and all else are refused.
Result<std::string_view> single_prompt(const RequestBody& body);

}  // namespace nemo::protocol
