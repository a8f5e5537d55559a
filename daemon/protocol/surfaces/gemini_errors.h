// Errors as Google tells them: {"error":{"code","message","status","details"}}. Source: Google API design guide
// (errors, google.rpc.Code, google.rpc.ErrorInfo, BadRequest and RetryInfo).
#pragma once

#include <string>

#include "shared/result.h"

namespace nemo::protocol {

std::string gemini_error_body(const Error& error);   // compact, one line
std::string gemini_error_event(const Error& error);  // the same inside a stream: "data: {…}\n\n"

}  // namespace nemo::protocol
